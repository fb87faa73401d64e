import { bind, type Context, type Server } from '@quarterdeck/http'
import {
  type AnyEndpoint,
  type AuditEntry,
  conflict,
  done,
  invalidInput,
  notFound,
  permissionMissing,
  type Scope,
  type Subject,
} from '@quarterdeck/kernel'
import { type Db, transaction } from '@quarterdeck/store'
import {
  approveRequest,
  createRequest,
  type GrantRequest,
  listRequests,
  proposeRole,
  refuseRequest,
  requestDecided,
  requestNeedless,
  withdrawRequest,
} from './request.contract.ts'
import { askedPlace, askedScope, smallestRole } from './request.rules.ts'
import {
  createRequestRow,
  endRequest,
  findRequest,
  listOpenRequests,
  listRequestRows,
  type RequestRow,
} from './request.store.ts'

/** Roles, places and grants are others' matter, so they are passed. */
export interface RequestOptions {
  db: Db
  /** Writes to the audit trail, within the transaction of what it tells. */
  record(tx: Db, entry: AuditEntry): Promise<unknown>
  roles: {
    named(name: string): { id: string; permissions: readonly string[] } | undefined
    get(id: string): { name: string; permissions: readonly string[] } | undefined
  }
  places: {
    /** '' for the platform; undefined: there is none of that name. */
    idOf(scope: Scope): string | undefined
    /** Undefined: it is gone. */
    scopeOf(id: string): Scope | undefined
    /** Ids of places where a permission counts; undefined: for the whole platform. */
    with(subject: Subject, permission: 'grant.create'): ReadonlySet<string> | undefined
  }
  /** The first of the permissions that the subject may not use there. */
  missing(subject: Subject, permissions: readonly string[], scope: Scope): { permission: string } | undefined
  /** Makes a grant within `tx`, as `subject` might with POST /grants. */
  give(
    tx: Db,
    subject: Subject,
    grant: { role: string; account: string; scope: Scope; expireTime: string; reason: string },
  ): Promise<{ id: string }>
  /** Resolves when what was committed counts. */
  refresh(): Promise<void>
  /** Milliseconds since 1970 by the store's clock. */
  now(): number
}

const MOST_OPEN = 20
const CURSOR = /^(\d{1,18})\.([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/
type Asking = Pick<Context<typeof listRequests>, 'subject' | 'may'>

/** Requests for roles: ask, see, approve, refuse, withdraw. */
export function requestRoutes(server: Server, options: RequestOptions): void {
  const { db, record, roles, places } = options

  /** Where the place of a request is now; undefined when there is none any more, or there never was. */
  const scopeNow = ({ placeKind, place }: RequestRow): Scope | undefined =>
    placeKind === null ? {} : place === null ? undefined : places.scopeOf(place)

  function decidable({ subject, may }: Asking, row: RequestRow): boolean {
    const scope = scopeNow(row)
    const role = roles.get(row.role)
    if (!scope || !role || row.state !== 'open' || row.account === subject.id) return false
    return may('grant.create', scope) && options.missing(subject, role.permissions, scope) === undefined
  }

  const shown = (context: Asking, row: RequestRow): GrantRequest => ({
    id: row.id,
    user: row.user,
    role: row.roleName,
    ...(row.permission === null ? {} : { permission: row.permission }),
    ...(row.placeKind === null ? { platform: true as const } : askedScope(row)),
    durationSeconds: row.durationSeconds,
    reason: row.reason,
    state: row.state,
    createTime: row.createTime,
    ...(row.decideTime === null ? {} : { decideTime: row.decideTime }),
    ...(row.decider === null ? {} : { decider: row.decider }),
    ...(row.decision === null ? {} : { decision: row.decision }),
    ...(row.grant === null ? {} : { grant: row.grant }),
    mine: row.account === context.subject.id,
    decidable: decidable(context, row),
  })

  /** Own ones, and those that the subject could grant, or could have. */
  function visible(context: Asking, row: RequestRow): boolean {
    if (row.account === context.subject.id) return true
    const scope = scopeNow(row)
    return (
      scope !== undefined && context.may('grant.create', scope) && (row.state !== 'open' || decidable(context, row))
    )
  }

  async function get(context: Asking, id: string): Promise<RequestRow> {
    const row = await findRequest(db, id)
    if (!row || !visible(context, row)) throw notFound({ detail: `There is no request ${id}, or you may not see it` })
    return row
  }

  /** One of somebody else that is open and that the subject could grant. */
  async function getToDecide(context: Asking, id: string): Promise<RequestRow> {
    const row = await get(context, id)
    if (row.account === context.subject.id) {
      throw permissionMissing({ detail: 'Nobody decides on a request of their own; those who could grant it see it' })
    }
    if (row.state !== 'open') throw decided(row)
    return row
  }

  bind(server, proposeRole, ({ query }) => {
    const { role, permissions } = smallestRole(query.permission)
    return { role, permissions: [...permissions] }
  })

  bind(server, listRequests, async (context) => {
    const { limit, continue: from, state, which } = context.query
    const account = accountOf(context.subject)
    const mine = which === 'mine' ? { of: account } : which === 'to-decide' ? { notOf: account } : {}
    const found = places.with(context.subject, 'grant.create')
    const filter = { state, account, ...mine, places: found && [...found] }
    const items: RequestRow[] = []
    for (let after = from === undefined ? undefined : cursorOf(from); ; ) {
      const rows = await listRequestRows(db, { ...filter, after, limit: limit + 1 })
      items.push(...rows.filter((row) => visible(context, row)))
      const last = rows.at(-1)
      if (items.length > limit || rows.length <= limit || !last) break
      after = last
    }
    const page = items.slice(0, limit)
    const last = page.at(-1)
    const more = items.length > limit && last ? { continue: `${last.instant}.${last.id}` } : {}
    return { items: page.map((row) => shown(context, row)), ...more }
  })

  bind(server, createRequest, async (context) => {
    const { subject, body } = context
    const account = wholeUser(subject)
    const { platform: _, role: named, permission = null, durationSeconds, reason, ...scope } = body
    const roleName = named ?? smallestRole(permission ?? '').role
    await options.refresh()
    const role = roles.named(roleName)
    if (!role) throw notFound({ detail: `There is no role ${roleName}; qd role list shows those there are` })
    if (options.missing(subject, role.permissions, scope) === undefined) {
      throw requestNeedless({ detail: `You have everything that role ${roleName} permits there already` })
    }
    const [kind, name] = (Object.entries(scope)[0] ?? [null, null]) as [RequestRow['placeKind'], string | null]
    const place = kind === null ? null : (places.idOf(scope) ?? null)
    const row = { account, role: role.id, roleName, permission, placeKind: kind, placeName: name, place }
    const id = await transaction(db, async (tx) => {
      checkOpen(await listOpenRequests(tx, account), row)
      const made = await createRequestRow(tx, { ...row, durationSeconds, reason })
      await record(tx, written(createRequest, subject, { ...row, user: subject.name }, reason))
      return made
    })
    return shown(context, await get(context, id))
  })

  bind(server, approveRequest, async (context) => {
    const { subject, params, body } = context
    await options.refresh()
    const row = await getToDecide(context, params.request)
    const scope = scopeNow(row)
    if (!scope) throw notFound({ detail: `There is no ${row.placeKind} ${row.placeName} any more` })
    const expireTime = body.expireTime ?? new Date(options.now() + row.durationSeconds * 1_000).toISOString()
    const why = `Asked for by ${row.user}: ${row.reason}`.slice(0, 500)
    await transaction(db, async (tx) => {
      const { id } = await options.give(tx, subject, {
        role: row.roleName,
        account: row.user,
        scope,
        expireTime,
        reason: why,
      })
      const end = { state: 'approved' as const, decider: subject.name, decision: body.reason, grant: id }
      if (!(await endRequest(tx, row.id, end))) throw decided((await findRequest(tx, row.id)) ?? row)
      await record(tx, written(approveRequest, subject, row, `Until ${expireTime}${body.reason && `; ${body.reason}`}`))
    })
    await options.refresh()
    return shown(context, await get(context, row.id))
  })

  bind(server, refuseRequest, async (context) => {
    const { subject, params, body } = context
    const row = await getToDecide(context, params.request)
    await transaction(db, async (tx) => {
      const end = { state: 'refused' as const, decider: subject.name, decision: body.reason }
      if (!(await endRequest(tx, row.id, end))) throw decided((await findRequest(tx, row.id)) ?? row)
      await record(tx, written(refuseRequest, subject, row, body.reason))
    })
    return shown(context, await get(context, row.id))
  })

  bind(server, withdrawRequest, async (context) => {
    const { subject, params } = context
    const row = await get(context, params.request)
    if (row.account !== subject.id) throw notFound({ detail: `You have not made the request ${row.id}` })
    await transaction(db, async (tx) => {
      if (!(await endRequest(tx, row.id, { state: 'withdrawn', decider: null, decision: null }))) {
        throw decided((await findRequest(tx, row.id)) ?? row)
      }
      await record(tx, written(withdrawRequest, subject, row, ''))
    })
    return null
  })
}

/** Accounts ask, and their whole credential does: what a part of it may is not widened by asking. */
function wholeUser(subject: Subject): string {
  if (subject.permissions.includes('*') && subject.within === undefined) return accountOf(subject)
  throw permissionMissing({
    detail: 'A limited token cannot ask for roles; sign in, or use one that carries everything',
  })
}

function accountOf({ id }: Subject): string {
  if (id !== undefined) return id
  throw permissionMissing({ detail: 'Only users and machine accounts have requests' })
}

function checkOpen(open: readonly RequestRow[], row: Pick<RequestRow, 'role' | 'placeKind' | 'placeName'>): void {
  const same = open.find(
    ({ role, placeKind, placeName }) => role === row.role && placeKind === row.placeKind && placeName === row.placeName,
  )
  if (same) throw conflict({ detail: `You have asked for this already; withdraw request ${same.id} to ask anew` })
  if (open.length < MOST_OPEN) return
  throw conflict({ detail: `You have ${open.length} open requests; withdraw one to make another` })
}

const decided = ({ id, state, decider }: RequestRow) =>
  requestDecided({ detail: `Request ${id} is ${state}${decider === null ? '' : ` by ${decider}`}` })

const written = (
  endpoint: AnyEndpoint,
  { name: actor }: Subject,
  row: Pick<RequestRow, 'roleName' | 'user' | 'placeKind' | 'placeName'>,
  detail: string,
): AuditEntry => {
  const what = `request of ${row.user} for role ${row.roleName} ${askedPlace(row)}`
  const environment = row.placeKind === 'environment' ? (row.placeName ?? undefined) : undefined
  return done(endpoint, actor, what, detail, environment)
}

function cursorOf(text: string): { instant: string; id: string } {
  const [, instant, id] = CURSOR.exec(text) ?? []
  if (instant !== undefined && id !== undefined) return { instant, id }
  const detail = 'Pass on the `continue` of the page before as it is'
  throw invalidInput({ detail, errors: [{ pointer: '/query/continue', detail }] })
}
