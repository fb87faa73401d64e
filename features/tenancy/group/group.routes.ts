import { bind, type Server } from '@quarterdeck/http'
import { type AuditEntry, done, notFound, type Subject } from '@quarterdeck/kernel'
import { type Db, transaction } from '@quarterdeck/store'
import { notLocal, reachesFurther } from '../user/user.contract.ts'
import {
  addGroupMember,
  createGroup,
  deleteGroup,
  type Group,
  type GroupMember,
  getGroup,
  groupNameTaken,
  listGroupMembers,
  listGroups,
  removeGroupMember,
} from './group.contract.ts'
import {
  addMember,
  countGroups,
  createGroupRow,
  deleteGroupRow,
  findAccountId,
  findGroupRow,
  type GroupRow,
  listGroupRows,
  listMemberRows,
  removeMember,
} from './group.store.ts'

export interface GroupOptions {
  db: Db
  /** Writes to the audit trail, within the transaction of what it tells. */
  record(tx: Db, entry: AuditEntry): Promise<unknown>
  /** What acting for others takes of the authority. */
  reach: {
    /** Something that the group with this id has been granted and the subject may not do there, in words. */
    exceeds(subject: Subject, holder: string): string | undefined
    /** Makes what has been committed count before the answer. */
    refresh(): Promise<void>
  }
  /** Does what takes something away from somebody; throws when nobody would be left who may do everything. */
  keepAnAdministrator<T>(tx: Db, act: () => Promise<T>): Promise<T>
}

const shown = ({ title, ...row }: GroupRow): Group => ({ ...row, ...(title === null ? {} : { title }) })

/** A page of names: one more than asked for is read, to know whether there is another page. */
function page<Row, Item>(rows: Row[], limit: number, show: (row: Row) => Item, nameOf: (row: Row) => string) {
  const kept = rows.slice(0, limit)
  const last = kept.at(-1)
  return { items: kept.map(show), ...(rows.length > limit && last ? { continue: nameOf(last) } : {}) }
}

async function get(db: Db, name: string): Promise<GroupRow> {
  const found = await findGroupRow(db, name)
  if (!found) throw notFound({ detail: `There is no group ${name}` })
  return found
}

async function getLocal(db: Db, name: string): Promise<GroupRow> {
  const found = await get(db, name)
  if (found.source === 'local') return found
  throw notLocal({ detail: `${found.source} says who belongs to ${name}; change it there` })
}

/** Groups: list, make, delete, members. */
export function groupRoutes(server: Server, { db, record, reach, keepAnAdministrator }: GroupOptions): void {
  bind(server, listGroups, async ({ query: { search, limit, continue: after } }) => {
    const [rows, total] = await Promise.all([
      listGroupRows(db, { search, limit: limit + 1, after }),
      countGroups(db, search),
    ])
    return { ...page(rows, limit, shown, ({ name }) => name), total }
  })
  bind(server, getGroup, async ({ params }) => shown(await get(db, params.group)))
  bind(server, listGroupMembers, async ({ params, query: { limit, continue: after } }) => {
    const { id, members: total } = await get(db, params.group)
    const rows = await listMemberRows(db, id, { limit: limit + 1, after })
    const member = ({ title, ...row }: (typeof rows)[number]): GroupMember => ({
      ...row,
      ...(title === null ? {} : { title }),
    })
    return { ...page(rows, limit, member, ({ user }) => user), total }
  })
  bind(server, createGroup, async ({ subject, body }) => {
    const made = await transaction(db, async (tx) => {
      const row = await createGroupRow(tx, body)
      if (row) await record(tx, done(createGroup, subject.name, `group ${body.name}`))
      return row
    })
    if (!made) throw groupNameTaken({ detail: `There is a group ${body.name} already; choose another name` })
    await reach.refresh()
    return shown(made)
  })
  bind(server, deleteGroup, async ({ subject, params }) => {
    await transaction(db, async (tx) => {
      const { id, name, members } = await getLocal(tx, params.group)
      await keepAnAdministrator(tx, () => deleteGroupRow(tx, id))
      await record(tx, done(deleteGroup, subject.name, `group ${name}`, `It had ${members} members`))
    })
    await reach.refresh()
    return null
  })
  bind(server, addGroupMember, async ({ subject, params: { group, user } }) => {
    await transaction(db, async (tx) => {
      const { id, name } = await getLocal(tx, group)
      const more = reach.exceeds(subject, id)
      if (more !== undefined) {
        throw reachesFurther({ detail: `Members of ${name} may ${more}, and you may not; ask somebody who may` })
      }
      await addMember(tx, id, await accountOf(tx, user))
      await record(tx, done(addGroupMember, subject.name, `group ${name}`, `Added ${user}`))
    })
    await reach.refresh()
    return null
  })
  bind(server, removeGroupMember, async ({ subject, params: { group, user } }) => {
    await transaction(db, async (tx) => {
      const { id, name } = await getLocal(tx, group)
      const account = await accountOf(tx, user)
      await keepAnAdministrator(tx, () => removeMember(tx, id, account))
      await record(tx, done(removeGroupMember, subject.name, `group ${name}`, `Removed ${user}`))
    })
    await reach.refresh()
    return null
  })
}

async function accountOf(db: Db, user: string): Promise<string> {
  const id = await findAccountId(db, user)
  if (id === undefined) throw notFound({ detail: `There is no user ${user}` })
  return id
}
