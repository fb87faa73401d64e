import { createHash, createHmac } from 'node:crypto'
import type pg from 'pg'
import { type Connection, openConnection } from './connection.ts'
import { isConnectionFailure, sqlState } from './errors.ts'

/** Whether the sessions of a server act as a role that owns nothing, and what to do when they do not. */
export type ServerRole = { name: string } | { reason: string; cure: string }

const MARK = 'Sessions of Quarterdeck servers; made and kept by Quarterdeck'
// Any constant that nothing else in this database locks.
const lockKey = 7_070_002

/**
 * Makes the role that the sessions of servers act as, or brings it up to date: it uses every table, changes none of
 * their definitions, and only appends to those that refuse change by the trigger function refuse_change. Its password
 * follows from the owner's, so that all servers of a database know it and none keeps it. `owner` is a session of the
 * owner, opened with `address`; the caller closes it. Where the role cannot be had, says why.
 */
export async function ensureServerRole(
  owner: Connection,
  address: pg.ClientConfig,
): Promise<{ role: ServerRole; address: pg.ClientConfig }> {
  const [here] = await owner.query<{ database: string; user: string }>(
    'select current_database() as database, current_user as user',
  )
  const { database = '', user = '' } = here ?? {}
  const secret = passwordOf(address)
  if (!secret) {
    const reason = 'DATABASE_URL has no password from which that of a role of its own could follow'
    return { role: { reason, cure: `Write the password of ${user} into DATABASE_URL` }, address }
  }
  const name = roleName(database)
  const password = createHmac('sha256', secret).update(`server role of ${database}`).digest('base64url')
  const own = asRole(address, name, password)
  try {
    await owner.query('select pg_advisory_lock($1)', [lockKey])
    const there = await signsIn(own)
    if (!there) await makeRole(owner, name, password)
    await grantAll(owner, name)
    if (!there && !(await signsIn(own))) {
      throw new Error(`PostgreSQL does not let ${name} sign in; look at its pg_hba.conf`)
    }
    return { role: { name }, address: own }
  } catch (error) {
    if (isConnectionFailure(error)) throw error
    const cure =
      sqlState(error) === '42501'
        ? `As an administrator of PostgreSQL: ALTER ROLE ${quoted(user)} CREATEROLE; then start again`
        : 'Mend that, then start again'
    return { role: { reason: (error as Error).message, cure }, address }
  }
}

/** Roles belong to a whole server of PostgreSQL, so each database has its own. At most 63 bytes. */
function roleName(database: string): string {
  const name = `${database}_server`
  if (Buffer.byteLength(name) <= 63) return name
  return `quarterdeck_${createHash('sha256').update(database).digest('hex').slice(0, 16)}_server`
}

function passwordOf({ connectionString, password }: pg.ClientConfig): string | undefined {
  if (connectionString === undefined) return typeof password === 'string' ? password : undefined
  const url = new URL(connectionString)
  return url.searchParams.get('password') || decodeURIComponent(url.password) || process.env.PGPASSWORD
}

function asRole(address: pg.ClientConfig, name: string, password: string): pg.ClientConfig {
  if (address.connectionString === undefined) return { ...address, user: name, password }
  const url = new URL(address.connectionString)
  for (const given of ['user', 'password']) url.searchParams.delete(given)
  Object.assign(url, { username: encodeURIComponent(name), password })
  return { connectionString: url.href }
}

async function signsIn(address: pg.ClientConfig): Promise<boolean> {
  try {
    await (await openConnection(address)).close()
    return true
  } catch (error) {
    // 28: no such role, another password, or none may sign in like this.
    if (sqlState(error)?.startsWith('28')) return false
    throw error
  }
}

const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`

async function makeRole(owner: Connection, name: string, password: string): Promise<void> {
  const [found] = await owner.query<{ ours: boolean }>(
    `select shobj_description(oid, 'pg_authid') = $2 as ours from pg_roles where rolname = $1`,
    [name, MARK],
  )
  if (found && !found.ours) throw new Error(`There is a role ${name} that Quarterdeck has not made`)
  const how = `login nosuperuser nocreatedb nocreaterole noreplication nobypassrls password '${password}'`
  // Only what it may change of a role that is there: more is for superusers.
  await owner.query(
    found ? `alter role ${quoted(name)} login password '${password}'` : `create role ${quoted(name)} ${how}`,
  )
  await owner.query(`comment on role ${quoted(name)} is '${MARK}'`)
}

/** What is granted differs from what should be: a statement each. Views show; their rights would be their owner's. */
const DIFFERENCES = `
  with role as (select oid from pg_roles where rolname = $1),
  guarded as (select tgrelid from pg_trigger where tgfoid = to_regproc('public.refuse_change')),
  wanted as (
    select c.oid, c.relkind, format('%I.%I', 'public', c.relname) as name, c.relacl as acl,
      case when c.relkind = 'S' then array['USAGE']
        when c.relkind in ('v', 'm') or c.relname = 'quarterdeck_migration' then array['SELECT']
        when c.oid in (select tgrelid from guarded) then array['INSERT', 'SELECT']
        else array['DELETE', 'INSERT', 'SELECT', 'UPDATE'] end as privileges
    from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'S')
  )
  select case relkind when 'S' then 'sequence ' else 'table ' end || name as thing,
    array_to_string(privileges, ', ') as privileges
  from wanted where privileges is distinct from (
    select array_agg(privilege_type order by privilege_type) from aclexplode(acl)
    where grantee = (select oid from role))`

async function grantAll(owner: Connection, name: string): Promise<void> {
  const role = quoted(name)
  const [schema] = await owner.query<{ used: boolean }>(`select has_schema_privilege($1, 'public', 'usage') as used`, [
    name,
  ])
  if (!schema?.used) await owner.query(`grant usage on schema public to ${role}`)
  const differences = await owner.query<{ thing: string; privileges: string }>(DIFFERENCES, [name])
  const statements = differences.flatMap(({ thing, privileges }) => [
    `revoke all on ${thing} from ${role}`,
    `grant ${privileges} on ${thing} to ${role}`,
  ])
  // Of one message is one transaction: nobody meets a table that is taken away and not yet given back.
  if (statements.length > 0) await owner.query(statements.join('; '))
}
