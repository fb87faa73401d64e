import { bind, hashSecret, newSecret, type Server } from '@quarterdeck/http'
import { conflict, done, notFound, type Subject } from '@quarterdeck/kernel'
import { type Db, transaction } from '@quarterdeck/store'
import type { EndCredentials, RecordAct } from './administrator.routes.ts'
import { LINK_SECONDS } from './password.rules.ts'
import {
  createPasswordLink,
  createUser,
  deleteUser,
  getUser,
  lastAdministrator,
  listUsers,
  notLocal,
  type PasswordLink,
  reachesFurther,
  type User,
  updateUser,
  userNameTaken,
} from './user.contract.ts'
import { changeText, stateOf } from './user.rules.ts'
import {
  countAdministrators,
  countUsers,
  createAccount,
  deleteAccount,
  deletePasswordLink,
  findUserRow,
  listUserRows,
  setPasswordLink,
  type UserRow,
  updateAccount,
} from './user.store.ts'

/** What acting for others takes of the authority. */
export interface Reach {
  /** Something that the account or group with this id has been granted and the subject may not do there, in words. */
  exceeds(subject: Subject, holder: string): string | undefined
  /** Makes what has been committed count before the answer. */
  refresh(): Promise<void>
}

export interface UserOptions {
  db: Db
  record: RecordAct
  reach: Reach
  endCredentials: EndCredentials
  /** Told when credentials have ended, before the answer. */
  revoked(): void
  /** Address of the console, for links. */
  url(): string
  /** The instant, RFC 3339; for tests of what time brings. */
  now?: () => string
}

const shown = (row: UserRow): User => ({
  id: row.id,
  name: row.name,
  kind: row.kind,
  source: row.source,
  groups: row.groups,
  state: stateOf(row),
  createTime: row.createTime,
  ...(row.title === null ? {} : { title: row.title }),
  ...(row.email === null ? {} : { email: row.email }),
  ...(row.lastSignInTime === null ? {} : { lastSignInTime: row.lastSignInTime }),
  ...(row.linkExpireTime === null ? {} : { linkExpireTime: row.linkExpireTime }),
})

async function get(db: Db, name: string): Promise<UserRow> {
  const found = await findUserRow(db, name)
  if (!found) throw notFound({ detail: `There is no user ${name}` })
  return found
}

/**
 * Does `act`, which takes something away from somebody. Throws lastAdministrator, and nothing has changed, when nobody
 * would be left who may do everything for the platform.
 */
export async function keepAnAdministrator<T>(tx: Db, act: () => Promise<T>): Promise<T> {
  const before = await countAdministrators(tx)
  const result = await act()
  if (before > 0 && (await countAdministrators(tx)) === 0) {
    throw lastAdministrator({
      detail:
        'Grant the role administrator for the platform to somebody else first, without an end and with a password',
    })
  }
  return result
}

/** Throws reachesFurther when acting for this account or group would let the subject do more than they may. */
export function checkReach(reach: Reach, subject: Subject, { id, name }: { id: string; name: string }): void {
  const more = subject.id === id ? undefined : reach.exceeds(subject, id)
  if (more === undefined) return
  throw reachesFurther({ detail: `${name} may ${more}, and you may not; ask somebody who may` })
}

/** Users and machine accounts: list, invite, change, disable, delete. */
export function userRoutes(server: Server, options: UserOptions): void {
  const { db, record, reach, now = () => new Date().toISOString() } = options

  async function newLink(tx: Db, account: string): Promise<PasswordLink> {
    const secret = newSecret()
    const createTime = now()
    const expireTime = new Date(Date.parse(createTime) + LINK_SECONDS * 1_000).toISOString()
    await setPasswordLink(tx, { account, secretHash: hashSecret(secret), createTime, expireTime })
    // Behind #, which browsers do not send.
    return { url: `${options.url().replace(/\/+$/, '')}/password#${secret}`, expireTime }
  }

  bind(server, listUsers, async ({ query: { limit, continue: after, ...filter } }) => {
    const [rows, total] = await Promise.all([
      listUserRows(db, { ...filter, limit: limit + 1, after }),
      countUsers(db, filter),
    ])
    const items = rows.slice(0, limit).map(shown)
    const last = items.at(-1)
    return { items, total, ...(rows.length > limit && last ? { continue: last.name } : {}) }
  })
  bind(server, getUser, async ({ params }) => shown(await get(db, params.user)))
  bind(server, createUser, async ({ subject, body }) => {
    const made = await transaction(db, async (tx) => {
      const id = await createAccount(tx, body)
      if (!id) throw userNameTaken({ detail: `There is a user ${body.name} already; choose another name` })
      const link = body.kind === 'user' ? await newLink(tx, id) : undefined
      const detail = link ? `Invited until ${link.expireTime}` : 'Machine account'
      await record(tx, done(createUser, subject.name, `user ${body.name}`, detail))
      return { user: shown(await get(tx, body.name)), ...(link ? { link } : {}) }
    })
    await reach.refresh()
    return made
  })
  bind(server, createPasswordLink, ({ subject, params }) =>
    transaction(db, async (tx) => {
      const user = await get(tx, params.user)
      checkReach(reach, subject, user)
      if (user.kind === 'machine') throw conflict({ detail: `${user.name} is a machine account; make a token for it` })
      if (user.source !== 'local') {
        throw notLocal({ detail: `${user.name} signs in at ${user.source}; the password is changed there` })
      }
      if (user.disableTime !== null) throw conflict({ detail: `${user.name} is disabled; enable them first` })
      const link = await newLink(tx, user.id)
      await record(tx, done(createPasswordLink, subject.name, `user ${user.name}`, `Valid until ${link.expireTime}`))
      return link
    }),
  )
  bindChanges(server, { ...options, now })
}

function bindChanges(
  server: Server,
  { db, record, reach, endCredentials, revoked, now }: UserOptions & { now: () => string },
): void {
  bind(server, updateUser, async ({ subject, params, body: { disabled, ...words } }) => {
    const user = await transaction(db, async (tx) => {
      const before = await get(tx, params.user)
      if (Object.keys(words).length > 0 && before.source !== 'local') {
        throw notLocal({ detail: `Title and e-mail address of ${before.name} come from ${before.source}` })
      }
      const turned = disabled !== undefined && disabled !== (before.disableTime !== null)
      const disableTime = turned ? { disableTime: disabled ? now() : null } : {}
      await keepAnAdministrator(tx, () => updateAccount(tx, before.id, { ...words, ...disableTime }))
      if (turned && disabled) {
        await endCredentials(tx, before.name, { tokens: true })
        await deletePasswordLink(tx, before.id)
      }
      const acts = [...(turned ? [disabled ? 'disabled' : 'enabled'] : []), changeText(words)].filter(Boolean)
      await record(tx, done(updateUser, subject.name, `user ${before.name}`, acts.join(', ') || 'nothing new'))
      return shown(await get(tx, params.user))
    })
    revoked()
    await reach.refresh()
    return user
  })
  bind(server, deleteUser, async ({ subject, params }) => {
    await transaction(db, async (tx) => {
      const { id, name } = await get(tx, params.user)
      await endCredentials(tx, name)
      await keepAnAdministrator(tx, () => deleteAccount(tx, id))
      await record(tx, done(deleteUser, subject.name, `user ${name}`, `With sessions, tokens and grants; id ${id}`))
    })
    revoked()
    await reach.refresh()
    return null
  })
}
