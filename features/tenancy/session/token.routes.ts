import { bind, type Context, hashSecret, newSecret, noSuchPlace, type Server } from '@quarterdeck/http'
import {
  type AnyEndpoint,
  done,
  invalidInput,
  notFound,
  type Permission,
  type Scope,
  type Subject,
} from '@quarterdeck/kernel'
import { transaction } from '@quarterdeck/store'
import { knownPermissions } from '../role/permission.contract.ts'
import { reachesFurther } from '../user/user.contract.ts'
import { requireWholeUser } from './session.rules.ts'
import { findSignInAccount } from './session.store.ts'
import { type CredentialAuthority, type CredentialOptions, requireAccount } from './sign-in.routes.ts'
import { beyondSources } from './source.routes.ts'
import {
  createToken,
  createUserToken,
  deleteToken,
  deleteUserToken,
  listTokens,
  listUserTokens,
  notMachine,
  type Token,
  tokenNameTaken,
  tokenTooBroad,
} from './token.contract.ts'
import { beyond, outlives, placeWords, TOKEN_PREFIX } from './token.rules.ts'
import { createTokenRow, deleteTokenRow, findTokenSources, listTokenRows, type TokenRow } from './token.store.ts'

interface TokenOptions extends CredentialOptions {
  authority: CredentialAuthority
}
type TokenBody = Context<typeof createToken>['body']
interface Limits {
  permissions: string[]
  within: Scope | null
  sources: string[]
  expireTime: string | null
}

const shown = (
  { userName: _, within, lastUseTime, lastPeer, expireTime, ...row }: TokenRow,
  subject: Subject,
): Token => ({
  ...row,
  current: row.id === subject.credentialId,
  ...(within === null ? {} : { within }),
  ...(lastUseTime === null ? {} : { lastUseTime }),
  ...(lastPeer === null ? {} : { lastPeer }),
  ...(expireTime === null ? {} : { expireTime }),
})

/** A token with a permission that there is not would be refused everywhere, without anybody knowing why. */
function checkKnown(permissions: readonly string[]): void {
  const known = new Set<string>(['*', ...knownPermissions])
  const errors = permissions.flatMap((permission, index) =>
    known.has(permission)
      ? []
      : [{ pointer: `/body/permissions/${index}`, detail: `There is no permission ${permission}` }],
  )
  if (errors[0]) throw invalidInput({ detail: `${errors[0].detail}; see x-permission in /api/v1/openapi.json`, errors })
}

const tooBroad = (detail: string) => tokenTooBroad({ detail })

/** What to see a place takes. */
const SEEN_WITH: Record<keyof Scope, Permission> = {
  environment: 'environment.list',
  project: 'project.list',
  tenant: 'tenant.list',
}

/** Throws notFound for a place that is not there, or that neither the subject nor its own token reaches. */
function checkPlace(authority: CredentialAuthority, subject: Subject, within: Scope): void {
  const place = (['environment', 'project', 'tenant'] as const).find((one) => within[one] !== undefined)
  if (place === undefined) return
  const seen =
    authority.may(subject, SEEN_WITH[place], within) ||
    (subject.within !== undefined && authority.isWithin(within, subject.within))
  if (authority.isWithin(within, within) && seen) return
  const detail = noSuchPlace(place, within[place] ?? '')
  throw notFound({ detail, errors: [{ pointer: `/body/within/${place}`, detail }] })
}

/** Tokens: make, list, revoke; own ones and those of others. */
export function tokenRoutes(server: Server, { db, now, record, revoked, authority }: TokenOptions): void {
  /** What the new token may, no further than the token that makes it. Throws tokenTooBroad. */
  async function limitsOf(subject: Subject, body: TokenBody): Promise<Limits> {
    const end = subject.kind === 'token' ? subject.expireTime : undefined
    const { permissions = subject.permissions, within = subject.within, expireTime = end } = body
    checkKnown(permissions)
    const missing = beyond(subject, permissions)
    if (missing.length > 0) throw tooBroad(`This token does not carry ${missing.join(', ')} itself`)
    if (within) checkPlace(authority, subject, within)
    if (subject.within && !authority.isWithin(within ?? {}, subject.within)) {
      throw tooBroad(`This token counts in ${placeWords(subject.within)} only; so must one that it makes`)
    }
    const own = subject.kind === 'token' ? await findTokenSources(db, subject.credentialId ?? '') : []
    const sources = body.sources ?? own
    const elsewhere = beyondSources(own, sources)
    if (elsewhere !== undefined) throw tooBroad(`This token counts from ${own.join(', ')} only, not from ${elsewhere}`)
    if (outlives(subject, expireTime)) {
      throw tooBroad(`This token ends at ${subject.expireTime}; one it makes must not end later`)
    }
    if (expireTime !== undefined && Date.parse(expireTime) <= Date.parse(now())) {
      throw invalidInput({
        detail: 'expireTime is in the past',
        errors: [{ pointer: '/body/expireTime', detail: 'An instant in the future' }],
      })
    }
    return { permissions, within: within ?? null, sources, expireTime: expireTime ?? null }
  }

  async function make(act: AnyEndpoint, subject: Subject, userName: string, body: TokenBody) {
    const limits = await limitsOf(subject, body)
    const secret = newSecret(TOKEN_PREFIX)
    const { name } = body
    const wanted = { secretHash: hashSecret(secret), userName, name, createTime: now(), ...limits }
    const row = await transaction(db, async (tx) => {
      const made = await createTokenRow(tx, wanted)
      if (made) await record(tx, done(act, subject.name, whatOf(name, userName, subject), limitText(limits)))
      return made
    })
    if (!row)
      throw tokenNameTaken({ detail: `There is a token ${name} already; choose another name or revoke that one` })
    return { ...shown(row, subject), secret }
  }

  async function list(userName: string, subject: Subject) {
    return { items: (await listTokenRows(db, userName)).map((row) => shown(row, subject)) }
  }

  async function revoke(act: AnyEndpoint, subject: Subject, userName: string, token: string): Promise<null> {
    const found = (await listTokenRows(db, userName)).find((row) => row.id === token || row.name === token)
    if (!found) {
      throw notFound({ detail: `${userName === subject.name ? 'You have' : `${userName} has`} no token ${token}` })
    }
    await transaction(db, async (tx) => {
      await deleteTokenRow(tx, userName, found.id)
      await record(tx, done(act, subject.name, whatOf(found.name, userName, subject)))
    })
    revoked()
    return null
  }

  bind(server, createToken, ({ subject, body }) => make(createToken, subject, subject.name, body))
  bind(server, listTokens, ({ subject }) => {
    requireWholeUser(subject)
    return list(subject.name, subject)
  })
  bind(server, deleteToken, ({ subject, params }) => {
    requireWholeUser(subject)
    return revoke(deleteToken, subject, subject.name, params.token)
  })
  bind(server, createUserToken, async ({ subject, params: { user }, body }) => {
    const account = await findSignInAccount(db, user)
    if (!account) throw notFound({ detail: `There is no machine account ${user}, or it is disabled` })
    if (account.kind !== 'machine') {
      throw notMachine({ detail: `${user} signs in and makes tokens; make a machine account for a pipeline` })
    }
    const more = authority.exceeds(subject, account.id)
    if (more !== undefined)
      throw reachesFurther({ detail: `${user} may ${more}, and you may not; ask somebody who may` })
    return make(createUserToken, subject, user, body)
  })
  bind(server, listUserTokens, async ({ subject, params }) => {
    await requireAccount(db, params.user)
    return list(params.user, subject)
  })
  bind(server, deleteUserToken, async ({ subject, params }) => {
    await requireAccount(db, params.user)
    return revoke(deleteUserToken, subject, params.user, params.token)
  })
}

const whatOf = (token: string, userName: string, subject: Subject) =>
  userName === subject.name ? `token ${token}` : `token ${token} of ${userName}`

/** `Permissions *; in project shop; from 10.1.0.0/16; until …`. */
function limitText({ permissions, within, sources, expireTime }: Limits): string {
  const where = within === null ? [] : [`in ${placeWords(within)}`]
  const whence = sources.length === 0 ? [] : [`from ${sources.join(', ')}`]
  const end = expireTime === null ? 'until it is revoked' : `until ${expireTime}`
  return [`Permissions ${permissions.join(', ')}`, ...where, ...whence, end].join('; ')
}
