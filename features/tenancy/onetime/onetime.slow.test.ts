import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Client, createClient } from '@quarterdeck/client'
import { bind, createServer, type Server } from '@quarterdeck/http'
import { type AuditEntry, endpoint, type Problem, type Subject } from '@quarterdeck/kernel'
import { type KeyFile, openKeyFile } from '@quarterdeck/kube'
import { type TestDatabase, testDatabase } from '@quarterdeck/testkit'
import { sql } from 'kysely'
import { Secret, TOTP } from 'otpauth'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { problemOf, typeOf } from '../../../test/platform/problem.ts'
import {
  confirmOneTimePassword,
  enrolOneTimePassword,
  getVerification,
  listOneTimeRules,
  removeOneTimePassword,
  renewRecoveryCodes,
  resetOneTimePassword,
  setOneTimeRules,
  verifySession,
} from './onetime.contract.ts'
import { oneTimeRoutes } from './onetime.routes.ts'
import { type Codes, openCodes } from './step-up.routes.ts'

const boats = endpoint({
  id: 'boat.list',
  method: 'GET',
  path: '/environments/:environment/boats',
  permission: 'application.list',
  summary: 'Boats',
  params: z.object({ environment: z.string() }),
  response: z.null(),
})
const EXEMPT = [getVerification, verifySession, enrolOneTimePassword, confirmOneTimePassword]

let database: TestDatabase
let keyFolder: string
let keyFile: KeyFile
let time: number
let recorded: AuditEntry[]
/** By token. Two servers know the same, as two replicas do through the store. */
let subjects: Map<string, Subject>
let signedIn: string
let replicas: { server: Server; codes: Codes }[]
const now = () => new Date(time).toISOString()

beforeAll(async () => {
  database = await testDatabase()
  keyFolder = mkdtempSync(join(tmpdir(), 'quarterdeck-codes-'))
  keyFile = await openKeyFile(join(keyFolder, 'key'), { sealedRows: 0 })
})
beforeEach(async () => {
  await database.reset()
  recorded = []
  subjects = new Map()
  time = Date.parse('2026-11-21T08:00:00Z')
  signedIn = now()
  replicas = [await replica(), await replica()]
})
afterEach(async () => {
  for (const { server, codes } of replicas) {
    codes.close()
    await server.close()
  }
})
afterAll(async () => {
  rmSync(keyFolder, { recursive: true })
  await database.close()
})

async function replica() {
  const { db, store } = database
  const codes = openCodes({
    db,
    listen: store.listen,
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    onAuthorityChange: () => () => undefined,
    exempt: EXEMPT,
    now: () => time,
  })
  await codes.open()
  const server = await createServer({
    logLevel: 'silent',
    rateLimit: { burst: 100_000, perSecond: 100_000 },
    authenticate: async ({ token }) => subjects.get(token ?? ''),
    stepUp: codes.stepUp,
  })
  oneTimeRoutes(server, {
    db,
    sealer: keyFile,
    codes,
    now,
    record: async (_, entry) => void recorded.push(entry),
    async verifyCredential(_, { credentialId = '' }, verifyTime) {
      const subject = subjects.get(credentialId)
      if (subject) subjects.set(credentialId, { ...subject, verifyTime })
    },
    signInTimeOf: async () => signedIn,
    exceeds: ({ name }) => (name === 'helpdesk' ? 'do everything' : undefined),
    async checkPassword(_, password) {
      if (password !== 'a ship in harbour') throw new Error('wrong password')
    },
  })
  bind(server, boats, () => null)
  return { server, codes }
}

const at = (token: string, which = 0): Client =>
  createClient({ baseUrl: 'http://localhost', fetch: replicas[which]?.server.fetch as typeof fetch, token })

/** A new session of an account that is made when it is not there. */
async function session(name: string, token = name): Promise<Client> {
  await sql`insert into account (name) values (${name}) on conflict do nothing`.execute(database.db)
  const { rows } = await sql<{ id: string }>`select id from account where name = ${name}`.execute(database.db)
  subjects.set(token, { id: rows[0]?.id, name, kind: 'user', permissions: ['*'], credentialId: token })
  return at(token)
}
const codeOf = (secret: string, steps = 0) =>
  new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: time + steps * 30_000 })
/** Enrols, and lets a step pass so that the next code is another. */
async function enrol(client: Client) {
  const { secret } = await client(enrolOneTimePassword, { body: {} })
  const { recoveryCodes } = await client(confirmOneTimePassword, { body: { code: codeOf(secret) } })
  time += 60_000
  return { secret, recoveryCodes }
}
const sail = (client: Client, environment = 'shop-prod') => client(boats, { params: { environment } })

test('[TEN-03] whoever enrols gives a code once in every session from then on, on every replica', async () => {
  const li = await session('li')
  await sail(li)
  const { secret, uri } = await li(enrolOneTimePassword, { body: {} })
  expect(uri).toContain('otpauth://totp/Quarterdeck:li?')
  expect(uri).toContain(`secret=${secret}`)
  // Begun is not enrolled.
  expect(await li(getVerification)).toMatchObject({ enrolled: false, needed: false })
  await sail(await session('li', 'other'))
  const { recoveryCodes } = await li(confirmOneTimePassword, { body: { code: codeOf(secret) } })
  expect(recoveryCodes).toHaveLength(10)
  expect(await li(getVerification)).toMatchObject({ enrolled: true, recoveryCodesLeft: 10, needed: false })
  await sail(li)

  expect(await problemOf(sail(at('other')))).toMatchObject({
    type: '/problems/code-required',
    status: 403,
    enrolled: true,
  })
  await expect
    .poll(() =>
      sail(at('other', 1)).then(
        () => 'in',
        () => 'out',
      ),
    )
    .toBe('out')
  expect(await at('other')(getVerification)).toMatchObject({ needed: true })
  time += 60_000
  expect(await at('other')(verifySession, { body: { code: codeOf(secret) } })).toMatchObject({
    needed: false,
    verifyTime: now(),
  })
  await sail(at('other'))
  await sail(at('other', 1))
  expect(recorded.map(({ act, outcome, actor }) => [act, outcome, actor])).toEqual([
    ['one-time-password.enrol', 'succeeded', 'li'],
    ['one-time-password.confirm', 'succeeded', 'li'],
    ['session.verify', 'succeeded', 'li'],
  ])
  expect(JSON.stringify(recorded)).not.toContain(secret)
})

test('[A39][F27] one step either side counts by the clock of the server, and no further', async () => {
  const li = await session('li')
  const { secret } = await enrol(li)
  time = Date.parse('2026-11-21T09:00:15Z')
  for (const steps of [-5, -2, 2, 5]) {
    const code = codeOf(secret, steps)
    if ([-1, 0, 1].some((near) => codeOf(secret, near) === code)) continue
    expect([steps, await typeOf(li(verifySession, { body: { code } }))]).toEqual([steps, 'wrong-code'])
  }
  for (const steps of [-1, 0, 1]) await li(verifySession, { body: { code: codeOf(secret, steps) } })
})

test('[A39][F27] a code counts once, on all replicas together, however many ask at once', async () => {
  const li = await session('li')
  const { secret } = await enrol(li)
  const body = { code: codeOf(secret) }
  const all = await Promise.all(
    Array.from({ length: 6 }, (_, index) =>
      at('li', index % 2)(verifySession, { body }).then(
        () => 'right',
        (error) => (error as Problem).body.type,
      ),
    ),
  )
  expect(all.filter((one) => one === 'right')).toHaveLength(1)
  expect(all.filter((one) => one === '/problems/wrong-code' || one === '/problems/too-many-requests')).toHaveLength(5)
  // A clock that is set back does not bring a used code back.
  time -= 30_000
  expect(['wrong-code', 'too-many-requests']).toContain(await typeOf(li(verifySession, { body })))
  const { rows } = await sql<{ count: number }>`select count(*)::int as count from used_step`.execute(database.db)
  expect(rows[0]?.count).toBe(2)
})

test('[A39] after five wrong codes one is looked at in thirty seconds, whichever replica is asked', async () => {
  const li = await session('li')
  const { secret } = await enrol(li)
  const wrong = codeOf(secret, 900)
  const attempts = await Promise.all(
    Array.from({ length: 20 }, (_, index) => typeOf(at('li', index % 2)(verifySession, { body: { code: wrong } }))),
  )
  expect(attempts.filter((one) => one === 'wrong-code')).toHaveLength(5)
  expect(attempts.filter((one) => one === 'too-many-requests')).toHaveLength(15)
  const right = { body: { code: codeOf(secret) } }
  expect(await problemOf(at('li', 1)(verifySession, right))).toMatchObject({ status: 429, retryAfterSeconds: 30 })
  time += 30_000
  await li(verifySession, { body: { code: codeOf(secret) } })
  expect(recorded.filter(({ outcome }) => outcome === 'failed')).toHaveLength(5)
  // Others are not held up.
  const wang = await session('wang')
  await enrol(wang)
})

test('[A39] a code of somebody else is wrong', async () => {
  const ofLi = await enrol(await session('li'))
  await enrol(await session('wang'))
  const wang = await session('wang', 'wang-2')
  expect(await typeOf(wang(verifySession, { body: { code: codeOf(ofLi.secret) } }))).toBe('wrong-code')
  const [recovery = ''] = ofLi.recoveryCodes
  expect(await typeOf(wang(verifySession, { body: { code: recovery } }))).toBe('wrong-code')
})

test('[A39] each recovery code counts once, and new ones replace them', async () => {
  const li = await session('li')
  const { secret, recoveryCodes } = await enrol(li)
  const [first = '', second = ''] = recoveryCodes
  await session('li', 'lost')
  expect(await at('lost')(verifySession, { body: { code: first.toLowerCase() } })).toMatchObject({
    recoveryCodesLeft: 9,
  })
  expect(await typeOf(li(verifySession, { body: { code: first } }))).toBe('wrong-code')
  const renewed = await li(renewRecoveryCodes, { body: { code: codeOf(secret) } })
  expect(await typeOf(li(verifySession, { body: { code: second } }))).toBe('wrong-code')
  expect(await li(verifySession, { body: { code: renewed.recoveryCodes[0] ?? '' } })).toMatchObject({
    recoveryCodesLeft: 9,
  })
  const { rows } = await sql<{
    row: string
  }>`select row_to_json(recovery_code)::text as row from recovery_code`.execute(database.db)
  for (const code of renewed.recoveryCodes) expect(JSON.stringify(rows)).not.toContain(code.replaceAll('-', ''))
})

test('[A39] enrolling takes a fresh sign-in or the password; the secret is told once and is sealed', async () => {
  const li = await session('li')
  time += 5 * 60_000
  expect(await typeOf(li(enrolOneTimePassword, { body: {} }))).toBe('sign-in-not-fresh')
  const begun = await li(enrolOneTimePassword, { body: { password: 'a ship in harbour' } })
  const again = await li(enrolOneTimePassword, { body: { password: 'a ship in harbour' } })
  expect(again.secret).not.toBe(begun.secret)
  expect(await typeOf(li(confirmOneTimePassword, { body: { code: codeOf(begun.secret) } }))).toBe('wrong-code')
  await li(confirmOneTimePassword, { body: { code: codeOf(again.secret) } })
  expect(await typeOf(li(enrolOneTimePassword, { body: { password: 'a ship in harbour' } }))).toBe('already-enrolled')
  const { rows } = await sql<{ sealed: string; account: string }>`
    select "sealedSecret" as sealed, account from one_time_password`.execute(database.db)
  expect(rows[0]?.sealed).not.toContain(again.secret)
  expect(keyFile.open(rows[0]?.sealed ?? '', `one-time-password/${rows[0]?.account}`)).toBe(again.secret)
  const limited = { ...(subjects.get('li') as Subject), permissions: ['application.list'], kind: 'token' as const }
  subjects.set('limited', limited)
  expect(await typeOf(at('limited')(enrolOneTimePassword, { body: {} }))).toBe('permission-missing')
})

test('[TEN-03] removing takes a code; an administrator resets what somebody has lost, and that is recorded', async () => {
  const li = await session('li')
  const { secret } = await enrol(li)
  expect(await typeOf(li(removeOneTimePassword, { body: { code: '000000' } }))).toBe('wrong-code')
  await li(removeOneTimePassword, { body: { code: codeOf(secret) } })
  await sail(await session('li', 'later'))
  await enrol(await session('li'))
  await session('li', 'lost')
  expect(await typeOf(sail(at('lost')))).toBe('code-required')
  const helpdesk = await session('helpdesk')
  expect(await typeOf(helpdesk(resetOneTimePassword, { params: { user: 'li' } }))).toBe('reaches-further')
  const admin = await session('admin')
  await admin(resetOneTimePassword, { params: { user: 'li' } })
  await sail(at('lost'))
  expect(recorded.at(-1)).toMatchObject({
    actor: 'admin',
    act: 'one-time-password.reset',
    what: 'one-time password of li',
  })
  expect(await typeOf(admin(resetOneTimePassword, { params: { user: 'li' } }))).toBe('not-enrolled')
  expect(await typeOf(admin(resetOneTimePassword, { params: { user: 'nobody' } }))).toBe('not-enrolled')
})

test('[TEN-03] rules ask for a code by stage and age, from the moment they are set, on every replica', async () => {
  await sql`insert into environment (name, cluster, namespace, stage, "createTime", operation, state) values
    ('shop-prod', 'one', 'shop-prod', 'prod', now(), gen_random_uuid(), 'Ready'),
    ('shop-dev', 'one', 'shop-dev', 'dev', now(), gen_random_uuid(), 'Ready')`.execute(database.db)
  const admin = await session('admin')
  const wang = await session('wang')
  const rule = { roles: [], stages: ['prod' as const], acts: ['application.list'], maxAgeMinutes: 15 }
  await admin(setOneTimeRules, { body: { rules: [rule] } })
  expect(await admin(listOneTimeRules)).toEqual({ rules: [rule] })
  expect(await problemOf(sail(wang))).toMatchObject({
    type: '/problems/code-required',
    enrolled: false,
    maxAgeMinutes: 15,
  })
  await expect
    .poll(() =>
      sail(at('wang', 1)).then(
        () => 'in',
        () => 'out',
      ),
    )
    .toBe('out')
  await sail(wang, 'shop-dev')
  const { secret } = await enrol(wang)
  await sail(wang)
  time += 16 * 60_000
  expect(await problemOf(sail(wang))).toMatchObject({ enrolled: true, maxAgeMinutes: 15 })
  await wang(verifySession, { body: { code: codeOf(secret) } })
  await sail(wang)
  const wrong = { ...rule, acts: ['boat.sail'], roles: ['ghost'] }
  expect(
    (await problemOf(admin(setOneTimeRules, { body: { rules: [wrong] } }))).errors?.map(({ pointer }) => pointer),
  ).toEqual(['/body/rules/0/roles/0', '/body/rules/0/acts/0'])
  await admin(setOneTimeRules, { body: { rules: [] } })
  time += 3_600_000
  await sail(wang)
})

test('nothing but what is exempt is answered before it is known who has to give a code', async () => {
  const { db, store } = database
  const codes = openCodes({
    db,
    listen: store.listen,
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    onAuthorityChange: () => () => undefined,
    exempt: EXEMPT,
  })
  const subject: Subject = { id: 'x', name: 'x', kind: 'user', permissions: ['*'] }
  expect(codes.stepUp(subject, boats, {})?.body.status).toBe(503)
  expect(codes.stepUp(subject, verifySession, {})).toBeUndefined()
  await codes.open()
  expect(codes.stepUp(subject, boats, {})).toBeUndefined()
  codes.close()
})
