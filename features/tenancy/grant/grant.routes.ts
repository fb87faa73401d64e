import { setImmediate } from 'node:timers/promises'
import { bind, type Context, type Server } from '@quarterdeck/http'
import {
  type AnyEndpoint,
  type AuditEntry,
  done,
  invalidInput,
  notFound,
  type Scope,
  type Subject,
} from '@quarterdeck/kernel'
import { type Db, transaction } from '@quarterdeck/store'
import { knownPermissions } from '../role/permission.contract.ts'
import { type OpenAuthority, placeText } from './authority.routes.ts'
import { UNKNOWN } from './authority.rules.ts'
import { addGain, effectOf, noGain } from './effect.rules.ts'
import { checkEnd, checkGiver, type Found, findHolder, findPlace, findRoleFact, scopeIn } from './give.routes.ts'
import {
  createGrant,
  deleteGrant,
  type Grant,
  type GrantBody,
  type GrantEffect,
  grantExists,
  listGrants,
  updateGrant,
} from './grant.contract.ts'
import {
  countGrantRows,
  createGrantRow,
  deleteGrantRow,
  findGrant,
  findSameGrant,
  type GrantFilter,
  type GrantRow,
  listGrantRows,
  updateGrantRow,
} from './grant.store.ts'

export interface GrantOptions {
  db: Db
  authority: OpenAuthority
  /** Writes to the audit trail, within the transaction of what it tells. */
  record(tx: Db, entry: AuditEntry): Promise<unknown>
  /** Does `act` and throws when nobody who can sign in is administrator after it. */
  keepAnAdministrator<T>(tx: Db, act: () => Promise<T>): Promise<T>
}

/** What is given, found and checked. */
export interface Giving extends Found {
  expireTime?: string | undefined
  reason: string
}

// So that a group of thousands does not make others wait.
const SLICE = 200

const shownGrant = (row: GrantRow): Grant => ({
  id: row.id,
  role: row.role,
  ...(row.roleTitle === null ? {} : { roleTitle: row.roleTitle }),
  ...(row.user === null ? {} : { user: row.user }),
  ...(row.group === null ? {} : { group: row.group }),
  ...placeIn(row),
  ...(row.expireTime === null ? {} : { expireTime: row.expireTime }),
  grantor: row.grantor,
  reason: row.reason,
  createTime: row.createTime,
})
const placeIn = ({ tenant, project, environment }: Pick<GrantRow, 'tenant' | 'project' | 'environment'>) => {
  if (environment !== null) return { environment }
  if (project !== null) return { project }
  return tenant === null ? { platform: true as const } : { tenant }
}
const scopeOfRow = (row: GrantRow): Scope => {
  const { platform: _, ...scope } = { platform: undefined, ...placeIn(row) }
  return scope
}
const holderText = ({ user, group }: GrantRow) => user ?? `group ${group}`

/** `role developer to li in environment shop-prod until 2026-12-01T00:00:00.000Z. Because of release 7`. */
const givenText = ({ expireTime, reason }: { expireTime?: string | null | undefined; reason: string }): string =>
  `${expireTime ? `Until ${expireTime}` : 'Until it is taken back'}${reason === '' ? '' : `; ${reason}`}`

const written = (
  endpoint: Pick<AnyEndpoint, 'id'>,
  actor: string,
  what: { role: string; holder: string; scope: Scope },
  detail: string,
): AuditEntry =>
  done(endpoint, actor, `role ${what.role} of ${what.holder} ${placeText(what.scope)}`, detail, what.scope.environment)

/** Makes a grant that was checked. Throws grantExists. */
export async function give(
  tx: Db,
  { record }: Pick<GrantOptions, 'record'>,
  subject: Subject,
  giving: Giving,
): Promise<GrantRow> {
  const { role, holder, place, scope, expireTime, reason } = giving
  const row = { role: role.id, holder, place, expireTime, grantor: subject.name, reason }
  const id = await createGrantRow(tx, row)
  if (id === undefined) throw exists(await findSameGrant(tx, row), giving)
  const what = { role: role.name, holder: holder.text, scope }
  await record(tx, written(createGrant, subject.name, what, givenText(giving)))
  // One with a short end may have run out by now; it was given all the same.
  const made = await findGrant(tx, id)
  if (!made) throw noGrant(id)
  return made
}

const exists = (row: GrantRow | undefined, { role, holder, scope }: Found) => {
  const until = row?.expireTime ? ` until ${row.expireTime}` : ''
  const cure = row ? `; qd grant extend ${row.id} changes its end` : ''
  return grantExists({ detail: `${holder.text} has role ${role.name} ${placeText(scope)} already${until}${cure}` })
}

async function getGrant(db: Db, id: string): Promise<GrantRow> {
  const row = await findGrant(db, id)
  if (!row || row.expired === true) throw noGrant(id)
  return row
}
const noGrant = (id: string) => notFound({ detail: `There is no grant ${id}, or you may not see it` })

/** Who has which role where: list, give, change the end, take back. */
export function grantRoutes(server: Server, options: GrantOptions): void {
  const { db, authority, record, keepAnAdministrator } = options
  const { decisions } = authority

  async function effect({ role, holder, scope }: Found): Promise<GrantEffect> {
    const permissions = role.permissions.includes('*') ? knownPermissions : role.permissions
    const gain = noGain(permissions)
    let seen = 0
    for (const account of decisions.facts.accountsOf(holder.id)) {
      addGain(gain, decisions, account, scope, authority.now())
      if (++seen % SLICE === 0) await setImmediate()
    }
    return effectOf(gain, decisions, scope)
  }

  function check(context: Pick<Context<typeof createGrant>, 'subject' | 'require'>, body: GrantBody): Giving {
    const scope = scopeIn(body, 'body')
    context.require('grant.create', scope)
    const found = { role: findRoleFact(authority, body.role), holder: findHolder(authority, body), scope }
    const place = findPlace(authority, scope)
    checkEnd(authority, body.expireTime)
    checkGiver(authority, context.subject, found, body.expireTime)
    return { ...found, place, expireTime: body.expireTime, reason: body.reason }
  }

  /** A grant at a place where the subject may see grants; the words are the same for one that is not there. */
  async function seen(context: Pick<Context<typeof deleteGrant>, 'subject' | 'may'>, id: string): Promise<GrantRow> {
    const row = await getGrant(db, id)
    if (row.account === context.subject.id || context.may('grant.list', scopeOfRow(row))) return row
    throw noGrant(id)
  }

  bind(
    server,
    listGrants,
    async ({ query: { limit, continue: from, inherited, ...asked }, subject, require: need }) => {
      const scope = scopeIn(asked, 'query')
      const { user, group, role } = asked
      const filter = { user, group, role, limit, after: from === undefined ? undefined : cursorOf(from) }
      let places: readonly string[] | undefined
      if (Object.keys(scope).length > 0) {
        need('grant.list', scope)
        const chain = decisions.chainOf(scope)
        places = inherited ? chain : chain.slice(0, 1)
      } else {
        const seen = decisions.placesWith(subject, 'grant.list', authority.now())
        if (asked.platform) places = seen ? [] : ['']
        else places = seen && [...seen]
      }
      return listPage(db, { ...filter, places: places?.filter((id) => id !== UNKNOWN) })
    },
  )

  bind(server, createGrant, async (context) => {
    await authority.refresh()
    const giving = check(context, context.body)
    if (context.query.dryRun) return effect(giving)
    const row = await transaction(db, (tx) => give(tx, { record }, context.subject, giving))
    await authority.refresh()
    return { kind: 'Grant' as const, ...shownGrant(row) }
  })

  bind(server, updateGrant, async (context) => {
    const { subject, params, body } = context
    const before = await seen(context, params.grant)
    const scope = scopeOfRow(before)
    context.require('grant.create', scope)
    checkEnd(authority, body.expireTime)
    checkGiver(authority, subject, { role: findRoleFact(authority, before.role), scope }, body.expireTime ?? undefined)
    const row = await transaction(db, async (tx) => {
      await keepAnAdministrator(tx, () => updateGrantRow(tx, before.id, body.expireTime))
      const words = `${givenText({ expireTime: body.expireTime, reason: body.reason ?? '' })}; before: ${before.expireTime ?? 'no end'}`
      const what = { role: before.role, holder: holderText(before), scope }
      await record(tx, written(updateGrant, subject.name, what, words))
      return getGrant(tx, before.id)
    })
    await authority.refresh()
    return shownGrant(row)
  })

  bind(server, deleteGrant, async (context) => {
    const row = await seen(context, context.params.grant)
    const scope = scopeOfRow(row)
    context.require('grant.delete', scope)
    await transaction(db, async (tx) => {
      if (!(await keepAnAdministrator(tx, () => deleteGrantRow(tx, row.id)))) throw noGrant(row.id)
      const what = { role: row.role, holder: holderText(row), scope }
      await record(tx, written(deleteGrant, context.subject.name, what, `It was given by ${row.grantor}`))
    })
    await authority.refresh()
    return null
  })
}

async function listPage(db: Db, filter: GrantFilter) {
  const rows = await listGrantRows(db, { ...filter, limit: filter.limit + 1 })
  const items = rows.slice(0, filter.limit)
  const last = items.at(-1)
  const more = rows.length > filter.limit && last ? { continue: `${last.instant}.${last.id}` } : {}
  return { items: items.map(shownGrant), total: await countGrantRows(db, filter), ...more }
}

const CURSOR = /^(\d{1,18})\.([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/

function cursorOf(text: string): { instant: string; id: string } {
  const [, instant, id] = CURSOR.exec(text) ?? []
  if (instant !== undefined && id !== undefined) return { instant, id }
  const detail = 'Pass on the `continue` of the page before as it is'
  throw invalidInput({ detail, errors: [{ pointer: '/query/continue', detail }] })
}

/** How often each role is granted, by its id. */
export function grantCounts({ decisions: { facts } }: OpenAuthority): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const { role } of facts.grants.values()) counts.set(role, (counts.get(role) ?? 0) + 1)
  return counts
}

/** Some of the grants of a role, in words. */
export async function grantedTo(tx: Db, role: string, most: number): Promise<string[]> {
  const rows = await listGrantRows(tx, { roleId: role, limit: most })
  return rows.map((row) => `${holderText(row)} ${placeText(scopeOfRow(row))}`)
}
