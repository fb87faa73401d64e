import { noSuchPlace } from '@quarterdeck/http'
import { invalidInput, notFound, type Permission, type Scope, type Subject } from '@quarterdeck/kernel'
import { exceedsOwn } from '../role/role.contract.ts'
import { type OpenAuthority, placeText } from './authority.routes.ts'
import type { PlaceKind, RoleFact } from './fact.rules.ts'

/** Whom and where, by id, once all of it was found. */
export interface Found {
  role: RoleFact & { id: string }
  holder: { kind: 'account' | 'group'; id: string; text: string }
  /** Undefined: the platform. */
  place: { kind: PlaceKind; id: string } | undefined
  scope: Scope
}

const KINDS = ['environment', 'project', 'tenant'] as const

/** The place that a body or query names; none: the platform. Throws invalidInput when it names more than one. */
export function scopeIn(named: Scope, part: 'body' | 'query'): Scope {
  const kinds = KINDS.filter((kind) => named[kind] !== undefined)
  const [kind, second] = kinds
  if (second !== undefined) {
    const detail = 'Name one place: environment, project or tenant'
    throw invalidInput({ detail, errors: [{ pointer: `/${part}/${second}`, detail }] })
  }
  return kind === undefined ? {} : { [kind]: named[kind] }
}

/** Throws notFound. */
export function findPlace({ decisions }: OpenAuthority, scope: Scope): Found['place'] {
  for (const kind of KINDS) {
    const name = scope[kind]
    if (name === undefined) continue
    const id = decisions.facts.idOf(kind, name)
    if (id === undefined) throw notFound({ detail: noSuchPlace(kind, name) })
    return { kind, id }
  }
  return undefined
}

/** Throws notFound. */
export function findRoleFact({ decisions: { facts } }: OpenAuthority, name: string): Found['role'] {
  const id = facts.idOf('role', name)
  const role = id === undefined ? undefined : facts.roles.get(id)
  if (id === undefined || !role) {
    throw notFound({ detail: `There is no role ${name}; qd role list shows those there are` })
  }
  return { ...role, id }
}

/** Throws notFound. */
export function findHolder(
  { decisions: { facts } }: OpenAuthority,
  { user, group }: { user?: string | undefined; group?: string | undefined },
): Found['holder'] {
  const kind = user === undefined ? 'group' : 'account'
  const name = user ?? group ?? ''
  const id = facts.idOf(kind, name)
  if (id === undefined) {
    const noun = kind === 'group' ? 'group' : 'user'
    throw notFound({ detail: `There is no ${noun} ${name}; qd ${noun} list shows those there are` })
  }
  return { kind, id, text: kind === 'group' ? `group ${name}` : name }
}

/**
 * Nobody gives what they do not have, nor for longer than they have it: whoever gives must have grant.create and every
 * permission of the role there, now and until the end of what is given. Throws exceedsOwn.
 */
export function checkGiver(
  authority: OpenAuthority,
  subject: Subject,
  { role, scope }: Pick<Found, 'role' | 'scope'>,
  expireTime: string | undefined,
): void {
  const { decisions } = authority
  const now = authority.now()
  const lacking = authority.missing(subject, role.permissions, scope)
  const where = placeText(scope)
  if (lacking) {
    const { permission, grantedBy } = lacking
    const who = grantedBy.length > 0 ? ` ${grantedBy.join(' or ')} can.` : ''
    const what = permission === '*' ? 'everything' : permission
    const detail = `You do not have ${what} ${where} yourself, so you cannot give role ${role.name} there.${who}`
    throw exceedsOwn({ detail, permission, scope, grantedBy })
  }
  const wanted = expireTime === undefined ? Number.POSITIVE_INFINITY : Date.parse(expireTime)
  for (const permission of ['grant.create', ...role.permissions] as Permission[]) {
    const until = subject.id === undefined ? undefined : decisions.heldUntil(subject.id, permission, scope, now)
    if (until === undefined || until >= wanted) continue
    const end = new Date(until).toISOString()
    const detail = `You have ${permission} ${where} only until ${end} yourself; give the grant an end no later than that`
    throw exceedsOwn({ detail, permission, scope, errors: [{ pointer: '/body/expireTime', detail }] })
  }
}

/** Throws invalidInput for an end that has come already by the clock of the store. */
export function checkEnd(authority: OpenAuthority, expireTime: string | null | undefined): void {
  if (expireTime === null || expireTime === undefined || Date.parse(expireTime) > authority.now()) return
  const detail = 'An instant in the future'
  throw invalidInput({ detail: 'expireTime is in the past', errors: [{ pointer: '/body/expireTime', detail }] })
}
