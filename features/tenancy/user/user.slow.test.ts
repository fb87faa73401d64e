import { type Client, createClient, fetchWithCookies } from '@quarterdeck/client'
import { createServer, type Server } from '@quarterdeck/http'
import type { AuditEntry } from '@quarterdeck/kernel'
import { type TestDatabase, testDatabase } from '@quarterdeck/testkit'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { problemOf, typeOf } from '../../../test/platform/problem.ts'
import { type OpenAuthority, openAuthority } from '../grant/authority.routes.ts'
import { grantAdministrator } from '../grant/authority.store.ts'
import {
  addGroupMember,
  createGroup,
  deleteGroup,
  listGroupMembers,
  listGroups,
  removeGroupMember,
} from '../group/group.contract.ts'
import { groupRoutes } from '../group/group.routes.ts'
import { openSignIns, type SignIns } from '../session/authenticate.routes.ts'
import { createSession, getSession, listUserSessions, revokeUserSession } from '../session/session.contract.ts'
import { sessionRoutes } from '../session/session.routes.ts'
import { createToken, createUserToken, deleteUserToken, listUserTokens } from '../session/token.contract.ts'
import { endCredentials } from '../session/token.store.ts'
import { setAdministratorPassword } from './administrator.routes.ts'
import { choosePassword, findPasswordLink } from './password.contract.ts'
import { passwordRoutes } from './password.routes.ts'
import { createPasswordLink, createUser, deleteUser, getUser, listUsers, updateUser } from './user.contract.ts'
import { keepAnAdministrator, userRoutes } from './user.routes.ts'
import { createAccount } from './user.store.ts'

const url = 'http://localhost'
const password = 'a ship in harbour'
let database: TestDatabase
let authority: OpenAuthority
let remembered: SignIns
let server: Server
let admin: Client
let recorded: AuditEntry[]
let time: number
const now = () => new Date(time).toISOString()
const record = async (_: unknown, entry: AuditEntry) => void recorded.push(entry)
const log = { info: () => undefined, warn: () => undefined, error: () => undefined }

beforeAll(async () => {
  database = await testDatabase()
  const { db, store } = database
  authority = openAuthority({ db, listen: store.listen, log })
  remembered = openSignIns({ db, listen: store.listen, now })
})
beforeEach(async () => {
  const { db } = database
  recorded = []
  time = Date.now()
  await sql`delete from account`.execute(db)
  await sql`delete from user_group`.execute(db)
  await setAdministratorPassword({ db, password, record, grantAdministrator, endCredentials })
  await authority.refresh()
  // A server each, since the limit on attempts lives in its memory.
  server = await createServer({ logLevel: 'silent', authenticate: remembered.authenticate, authority })
  const signIns = sessionRoutes(server, { db, now, record, authority, revoked: remembered.forget })
  passwordRoutes(server, { db, now, record, signIns, grantAdministrator })
  const { revoked } = signIns
  userRoutes(server, { db, now, record, reach: authority, endCredentials, revoked, url: () => url })
  groupRoutes(server, { db, record, reach: authority, keepAnAdministrator })
  admin = await signedIn('admin', password)
})
afterAll(async () => {
  remembered.close()
  authority.close()
  await database.close()
})

const browser = () => createClient({ baseUrl: url, fetch: fetchWithCookies(url, server.fetch) })
const withToken = (token: string) => createClient({ baseUrl: url, fetch: server.fetch, token })
async function signedIn(user: string, secret: string): Promise<Client> {
  const client = browser()
  await client(createSession, { body: { user, password: secret } })
  return client
}
const secretOf = (link: { url: string } | undefined) => link?.url.split('#')[1] ?? ''
const invite = async (name: string, by = admin) => (await by(createUser, { body: { name } })).link
/** A user who has chosen a password, signed in. */
async function made(name: string): Promise<Client> {
  const client = browser()
  await client(choosePassword, { body: { token: secretOf(await invite(name)), password: `${password}, ${name}` } })
  return client
}
const machine = (name: string) => admin(createUser, { body: { name, kind: 'machine' } })
async function grant(role: string, holder: { user?: string; group?: string }): Promise<void> {
  await sql`insert into role_grant (role, account, "group", grantor)
    select role.id, (select id from account where name = ${holder.user ?? ''}),
      (select id from user_group where name = ${holder.group ?? ''}), 'test'
    from role where name = ${role}`.execute(database.db)
  await authority.refresh()
}
/** A role of these permissions, for the whole platform. */
async function permit(user: string, ...permissions: string[]): Promise<void> {
  const role = `only-${user}`
  await sql`insert into role (name, permissions) values (${role}, ${JSON.stringify(permissions)}::jsonb)
    on conflict (name) do update set permissions = excluded.permissions`.execute(database.db)
  await grant(role, { user })
}

test('[TEN-07] an invited user chooses a password by a link that works once, and only its hash is stored', async () => {
  const { user, link } = await admin(createUser, { body: { name: 'li.wei', title: '李伟', email: 'li@example.com' } })
  expect(user).toMatchObject({ name: 'li.wei', title: '李伟', kind: 'user', source: 'local', state: 'invited' })
  expect(link).toMatchObject({ url: expect.stringMatching(/^http:\/\/localhost\/password#[\w-]{43}$/) })
  expect(Date.parse(link?.expireTime ?? '') - time).toBe(3 * 24 * 3_600_000)
  const token = secretOf(link)
  const stored = await sql`select * from password_link`.execute(database.db)
  expect(JSON.stringify(stored.rows)).not.toContain(token)
  expect(await browser()(findPasswordLink, { body: { token } })).toMatchObject({ user: 'li.wei', title: '李伟' })

  const refused = await problemOf(browser()(choosePassword, { body: { token, password: 'li.wei.2026' } }))
  expect(refused.errors?.[0]?.pointer).toBe('/body/password')
  const client = browser()
  const signIn = await client(choosePassword, { body: { token, password } })
  expect(signIn).toMatchObject({ id: user.id, user: 'li.wei', title: '李伟', groups: [], permissions: [] })
  expect(await client(getSession)).toMatchObject({ user: 'li.wei', id: user.id })
  expect(await typeOf(browser()(choosePassword, { body: { token, password } }))).toBe('password-link-unknown')
  expect(await admin(getUser, { params: { user: 'li.wei' } })).toMatchObject({
    state: 'active',
    lastSignInTime: now(),
    email: 'li@example.com',
  })
  expect(recorded.map(({ actor, act, what }) => `${actor} ${act} ${what}`)).toEqual(
    expect.arrayContaining(['admin user.create user li.wei', 'li.wei password.choose user li.wei']),
  )
  expect(JSON.stringify(recorded)).not.toContain(token)
})

test('a link is worth nothing after three days, after a newer one, and when its user is disabled or deleted', async () => {
  const choose = (token: string) => typeOf(browser()(choosePassword, { body: { token, password } }))
  const first = secretOf(await invite('li'))
  const second = secretOf(await admin(createPasswordLink, { params: { user: 'li' } }))
  expect(await choose(first)).toBe('password-link-unknown')
  time += 3 * 24 * 3_600_000
  expect(await choose(second)).toBe('password-link-unknown')
  admin = await signedIn('admin', password)
  const third = secretOf(await admin(createPasswordLink, { params: { user: 'li' } }))
  await admin(updateUser, { params: { user: 'li' }, body: { disabled: true } })
  expect(await choose(third)).toBe('password-link-unknown')
  expect(await typeOf(admin(createPasswordLink, { params: { user: 'li' } }))).toBe('conflict')
  await admin(updateUser, { params: { user: 'li' }, body: { disabled: false } })
  expect(await choose(third)).toBe('password-link-unknown')
  expect(await choose('nonsense')).toBe('password-link-unknown')
})

test('[TEN-07] a new password by a link ends older sessions and tokens of the user and nobody else', async () => {
  const li = await made('li')
  const token = withToken((await li(createToken, { body: { name: 'ci' } })).secret)
  await token(getSession)
  const link = await admin(createPasswordLink, { params: { user: 'li' } })
  await browser()(choosePassword, { body: { token: secretOf(link), password: 'another sentence' } })
  expect(await typeOf(li(getSession))).toBe('sign-in-required')
  expect(await typeOf(token(getSession))).toBe('sign-in-required')
  await admin(getSession)
  await signedIn('li', 'another sentence')
})

test('[A46] whoever is disabled is out at once, cannot sign in, and is not told why', async () => {
  const li = await made('li')
  const token = withToken((await li(createToken, { body: { name: 'ci' } })).secret)
  await Promise.all([li(getSession), token(getSession)])
  await admin(updateUser, { params: { user: 'li' }, body: { disabled: true } })
  expect(await typeOf(li(getSession))).toBe('sign-in-required')
  expect(await typeOf(token(getSession))).toBe('sign-in-required')
  const right = await problemOf(signedIn('li', `${password}, li`))
  const unknown = await problemOf(signedIn('nobody', `${password}, li`))
  expect({ ...right, instance: '' }).toEqual({ ...unknown, instance: '' })
  await admin(updateUser, { params: { user: 'li' }, body: { disabled: false } })
  expect(await typeOf(li(getSession))).toBe('sign-in-required')
  await signedIn('li', `${password}, li`)
  expect(recorded.map(({ act, detail }) => `${act} ${detail}`)).toEqual(
    expect.arrayContaining(['user.update disabled', 'user.update enabled']),
  )
})

test('[A18] whoever gets the name of a deleted user inherits nothing', async () => {
  const li = await made('li')
  await admin(createGroup, { body: { name: 'night' } })
  await admin(addGroupMember, { params: { group: 'night', user: 'li' } })
  await grant('developer', { user: 'li' })
  const secret = (await li(createToken, { body: { name: 'ci' } })).secret
  const before = await li(getSession)
  expect(before).toMatchObject({ groups: ['night'], permissions: expect.arrayContaining(['application.deploy']) })
  await admin(deleteUser, { params: { user: 'li' } })
  expect(await typeOf(li(getSession))).toBe('sign-in-required')
  const again = await made('li')
  const after = await again(getSession)
  expect(after).toMatchObject({ groups: [], permissions: [] })
  expect(after.id).not.toBe(before.id)
  expect(await typeOf(withToken(secret)(getSession))).toBe('sign-in-required')
  expect((await admin(listUserTokens, { params: { user: 'li' } })).items).toEqual([])
  const identities = await sql<{ identity: string }>`select identity from account where name = 'li'`.execute(
    database.db,
  )
  expect(identities.rows[0]?.identity).toMatch(/^quarterdeck:user:li~\d+$/)
})

test('the last who may do everything stays: neither disabled nor deleted, nor by way of a group', async () => {
  const disable = (by: Client, user: string) => by(updateUser, { params: { user }, body: { disabled: true } })
  expect(await typeOf(disable(admin, 'admin'))).toBe('last-administrator')
  expect(await typeOf(admin(deleteUser, { params: { user: 'admin' } }))).toBe('last-administrator')
  await admin(getSession)
  // Whoever has not chosen a password yet cannot stand in.
  const link = await invite('wang')
  await admin(createGroup, { body: { name: 'chiefs' } })
  await grant('administrator', { group: 'chiefs' })
  await admin(addGroupMember, { params: { group: 'chiefs', user: 'wang' } })
  expect(await typeOf(disable(admin, 'admin'))).toBe('last-administrator')
  const wang = browser()
  await wang(choosePassword, { body: { token: secretOf(link), password } })
  await disable(wang, 'admin')
  expect(await typeOf(wang(removeGroupMember, { params: { group: 'chiefs', user: 'wang' } }))).toBe(
    'last-administrator',
  )
  expect(await typeOf(wang(deleteGroup, { params: { group: 'chiefs' } }))).toBe('last-administrator')
  expect((await wang(listGroupMembers, { params: { group: 'chiefs' } })).items).toMatchObject([{ user: 'wang' }])
})

test('two administrators who take each other away at once leave one', async () => {
  const wang = await made('wang')
  await grant('administrator', { user: 'wang' })
  const outcomes = await Promise.allSettled([
    admin(deleteUser, { params: { user: 'wang' } }),
    wang(deleteUser, { params: { user: 'admin' } }),
  ])
  expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
})

test('[A16] nobody gets further by the password, the group or the machine account of somebody else', async () => {
  const li = await made('li')
  await permit('li', 'user.list', 'user.create', 'user.update', 'application.list')
  const refused = await problemOf(li(createPasswordLink, { params: { user: 'admin' } }))
  expect(refused).toMatchObject({ status: 403, type: '/problems/reaches-further' })
  await admin(createGroup, { body: { name: 'chiefs' } })
  await grant('administrator', { group: 'chiefs' })
  expect(await typeOf(li(addGroupMember, { params: { group: 'chiefs', user: 'li' } }))).toBe('reaches-further')
  await machine('builder')
  await grant('administrator', { user: 'builder' })
  const token = { params: { user: 'builder' }, body: { name: 'ci' } }
  expect(await typeOf(li(createUserToken, token))).toBe('reaches-further')
  await invite('zhao')
  await li(createPasswordLink, { params: { user: 'zhao' } })
})

test('[TEN-07] a machine account has no password, only tokens, which others make and revoke', async () => {
  const { user, link } = await machine('builder')
  expect([user.kind, user.state, link]).toEqual(['machine', 'active', undefined])
  const body = { name: 'ci', permissions: ['application.list'], sources: ['127.0.0.0/8'] }
  const made = await admin(createUserToken, { params: { user: 'builder' }, body })
  const builder = withToken(made.secret)
  expect(await builder(getSession)).toMatchObject({ user: 'builder', kind: 'token', permissions: [] })
  await grant('developer', { user: 'builder' })
  expect((await builder(getSession)).permissions).toEqual(['application.list'])
  expect(await typeOf(admin(createPasswordLink, { params: { user: 'builder' } }))).toBe('conflict')
  expect(await typeOf(signedIn('builder', password))).toBe('wrong-password')
  const mine = { params: { user: 'admin' }, body: { name: 'mine' } }
  expect(await typeOf(admin(createUserToken, mine))).toBe('not-machine')
  expect((await admin(listUserTokens, { params: { user: 'builder' } })).items).toMatchObject([
    { name: 'ci', sources: ['127.0.0.0/8'], lastPeer: '127.0.0.1', current: false },
  ])
  await admin(deleteUserToken, { params: { user: 'builder', token: 'ci' } })
  expect(await typeOf(builder(getSession))).toBe('sign-in-required')
  expect(await typeOf(admin(deleteUserToken, { params: { user: 'builder', token: 'ci' } }))).toBe('not-found')
})

test('sessions of others are listed and ended by who may', async () => {
  const li = await made('li')
  const wang = await made('wang')
  expect(await typeOf(wang(listUserSessions, { params: { user: 'li' } }))).toBe('permission-missing')
  const { items } = await admin(listUserSessions, { params: { user: 'li' } })
  expect(items).toMatchObject([{ peer: '127.0.0.1', current: false }])
  const session = items[0]?.id ?? ''
  expect(await typeOf(wang(revokeUserSession, { params: { user: 'li', session } }))).toBe('permission-missing')
  await admin(revokeUserSession, { params: { user: 'li', session } })
  expect(await typeOf(li(getSession))).toBe('sign-in-required')
  expect(await typeOf(admin(revokeUserSession, { params: { user: 'li', session } }))).toBe('not-found')
  expect(await typeOf(admin(listUserSessions, { params: { user: 'nobody' } }))).toBe('not-found')
  expect(await typeOf(admin(listUserTokens, { params: { user: 'nobody' } }))).toBe('not-found')
})

test('users are listed by page, part of a name, kind, state and group', async () => {
  for (const name of ['li.wei', 'wang.fang', 'zhao']) await invite(name)
  await made('qian')
  await machine('builder')
  await admin(updateUser, { params: { user: 'zhao' }, body: { disabled: true, title: '100%' } })
  const names = async (query: Record<string, string | number>) => {
    const page = await admin(listUsers, { query })
    return [page.items.map(({ name }) => name).join(' '), page.total, page.continue]
  }
  expect(await names({})).toEqual(['admin builder li.wei qian wang.fang zhao', 6, undefined])
  expect(await names({ limit: 2 })).toEqual(['admin builder', 6, 'builder'])
  expect(await names({ limit: 2, continue: 'wang.fang' })).toEqual(['zhao', 6, undefined])
  expect(await names({ search: 'AN' })).toEqual(['qian wang.fang', 2, undefined])
  expect(await names({ search: '0%' })).toEqual(['zhao', 1, undefined])
  expect(await names({ search: '%' })).toEqual(['zhao', 1, undefined])
  expect(await names({ kind: 'machine' })).toEqual(['builder', 1, undefined])
  expect(await names({ state: 'disabled' })).toEqual(['zhao', 1, undefined])
  expect(await names({ state: 'invited' })).toEqual(['li.wei wang.fang', 2, undefined])
  expect(await names({ state: 'active' })).toEqual(['admin builder qian', 3, undefined])
  await admin(createGroup, { body: { name: 'night' } })
  await admin(addGroupMember, { params: { group: 'night', user: 'qian' } })
  expect(await names({ group: 'night' })).toEqual(['qian', 1, undefined])
})

test('what is not a name, a title or an address is refused at its field, and names are taken once', async () => {
  const refusal = async (body: object) =>
    (await problemOf(admin(createUser, { body: body as { name: string } }))).errors?.[0]?.pointer
  for (const name of ['', 'Li', 'li wei', '../li', 'li\n', 'а', '-li', 'system', 'unknown', 'x'.repeat(64)]) {
    expect([name, await refusal({ name })]).toEqual([name, '/body/name'])
  }
  expect(await refusal({ name: 'li', email: 'li' })).toBe('/body/email')
  expect(await refusal({ name: 'li', title: 'a\u202eb' })).toBe('/body/title')
  // A11: what only the platform may say.
  for (const member of ['source', 'sourceKey', 'groups', 'passwordHash', 'id', 'identity']) {
    expect(await refusal({ name: 'li', [member]: 'x' })).toBe(`/body/${member}`)
  }
  await invite('li')
  expect(await typeOf(invite('li'))).toBe('user-name-taken')
  expect(await typeOf(admin(updateUser, { params: { user: 'li' }, body: {} }))).toBe('invalid-input')
  expect(await typeOf(admin(getUser, { params: { user: 'nobody' } }))).toBe('not-found')
})

test('without the permission nobody makes, changes or deletes users and groups, but may know them with user.list', async () => {
  const li = await made('li')
  await permit('li', 'user.list')
  await li(listUsers)
  await li(listGroups)
  const user = { params: { user: 'admin' } }
  const refused = [
    li(createUser, { body: { name: 'x' } }),
    li(updateUser, { ...user, body: { title: 'x' } }),
    li(deleteUser, user),
    li(createPasswordLink, user),
    li(createUserToken, { ...user, body: { name: 'x' } }),
    li(createGroup, { body: { name: 'x' } }),
    li(addGroupMember, { params: { group: 'x', user: 'li' } }),
  ]
  for (const one of refused) expect(await typeOf(one)).toBe('permission-missing')
  const wang = await made('wang')
  expect(await typeOf(wang(listUsers))).toBe('permission-missing')
})

test('[TEN-01] users and groups of a sign-in provider are as the provider says and are changed there', async () => {
  const { db } = database
  await createAccount(db, { name: 'sun', source: 'keycloak', sourceKey: 'sub-1' })
  await sql`insert into user_group (name, source, "sourceKey") values ('dev', 'keycloak', '/dev')`.execute(db)
  await sql`insert into user_group_member select user_group.id, account.id from user_group, account
    where user_group.name = 'dev' and account.name = 'sun'`.execute(db)
  await admin(createGroup, { body: { name: 'night' } })
  await admin(addGroupMember, { params: { group: 'night', user: 'sun' } })
  expect(await admin(getUser, { params: { user: 'sun' } })).toMatchObject({
    source: 'keycloak',
    state: 'active',
    groups: ['dev', 'night'],
  })
  const change = { params: { group: 'dev', user: 'admin' } }
  expect(await typeOf(admin(addGroupMember, change))).toBe('not-local')
  expect(await typeOf(admin(removeGroupMember, change))).toBe('not-local')
  expect(await typeOf(admin(deleteGroup, { params: { group: 'dev' } }))).toBe('not-local')
  expect(await typeOf(admin(updateUser, { params: { user: 'sun' }, body: { title: 'x' } }))).toBe('not-local')
  expect(await typeOf(admin(createPasswordLink, { params: { user: 'sun' } }))).toBe('not-local')
  expect(await typeOf(signedIn('sun', password))).toBe('wrong-password')
  expect((await admin(listGroups, { query: { search: 'EV' } })).items).toMatchObject([
    { name: 'dev', source: 'keycloak', members: 1 },
  ])
})
