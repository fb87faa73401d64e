import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient, fetchWithCookies } from '@quarterdeck/client'
import { createServer, type Server } from '@quarterdeck/http'
import { type TestDatabase, testDatabase } from '@quarterdeck/testkit'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { grantAdministrator } from '../../../features/tenancy/grant/authority.store.ts'
import { groupRoutes } from '../../../features/tenancy/group/group.routes.ts'
import { authenticator } from '../../../features/tenancy/session/authenticate.routes.ts'
import { answerDeviceLogin } from '../../../features/tenancy/session/device.contract.ts'
import { createSession } from '../../../features/tenancy/session/session.contract.ts'
import { sessionRoutes } from '../../../features/tenancy/session/session.routes.ts'
import { endCredentials } from '../../../features/tenancy/session/token.store.ts'
import { setAdministratorPassword } from '../../../features/tenancy/user/administrator.routes.ts'
import { keepAnAdministrator, userRoutes } from '../../../features/tenancy/user/user.routes.ts'

const QD = join(import.meta.dirname, '../bin/qd.mjs')
const password = 'a ship in harbour'
let database: TestDatabase
let server: Server
let url: string
let home: string
const record = async () => undefined

beforeAll(async () => {
  database = await testDatabase()
  const { db } = database
  await setAdministratorPassword({ db, password, record, grantAdministrator, endCredentials })
  server = await createServer({ logLevel: 'silent', authenticate: authenticator({ db }) })
  const signIns = sessionRoutes(server, { db, record, url: () => url })
  const reach = { exceeds: () => undefined, refresh: async () => undefined }
  const { revoked } = signIns
  userRoutes(server, { db, record, reach, endCredentials, revoked, url: () => url })
  groupRoutes(server, { db, record, reach, keepAnAdministrator })
  url = await server.listen(0)
})
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'qd-'))
  return () => rmSync(home, { recursive: true })
})
afterAll(async () => {
  await server.close()
  await database.close()
})

/** Runs qd as a user does, in a process of its own. */
function qd(args: string[], { input = '', env = {} }: { input?: string; env?: Record<string, string> } = {}) {
  return new Promise<{ status: number | null; out: string; err: string }>((resolve) => {
    const child = spawn(process.execPath, [QD, ...args], {
      env: { PATH: process.env.PATH ?? '', HOME: home, XDG_CONFIG_HOME: home, ...env },
    })
    let [out, err] = ['', '']
    child.stdout.on('data', (bytes) => {
      out += bytes
    })
    child.stderr.on('data', (bytes) => {
      err += bytes
    })
    child.once('close', (status) => resolve({ status, out, err }))
    child.stdin.end(input)
  })
}
const login = () => qd(['login', '--server', url, '--user', 'admin', '--password-stdin'], { input: `${password}\n` })
const settingsFile = () => join(home, 'quarterdeck', 'config.json')

test('login keeps a token for what follows, and logout revokes it', async () => {
  const { status, out } = await login()
  expect([status, out]).toEqual([0, expect.stringContaining(url)])
  expect(statSync(settingsFile()).mode & 0o777).toBe(0o600)
  const { token } = JSON.parse(readFileSync(settingsFile(), 'utf8'))
  expect(out).not.toContain(token)
  const who = await qd(['whoami', '-o', 'json'])
  expect(JSON.parse(who.out)).toMatchObject({
    server: url,
    user: 'admin',
    kind: 'token',
    permissions: expect.arrayContaining(['user.create']),
  })
  expect((await qd(['logout'])).status).toBe(0)
  expect(readFileSync(settingsFile(), 'utf8')).not.toContain('qd_')
  expect((await qd(['whoami'], { env: { QUARTERDECK_SERVER: url, QUARTERDECK_TOKEN: token } })).status).toBe(3)
  expect((await qd(['logout'])).status).toBe(3)
})

test('login leaves one token and no session behind, however often', async () => {
  await login()
  await login()
  const { items } = JSON.parse((await qd(['token', 'list', '-o', 'json'])).out)
  expect(items).toHaveLength(1)
  const { db } = database
  const sessions = await db.withTables<{ session: { id: string } }>().selectFrom('session').select('id').execute()
  expect(sessions).toEqual([])
  await qd(['logout'])
})

test('a wrong password is told and ends with 3, a forgotten one with 2', async () => {
  const wrong = await qd(['login', '--server', url, '--password-stdin'], { input: 'wrong wrong\n' })
  expect([wrong.status, wrong.err, wrong.out]).toEqual([3, 'qd: User name or password is wrong\n', ''])
  expect((await qd(['login', '--server', url, '--password-stdin'])).status).toBe(2)
  expect((await qd(['login', '--server', url, '--user', 'admin'])).err).toContain('--password-stdin')
})

test('a token is never sent to another server than the one that gave it', async () => {
  await login()
  const elsewhere = await createServer({
    logLevel: 'silent',
    authenticate: async ({ token }) => {
      throw new Error(`got ${token}`)
    },
  })
  sessionRoutes(elsewhere, { db: database.db, record })
  const other = await elsewhere.listen(0)
  const { status, err } = await qd(['whoami', '--server', other])
  expect([status, err]).toEqual([3, expect.stringContaining('qd login')])
  await elsewhere.close()
  await qd(['logout'])
})

test('tokens are made, listed in three forms and revoked', async () => {
  await login()
  const made = await qd(['token', 'create', 'ci', '--permission', '*', '--days', '7', '-o', 'json'])
  const { secret } = JSON.parse(made.out)
  expect((await qd(['whoami'], { env: { QUARTERDECK_SERVER: url, QUARTERDECK_TOKEN: secret } })).status).toBe(0)
  const table = (await qd(['token', 'list'])).out
  expect(table).toMatch(/^NAME +PERMISSIONS +WITHIN +SOURCES +AGE/)
  expect(table).toMatch(/^ci +\* +- +- +\ds/m)
  expect((await qd(['token', 'list', '-o', 'yaml'])).out).toContain('name: ci')
  expect((await qd(['token', 'delete', 'ci'])).status).toBe(2)
  expect((await qd(['token', 'delete', 'ci', '--yes'])).status).toBe(0)
  const again = await qd(['token', 'delete', 'ci', '-y', '-o', 'json'])
  expect([again.status, JSON.parse(again.err).type]).toEqual([1, '/problems/not-found'])
  const capital = await qd(['token', 'create', 'CI'])
  expect([capital.status, capital.err]).toEqual([1, expect.stringContaining('/body/name')])
  await qd(['logout'])
})

test('[A42] login without a password waits until its code is confirmed in a browser', async () => {
  const child = spawn(process.execPath, [QD, 'login', '--server', url], {
    env: { PATH: process.env.PATH ?? '', HOME: home, XDG_CONFIG_HOME: home },
  })
  let [out, err] = ['', '']
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  child.stdout.on('data', (bytes) => {
    out += bytes
  })
  const code = await new Promise<string>((resolve) => {
    child.stderr.on('data', (bytes) => {
      err += bytes
      const found = /[B-Z]{4}-[B-Z]{4}/.exec(err)
      if (found) resolve(found[0])
    })
  })
  expect(err).toContain(`${url}/device`)
  const browser = createClient({ baseUrl: url, fetch: fetchWithCookies(url) })
  await browser(createSession, { body: { user: 'admin', password } })
  await browser(answerDeviceLogin, { body: { code, confirm: true } })
  expect(await ended).toBe(0)
  expect(out).toMatch(/user: +admin/)
  expect(JSON.parse((await qd(['whoami', '-o', 'json'])).out)).toMatchObject({ user: 'admin', kind: 'token' })
  await qd(['logout'])
})

test('users, groups and machine accounts are kept from the command line', async () => {
  await login()
  const invited = JSON.parse((await qd(['user', 'invite', 'li', '--title', '李伟', '-o', 'json'])).out)
  expect(invited).toMatchObject({
    name: 'li',
    title: '李伟',
    state: 'invited',
    link: expect.stringContaining('/password#'),
  })
  expect((await qd(['user', 'reset', 'li'])).out).toContain(`${url}/password#`)
  expect((await qd(['user', 'create-machine', 'builder'])).status).toBe(0)
  expect((await qd(['group', 'create', 'night'])).status).toBe(0)
  expect((await qd(['group', 'add', 'night', 'li', 'builder'])).status).toBe(0)
  expect((await qd(['user', 'list', '--group', 'night'])).out).toMatch(/^li +李伟 +user +invited +local +night/m)
  expect((await qd(['group', 'members', 'night'])).out).toMatch(/^builder/m)
  const token = ['token', 'create', 'ci', '--user', 'builder', '--source', '127.0.0.1', '-o', 'json']
  const tokenMade = await qd(token)
  expect(tokenMade).toMatchObject({ status: 0 })
  const { secret } = JSON.parse(tokenMade.out)
  const env = { QUARTERDECK_SERVER: url, QUARTERDECK_TOKEN: secret }
  expect(JSON.parse((await qd(['whoami', '-o', 'json'], { env })).out)).toMatchObject({ user: 'builder' })
  expect((await qd(['user', 'disable', 'builder', '-y'])).status).toBe(0)
  expect((await qd(['whoami'], { env })).status).toBe(3)
  expect((await qd(['user', 'enable', 'builder'])).status).toBe(0)
  expect((await qd(['token', 'list', '--user', 'builder'])).out).toMatch(/^ci .*127\.0\.0\.1/m)
  expect((await qd(['token', 'delete', 'ci', '--user', 'builder', '-y'])).status).toBe(0)
  expect((await qd(['group', 'remove', 'night', 'li', '-y'])).status).toBe(0)
  expect((await qd(['group', 'delete', 'night', '-y'])).status).toBe(0)
  expect((await qd(['user', 'delete', 'li'])).status).toBe(2)
  expect((await qd(['user', 'delete', 'li', '-y'])).status).toBe(0)
  expect((await qd(['user', 'delete', 'builder', '-y'])).status).toBe(0)
  const last = await qd(['user', 'delete', 'admin', '-y', '-o', 'json'])
  expect([last.status, JSON.parse(last.err).type]).toEqual([1, '/problems/last-administrator'])
  expect((await qd(['session', 'list'])).status).toBe(0)
  await qd(['logout'])
})

test('wrong usage ends with 2 and says what is right', async () => {
  const calls = [
    ['nope'],
    ['token', 'nope'],
    ['whoami', '-o', 'xml'],
    ['whoami', '--server', 'ftp://x'],
    ['token', 'create', 'x', '--days', '0'],
  ]
  for (const args of calls) expect([args, (await qd(args)).status]).toEqual([args, 2])
  writeFileSync(join(home, 'file'), 'not a folder')
  const broken = await qd(['whoami'], { env: { XDG_CONFIG_HOME: join(home, 'file') } })
  expect([broken.status, broken.err]).toEqual([2, expect.stringContaining('cannot be read')])
})

test('a kubeconfig is read from the file that is named, and a file that is not there is said', async () => {
  const missing = await qd(['cluster', 'add', 'prod', '--server', url, '--kubeconfig', join(home, 'gone')])
  expect([missing.status, missing.err]).toEqual([
    2,
    expect.stringContaining('gone cannot be read: there is no such file'),
  ])
  writeFileSync(join(home, 'large'), ' '.repeat(200_001))
  const large = await qd(['cluster', 'add', 'prod', '--server', url, '--kubeconfig', join(home, 'large')])
  expect([large.status, large.err]).toEqual([2, expect.stringContaining('--minify')])
})

test('a server that is not there is told with how to start it', async () => {
  const { status, err } = await qd(['whoami', '--server', 'http://127.0.0.1:9'])
  expect([status, err]).toEqual([1, expect.stringContaining('npm start')])
})

test('help and version need no server, and completion knows the commands', async () => {
  expect((await qd(['--help'])).out).toContain('token')
  expect((await qd(['version', '-o', 'json'])).out).toContain('"version"')
  const script = (await qd(['completion', 'bash'])).out
  const shell = spawn('bash', ['-c', `${script}\nCOMP_WORDS=(qd token cr) COMP_CWORD=2\n_qd\necho "\${COMPREPLY[@]}"`])
  const words = await new Promise<string>((resolve) => {
    let text = ''
    shell.stdout.on('data', (bytes) => {
      text += bytes
    })
    shell.once('close', () => resolve(text.trim()))
  })
  expect(words).toBe('create')
  // Which kinds there are only the server knows.
  expect(script).toMatch(/"qd get"\) words="[^"]*\$\(qd kinds --names 2>\/dev\/null\)"/)
})
