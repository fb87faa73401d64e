import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer, type Server } from '@quarterdeck/http'
import { type TestDatabase, testDatabase } from '@quarterdeck/testkit'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { grantAdministrator } from '../../../features/tenancy/grant/authority.store.ts'
import { authenticator } from '../../../features/tenancy/session/authenticate.routes.ts'
import { sessionRoutes } from '../../../features/tenancy/session/session.routes.ts'
import { endCredentials } from '../../../features/tenancy/session/token.store.ts'
import { setAdministratorPassword } from '../../../features/tenancy/user/administrator.routes.ts'

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
  sessionRoutes(server, { db, record })
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
  expect(JSON.parse(who.out)).toMatchObject({ server: url, user: 'admin', kind: 'token', permissions: expect.arrayContaining(['user.create']) })
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
  expect((await qd(['login', '--server', url])).err).toContain('--password-stdin')
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
  expect(table).toMatch(/^NAME +PERMISSIONS +AGE/)
  expect(table).toMatch(/^ci +\* +\ds/m)
  expect((await qd(['token', 'list', '-o', 'yaml'])).out).toContain('name: ci')
  expect((await qd(['token', 'delete', 'ci'])).status).toBe(2)
  expect((await qd(['token', 'delete', 'ci', '--yes'])).status).toBe(0)
  const again = await qd(['token', 'delete', 'ci', '-y', '-o', 'json'])
  expect([again.status, JSON.parse(again.err).type]).toEqual([1, '/problems/not-found'])
  const capital = await qd(['token', 'create', 'CI'])
  expect([capital.status, capital.err]).toEqual([1, expect.stringContaining('/body/name')])
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
