import { createClient } from '@quarterdeck/client'
import { type Credential, createServer, type Server } from '@quarterdeck/http'
import { type TestDatabase, testDatabase } from '@quarterdeck/testkit'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { grantAdministrator } from '../grant/authority.store.ts'
import { setAdministratorPassword } from '../user/administrator.routes.ts'
import { changePassword } from '../user/password.contract.ts'
import { passwordRoutes } from '../user/password.routes.ts'
import { openSignIns, type SignIns } from './authenticate.routes.ts'
import { deleteSession, listSessions, revokeSession } from './session.contract.ts'
import { sessionRoutes } from './session.routes.ts'
import { createToken, deleteToken } from './token.contract.ts'
import { endCredentials } from './token.store.ts'

const url = 'http://localhost'
const peer = '127.0.0.1'
const password = 'a ship in harbour'
const record = async () => undefined
// Time stands still unless a test moves it, so that nothing is forgotten merely because a second has passed.
let time: number
const now = () => new Date(time).toISOString()
let database: TestDatabase
let server: Server
/** What this process remembers, and what another one on the same database does. */
let here: SignIns
let there: SignIns

beforeAll(async () => {
  database = await testDatabase()
  ;[here, there] = await Promise.all([open(), open()])
})
beforeEach(async () => {
  await database.reset()
  time = Date.parse('2026-11-21T08:00:00Z')
  await setAdministratorPassword({ db: database.db, password, record, grantAdministrator, endCredentials })
  server = await createServer({ logLevel: 'silent', authenticate: here.authenticate })
  const { db } = database
  const signIns = sessionRoutes(server, { db, now, record, revoked: here.forget })
  passwordRoutes(server, { db, now, record, signIns, grantAdministrator })
})
afterAll(async () => {
  here.close()
  there.close()
  await database.close()
})

async function open(): Promise<SignIns> {
  const listening = Promise.withResolvers<void>()
  const signIns = openSignIns({
    db: database.db,
    now,
    listen: (channel, fn) =>
      database.store.listen(channel, (payload) => {
        fn(payload)
        if (payload === undefined) listening.resolve()
      }),
  })
  await listening.promise
  return signIns
}

async function signIn(): Promise<{ session: string }> {
  const payload = { user: 'admin', password }
  const answer = await server.fastify.inject({ method: 'POST', url: '/api/v1/session', payload })
  return { session: answer.cookies[0]?.value ?? '' }
}
/** A page of ours in the browser that has this session. */
const browser = ({ session }: { session: string }) =>
  createClient({
    baseUrl: url,
    fetch: (input, init) => {
      const headers = { ...(init?.headers as object), origin: url, cookie: `session-80=${session}` }
      return server.fetch(input, { ...init, headers })
    },
  })
const isSignedIn = async (at: SignIns, credential: Credential) =>
  (await at.authenticate(credential, { passive: false, peer })) !== undefined

test("an office behind one address signs in at nine: whoever knows the password uses up nobody else's attempts", async () => {
  for (let person = 0; person < 35; person++) expect((await signIn()).session).not.toBe('')
})

test('[SCL-02] who is signed in is not asked of the database at each request, and for a second at most', async () => {
  const credential = await signIn()
  expect(await isSignedIn(here, credential)).toBe(true)
  // Behind everybody's back.
  await sql`delete from session`.execute(database.db)
  time += 999
  expect(await isSignedIn(here, credential)).toBe(true)
  time += 1
  expect(await isSignedIn(here, credential)).toBe(false)
})

test('whoever signs out is refused from the next request on, here and in every other process', async () => {
  const credential = await signIn()
  expect([await isSignedIn(here, credential), await isSignedIn(there, credential)]).toEqual([true, true])
  await browser(credential)(deleteSession)
  expect(await isSignedIn(here, credential)).toBe(false)
  await expect.poll(() => isSignedIn(there, credential)).toBe(false)
})

test('a session that is ended from elsewhere is refused at once', async () => {
  const [mine, other] = [await signIn(), await signIn()]
  await Promise.all([isSignedIn(here, other), isSignedIn(there, other)])
  const { items } = await browser(mine)(listSessions)
  for (const { id, current } of items) {
    if (!current) await browser(mine)(revokeSession, { params: { session: id } })
  }
  expect([await isSignedIn(here, other), await isSignedIn(here, mine)]).toEqual([false, true])
  await expect.poll(() => isSignedIn(there, other)).toBe(false)
})

test('a revoked token is refused at once', async () => {
  const mine = browser(await signIn())
  const { secret: token } = await mine(createToken, { body: { name: 'ci' } })
  expect([await isSignedIn(here, { token }), await isSignedIn(there, { token })]).toEqual([true, true])
  await mine(deleteToken, { params: { token: 'ci' } })
  expect(await isSignedIn(here, { token })).toBe(false)
  await expect.poll(() => isSignedIn(there, { token })).toBe(false)
})

test('a changed password ends what is remembered of other sessions', async () => {
  const [mine, other] = [await signIn(), await signIn()]
  await Promise.all([isSignedIn(here, other), isSignedIn(there, other)])
  await browser(mine)(changePassword, { body: { currentPassword: password, newPassword: 'another sentence' } })
  expect(await isSignedIn(here, other)).toBe(false)
  await expect.poll(() => isSignedIn(there, other)).toBe(false)
})

test('what is remembered ends by time, too, and being used is still noticed', async () => {
  const credential = await signIn()
  const lastUse = async () =>
    (await sql<{ lastUseTime: string }>`select "lastUseTime" from session`.execute(database.db)).rows[0]?.lastUseTime
  await here.authenticate(credential, { passive: true, peer })
  time += 60_000
  await here.authenticate(credential, { passive: true, peer })
  expect(await lastUse()).not.toBe(now())
  expect(await isSignedIn(here, credential)).toBe(true)
  expect(await lastUse()).toBe(now())
  time += 2 * 3_600_000 - 500
  expect(await here.authenticate(credential, { passive: true, peer })).toBeDefined()
  time += 500
  expect(await isSignedIn(here, credential)).toBe(false)
})
