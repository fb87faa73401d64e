import { createServer as createTcp, type Socket, type Server as TcpServer } from 'node:net'
import { type Client, createClient, fetchWithCookies } from '@quarterdeck/client'
import { createServer, type Server } from '@quarterdeck/http'
import type { AuditEntry } from '@quarterdeck/kernel'
import {
  directoryPossible,
  startDirectory,
  type TestDatabase,
  type TestDirectory,
  testDatabase,
} from '@quarterdeck/testkit'
import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { problemOf, typeOf } from '../../../test/platform/problem.ts'
import { authenticator } from '../session/authenticate.routes.ts'
import { createSession, getSession, wrongPassword } from '../session/session.contract.ts'
import { sessionRoutes } from '../session/session.routes.ts'
import { countProviderSessions, endProviderSessions } from '../session/session.store.ts'
import { openOidcClients } from './oidc-client.routes.ts'
import { createProvider, listProviders, syncProvider, testProvider, updateProvider } from './provider.contract.ts'
import { providerReconciler } from './provider.reconciler.ts'
import { providerRoutes } from './provider.routes.ts'
import { registrationsOf } from './registration.routes.ts'
import { signInRoutes } from './sign-in.routes.ts'
import { directorySync } from './sync.routes.ts'

const url = 'http://localhost'
let database: TestDatabase
let directory: TestDirectory
let server: Server
let recorded: AuditEntry[]
let admin: Client
let sync: (provider: string) => Promise<string>
let time: number
const now = () => new Date(time).toISOString()
const sealed = {
  seal: (text: string, owner: string) => `${owner}|${text}`,
  open: (text: string) => text.split('|')[1] ?? '',
}

const PEOPLE = `dn: dc=example,dc=com
changetype: add
objectClass: dcObject
objectClass: organization
o: Example
dc: example

dn: ou=people,dc=example,dc=com
changetype: add
objectClass: organizationalUnit
ou: people

dn: ou=groups,dc=example,dc=com
changetype: add
objectClass: organizationalUnit
ou: groups

dn: cn=reader,dc=example,dc=com
changetype: add
objectClass: person
cn: reader
sn: reader
userPassword: reads people

${['li', 'wang', 'zhao'].map(personOf).join('\n')}
${['ops', 'dev'].map((name) => groupOf(name, name === 'ops' ? ['li', 'wang'] : ['wang'])).join('\n')}`

function personOf(uid: string) {
  return `dn: uid=${uid},ou=people,dc=example,dc=com
changetype: add
objectClass: inetOrgPerson
uid: ${uid}
cn: ${uid.toUpperCase()} (Example)
sn: ${uid}
mail: ${uid}@example.com
userPassword: password of ${uid}
`
}
function groupOf(cn: string, members: string[]) {
  return `dn: cn=${cn},ou=groups,dc=example,dc=com
changetype: add
objectClass: groupOfNames
cn: ${cn}
${members.map((uid) => `member: uid=${uid},ou=people,dc=example,dc=com`).join('\n')}
`
}

describe.skipIf(!directoryPossible())('a directory', () => {
  beforeAll(async () => {
    database = await testDatabase()
  })
  beforeEach(async () => {
    directory = await startDirectory()
    directory.ldif(PEOPLE)
    await database.reset()
    recorded = []
    time = Date.parse('2026-11-21T08:00:00Z')
    const { db } = database
    server = await createServer({
      logLevel: 'silent',
      async authenticate(credential, options) {
        if (credential.token === 'admin') return { name: 'admin', kind: 'user', permissions: ['*'] }
        return authenticator({ db })(credential, options)
      },
    })
    const record = async (_: unknown, entry: AuditEntry) => void recorded.push(entry)
    const registrations = registrationsOf(db, sealed, () => url)
    const clients = openOidcClients()
    const options = { db, registrations, clients, record, sealer: sealed, baseUrl: () => url, now }
    const changed = async () => undefined
    const signIns = sessionRoutes(server, {
      db,
      record,
      async signInElsewhere(provider, user, password) {
        const account = await others.bySource(provider, user, password)
        if (account !== undefined) return account
        throw wrongPassword({ detail: 'User name or password is wrong' })
      },
      holdProvider: (tx, provider) => others.hold(tx, provider),
      otherProviders: () => others.anyEnabled(),
    })
    const others = signInRoutes(server, { ...options, signIn: signIns.signIn, changed })
    sync = directorySync({ db, registrations, record, changed, now })
    const sessions = { count: () => countProviderSessions(db, now()), end: endProviderSessions }
    providerRoutes(server, { ...options, sync, sessions, revoked: () => undefined })
    admin = createClient({ baseUrl: url, fetch: server.fetch, token: 'admin' })
  })
  afterEach(async () => {
    await server.close()
    await directory.close()
  })
  afterAll(() => database.close())

  const settingsOf = (some: object = {}) => ({
    kind: 'ldap' as const,
    url: directory.tlsUrl,
    authorities: directory.authority,
    bindDn: 'cn=reader,dc=example,dc=com',
    baseDn: 'ou=people,dc=example,dc=com',
    groupBaseDn: 'ou=groups,dc=example,dc=com',
    ...some,
  })
  const connect = (some: object = {}, secret: string | undefined = 'reads people') =>
    admin(createProvider, {
      body: { name: 'corp', title: 'Corp', settings: settingsOf(some), ...(secret === '' ? {} : { secret }) },
    })
  const browser = () => createClient({ baseUrl: url, fetch: fetchWithCookies(url, server.fetch) })
  const signIn = (user: string, password = `password of ${user}`, client = browser()) =>
    client(createSession, { body: { user, password, provider: 'corp' } })
  const groupsOf = async (name: string) =>
    (
      await sql<{ name: string }>`select g.name from user_group g join user_group_member m on m."group" = g.id
        join account a on a.id = m.account where a.name = ${name} order by 1`.execute(database.db)
    ).rows.map((row) => row.name)

  test('[TEN-01] somebody signs in with the password of the directory, over ldaps or StartTLS, with their groups', async () => {
    await connect()
    const client = browser()
    expect(await signIn('li', undefined, client)).toMatchObject({ user: 'li', source: 'corp', title: 'LI (Example)' })
    expect(await client(getSession)).toMatchObject({ user: 'li', groups: ['ops'] })
    expect((await signIn('WANG', 'password of wang')).user).toBe('wang')
    expect(await groupsOf('wang')).toEqual(['dev', 'ops'])
    const settings = settingsOf({ url: directory.url })
    await admin(updateProvider, {
      params: { provider: 'corp' },
      body: { title: 'Corp', settings, secret: 'reads people' },
    })
    expect((await signIn('li')).user).toBe('li')
    const { rows } = await sql`select from account`.execute(database.db)
    expect(rows).toHaveLength(2)
  })

  test('[A45] a wrong password and somebody unknown are told alike; an empty password is none', async () => {
    await connect()
    const told = async (user: string, password: string) => {
      const { detail, status, type } = await problemOf(signIn(user, password))
      return { detail, status, type }
    }
    const wrong = await told('li', 'wrong')
    expect(wrong).toMatchObject({ type: '/problems/wrong-password', status: 401 })
    expect(await told('nobody', 'wrong')).toEqual(wrong)
    expect((await problemOf(signIn('li', ''))).status).toBe(400)
    const { rows } = await sql`select from account`.execute(database.db)
    expect(rows).toHaveLength(0)
  })

  test('[A38] what is typed finds nobody else: no filter, no wildcard, no entry by its name', async () => {
    await connect()
    for (const user of [
      '*',
      'l*',
      '*)(uid=*))(|(uid=*',
      'li)(uid=li',
      'li\\2a',
      '\\6c\\69',
      'uid=li,ou=people,dc=example,dc=com',
      'li\u0000',
    ]) {
      const { status } = await problemOf(signIn(user, 'password of li'))
      expect([user, [400, 401]]).toEqual([user, expect.arrayContaining([status])])
    }
  })

  test('[A38] nothing is said before TLS is up, and a certificate of somebody else is not accepted', async () => {
    const heard: Buffer[] = []
    // Takes no TLS: refuses the request to begin it, and listens to what comes then.
    const plain = await listening((socket) => {
      socket.on('data', (piece: Buffer) => {
        heard.push(piece)
        // ExtendedResponse, protocolError.
        socket.write(
          Buffer.from([0x30, 0x0c, 0x02, 0x01, piece[4] ?? 1, 0x78, 0x07, 0x0a, 0x01, 0x02, 0x04, 0x00, 0x04, 0x00]),
        )
      })
    })
    await connect({ url: `ldap://127.0.0.1:${plain.port}` })
    expect(await typeOf(signIn('li'))).toBe('provider-unavailable')
    expect(heard.length).toBeGreaterThan(0)
    expect(Buffer.concat(heard).toString('latin1')).not.toMatch(/reader|password|li@/)
    await plain.close()
    const change = (some: object) =>
      admin(updateProvider, {
        params: { provider: 'corp' },
        body: { title: 'Corp', settings: settingsOf(some), secret: 'reads people' },
      })
    await change({ authorities: undefined })
    expect(await problemOf(signIn('li'))).toMatchObject({ status: 502, detail: expect.stringContaining('certificate') })
    await change({ authorities: undefined, url: directory.url })
    expect(await typeOf(signIn('li'))).toBe('provider-unavailable')
    await change({ url: directory.tlsUrl.replace('127.0.0.1', 'localhost') })
    expect((await signIn('li')).user).toBe('li')
  })

  test('[A38] a reference to another server is not followed', async () => {
    const asked: number[] = []
    const other = await listening(() => void asked.push(1))
    directory.ldif(`dn: ou=elsewhere,ou=people,dc=example,dc=com
changetype: add
objectClass: referral
objectClass: extensibleObject
ou: elsewhere
ref: ldap://127.0.0.1:${other.port}/ou=people,dc=example,dc=com
`)
    await connect()
    expect((await signIn('li')).user).toBe('li')
    expect(await typeOf(signIn('nobody', 'x'))).toBe('wrong-password')
    expect(asked).toEqual([])
    await other.close()
  })

  test('[TEN-04] the connection test says which step fails', async () => {
    await connect()
    const steps = async (some: object, secret = 'reads people', user?: string) => {
      await admin(updateProvider, {
        params: { provider: 'corp' },
        body: { title: 'Corp', settings: settingsOf(some), secret },
      })
      const answer = await admin(testProvider, {
        params: { provider: 'corp' },
        body: user === undefined ? {} : { user },
      })
      return answer.steps.map(({ step, succeeded }) => `${step} ${succeeded ? 'well' : 'failed'}`)
    }
    const well = ['address well', 'connection well', 'bind well', 'search well', 'groups well']
    expect(await steps({})).toEqual(well)
    expect(await steps({ url: directory.url }, undefined, 'wang')).toEqual(well)
    expect(await steps({ url: 'ldaps://nowhere.invalid' })).toEqual(['address failed'])
    expect(await steps({ url: 'ldaps://127.0.0.1:1' })).toEqual(['address well', 'connection failed'])
    expect(await steps({ authorities: undefined })).toEqual(['address well', 'connection failed'])
    expect(await steps({}, 'wrong')).toEqual(['address well', 'connection well', 'bind failed'])
    expect(await steps({ baseDn: 'ou=nowhere,dc=example,dc=com' })).toEqual([...well.slice(0, 3), 'search failed'])
    expect(await steps({ keyAttribute: 'employeeNumber' })).toEqual([...well.slice(0, 3), 'search failed'])
    expect(await steps({}, undefined, 'nobody')).toEqual([...well.slice(0, 3), 'search failed'])
    expect(await steps({ groupBaseDn: 'ou=nowhere,dc=example,dc=com' })).toEqual([...well.slice(0, 4), 'groups failed'])
  }, 30_000)

  test('[A46] whoever has gone is disabled, whoever is back enabled, and groups follow; those disabled by hand stay so', async () => {
    await connect()
    for (const user of ['li', 'wang', 'zhao']) await signIn(user)
    await sql`update account set "disableTime" = now() where name = 'zhao'`.execute(database.db)
    directory.ldif(`dn: uid=li,ou=people,dc=example,dc=com
changetype: delete

dn: cn=dev,ou=groups,dc=example,dc=com
changetype: modify
replace: member
member: uid=zhao,ou=people,dc=example,dc=com
`)
    const disabled = async () =>
      (
        await sql<{ name: string }>`select name from account where "disableTime" is not null order by 1`.execute(
          database.db,
        )
      ).rows.map(({ name }) => name)
    const { message } = await admin(syncProvider, { params: { provider: 'corp' } })
    expect(message).toContain('1 disabled')
    expect(await disabled()).toEqual(['li', 'zhao'])
    expect(await groupsOf('wang')).toEqual(['ops'])
    expect(recorded).toContainEqual(
      expect.objectContaining({ act: 'provider.disable-user', what: 'user li', actor: 'quarterdeck' }),
    )
    expect(await typeOf(signIn('li'))).toBe('wrong-password')
    expect((await admin(listProviders)).items[0]).toMatchObject({ syncTime: now(), syncMessage: message })
    // Again changes nothing.
    const count = recorded.length
    expect(await sync('corp')).toContain('0 in other groups, 0 disabled, 0 enabled')
    expect(recorded).toHaveLength(count)
    // Somebody of the same name is somebody else.
    directory.ldif(personOf('li'))
    await sync('corp')
    expect(await disabled()).toEqual(['li', 'zhao'])
    expect((await signIn('li')).user).toBe('li-2')
  })

  test('[A46] whoever is back under the same key is enabled again', async () => {
    await connect({ userFilter: '(&(objectClass=inetOrgPerson)(!(title=left))(uid={user}))' })
    await signIn('li')
    const title = (value: string) =>
      directory.ldif(`dn: uid=li,ou=people,dc=example,dc=com\nchangetype: modify\nreplace: title\ntitle: ${value}\n`)
    title('left')
    expect(await sync('corp')).toContain('1 disabled')
    title('back')
    expect(await sync('corp')).toContain('1 enabled again')
    expect((await signIn('li')).user).toBe('li')
  })

  test('[A46] a directory that is not reached, or that has lost everybody, disables nobody', async () => {
    await connect()
    const many = Array.from({ length: 12 }, (_, at) => `p${at}`)
    directory.ldif(many.map(personOf).join('\n'))
    const registered = many.map((uid) =>
      sql`select provider_account('corp', ${`gone-${uid}`}, ${uid}, null, null)`.execute(database.db),
    )
    await Promise.all(registered)
    expect(await sync('corp')).toContain('taken for a mistake')
    await directory.stop()
    await expect(sync('corp')).rejects.toThrow()
    expect((await admin(listProviders)).items[0]?.syncMessage).toContain('could not be compared')
    const { rows } = await sql`select from account where "disableTime" is not null`.execute(database.db)
    expect(rows).toHaveLength(0)
  })

  test('directories are compared every fifteen minutes, and one that is switched off not at all', async () => {
    await connect()
    const asked: string[] = []
    const reconciler = providerReconciler({
      db: database.db,
      now: () => time,
      askAgain: async () => undefined,
      sync: async (name) => {
        asked.push(name)
        return sync(name)
      },
    })
    const signal = new AbortController().signal
    expect(await reconciler.keys()).toEqual(['corp'])
    expect(await reconciler.reconcile('corp', { signal })).toEqual({ requeueAfterSeconds: 900 })
    time += 600_000
    expect(await reconciler.reconcile('corp', { signal })).toEqual({ requeueAfterSeconds: 300 })
    time += 300_000
    await reconciler.reconcile('corp', { signal })
    expect(asked).toEqual(['corp', 'corp'])
    await admin(updateProvider, {
      params: { provider: 'corp' },
      body: { title: 'Corp', enabled: false, settings: settingsOf() },
    })
    expect(await reconciler.keys()).toEqual([])
    expect(await reconciler.reconcile('corp', { signal })).toEqual({})
  })

  test('[F40] a directory that is silent is told within five seconds, nothing is left open, and it works again once it is back', async () => {
    await connect()
    const open = new Set<Socket>()
    const silent = await listening((socket) => {
      open.add(socket)
      socket.resume()
      socket.on('close', () => open.delete(socket))
    })
    const change = (some: object) =>
      admin(updateProvider, {
        params: { provider: 'corp' },
        body: { title: 'Corp', settings: settingsOf(some), secret: 'reads people' },
      })
    for (const scheme of ['ldap', 'ldaps']) {
      await change({ url: `${scheme}://127.0.0.1:${silent.port}` })
      const began = performance.now()
      const all = await Promise.all(Array.from({ length: 5 }, (_, at) => typeOf(signIn(`u${at}`, 'x'))))
      expect(performance.now() - began).toBeLessThan(5_500)
      expect(new Set(all)).toEqual(new Set(['provider-unavailable']))
      await expect.poll(() => open.size).toBe(0)
    }
    await silent.close()
    await change({})
    await directory.stop()
    expect(await problemOf(signIn('li'))).toMatchObject({
      status: 502,
      detail: expect.stringContaining('password of this platform'),
    })
    await directory.start()
    expect((await signIn('li')).user).toBe('li')
  }, 40_000)
})

async function listening(fn: (socket: Socket) => void): Promise<{ port: number; close(): Promise<void> }> {
  const sockets = new Set<Socket>()
  const tcp: TcpServer = createTcp((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    fn(socket)
  })
  await new Promise<void>((done) => tcp.listen(0, '127.0.0.1', done))
  return {
    port: (tcp.address() as { port: number }).port,
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((done) => tcp.close(done))
    },
  }
}
