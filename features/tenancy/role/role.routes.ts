import { bind, type Server } from '@quarterdeck/http'
import { type AuditEntry, done, notFound, type Scope, type Subject } from '@quarterdeck/kernel'
import { type Db, sqlState, transaction } from '@quarterdeck/store'
import {
  createRole,
  deleteRole,
  exceedsOwn,
  getRole,
  listPermissions,
  listRoles,
  type Role,
  roleBuiltIn,
  roleGranted,
  roleNameTaken,
  updateRole,
} from './role.contract.ts'
import { permissionChange, permissionInfos } from './role.rules.ts'
import {
  createRoleRow,
  deleteRoleRow,
  findRole,
  findRoleForUpdate,
  listRoleRows,
  type RoleRow,
  updateRoleRow,
} from './role.store.ts'

/** Who holds roles is the matter of grants, so it is passed. */
export interface RoleOptions {
  db: Db
  /** Writes to the audit trail, within the transaction of what it tells. */
  record(tx: Db, entry: AuditEntry): Promise<unknown>
  /** How often each role is granted just now, by its id. */
  grantCounts(): ReadonlyMap<string, number>
  /** Some of the grants of a role, in words: `li in environment shop-prod`. */
  grantedTo(tx: Db, role: string, most: number): Promise<string[]>
  /** The first of the permissions that the subject may not use there, with who could grant it. */
  missing(
    subject: Subject,
    permissions: readonly string[],
    scope: Scope,
  ): { permission: string; grantedBy: string[] } | undefined
  /** Resolves when what was committed counts. */
  refresh(): Promise<void>
}

const SOME = 5
const FOREIGN_KEY_VIOLATION = '23503'

/** Roles: list, make, change, delete; and what permissions there are. */
export function roleRoutes(server: Server, options: RoleOptions): void {
  const { db, record, refresh } = options
  const shown = ({ id, title, ...row }: RoleRow, counts = options.grantCounts()): Role => ({
    ...row,
    ...(title === null ? {} : { title }),
    grants: counts.get(id) ?? 0,
  })
  /** Nobody makes a role of what they do not have: they could hold it already, or get it from somebody careless. */
  const checkOwn = (subject: Subject, permissions: readonly string[]): void => {
    const found = options.missing(subject, permissions, {})
    if (!found) return
    const { permission, grantedBy } = found
    const who = grantedBy.length > 0 ? ` ${grantedBy.join(' or ')} can.` : ''
    const detail = `You do not have ${permission} for the platform yourself, so you cannot put it into a role.${who}`
    throw exceedsOwn({ detail, permission, scope: {}, grantedBy })
  }

  bind(server, listPermissions, () => ({ items: permissionInfos() }))
  bind(server, listRoles, async () => {
    const counts = options.grantCounts()
    return { items: (await listRoleRows(db)).map((row) => shown(row, counts)) }
  })
  bind(server, getRole, async ({ params }) => shown(await get(db, params.role)))
  bind(server, createRole, async ({ subject, body: { name, title = null, permissions, from } }) => {
    const wanted = permissions ?? (await get(db, from ?? '')).permissions
    checkOwn(subject, wanted)
    const row = await transaction(db, async (tx) => {
      const made = await createRoleRow(tx, { name, title, permissions: wanted })
      if (!made) throw roleNameTaken({ detail: `There is a role ${name}; choose another name` })
      const cloned = from === undefined ? '' : `Clone of ${from}; `
      await record(tx, done(createRole, subject.name, `role ${name}`, `${cloned}permissions ${wanted.join(', ')}`))
      return made
    })
    await refresh()
    return shown(row)
  })
  bind(server, updateRole, async ({ subject, params, body }) => {
    const row = await transaction(db, async (tx) => {
      const before = await getOwn(tx, params.role)
      const { permissions = before.permissions } = body
      checkOwn(
        subject,
        permissions.filter((one) => !before.permissions.includes(one)),
      )
      const words = permissionChange(before.permissions, permissions)
      await record(tx, done(updateRole, subject.name, `role ${before.name}`, words))
      return updateRoleRow(tx, before.id, body)
    })
    await refresh()
    return shown(row)
  })
  bind(server, deleteRole, async ({ subject, params }) => {
    await transaction(db, async (tx) => {
      const { id, name, permissions } = await getOwn(tx, params.role)
      const grants = await options.grantedTo(tx, id, SOME + 1)
      if (grants.length > 0) throw granted(name, grants)
      await record(tx, done(deleteRole, subject.name, `role ${name}`, `It had ${permissions.join(', ')}`))
      await deleteRoleRow(tx, id)
    }).catch((error: unknown) => {
      if (sqlState(error) !== FOREIGN_KEY_VIOLATION) throw error
      throw granted(params.role, ['somebody, just now'])
    })
    await refresh()
    return null
  })
}

const granted = (name: string, grants: string[]) => {
  const more = grants.length > SOME ? ' and others' : ''
  const detail = `${name} is granted to ${grants.slice(0, SOME).join(', ')}${more}; take these grants back first (qd grant list --role ${name})`
  return roleGranted({ detail })
}

async function get(db: Db, name: string): Promise<RoleRow> {
  const row = await findRole(db, name)
  if (!row) throw notFound({ detail: `There is no role ${name}; qd role list shows those there are` })
  return row
}

/** One that is not built in, kept from others until `tx` ends. */
async function getOwn(tx: Db, name: string): Promise<RoleRow> {
  const row = await findRoleForUpdate(tx, name)
  if (!row) throw notFound({ detail: `There is no role ${name}; qd role list shows those there are` })
  if (row.builtIn)
    throw roleBuiltIn({ detail: `${name} is built in; clone it (qd role create NAME --from ${name}) and change that` })
  return row
}
