import { createClient, fetchWithCookies } from '@quarterdeck/client'
import { createServer, hashPassword, type Server } from '@quarterdeck/http'
import type { AuditEntry, Subject } from '@quarterdeck/kernel'
import { type TestDatabase, testDatabase } from '@quarterdeck/testkit'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { setPasswordHash } from '../user/user.store.ts'
import { openSignIns } from './authenticate.routes.ts'
import { createSession, getSession } from './session.contract.ts'
import { sessionRoutes } from './session.routes.ts'
import { createToken } from './token.contract.ts'
import { signInTimeOf, verifyCredential } from './verify.routes.ts'

const url = 'http://localhost'
const password = 'a ship in harbour'
let database: TestDatabase
let server: Server
beforeAll(async () => {
  database = await testDatabase()
})
afterEach(() => server.close())
afterAll(() => database.close())

test('[TEN-03] a code counts for the session or token in which it was given, in every process, and for no other', async () => {
  const { db, store } = database
  await setPasswordHash(db, 'li', await hashPassword(password), new Date().toISOString())
  const recorded: AuditEntry[] = []
  const record = async (_: unknown, entry: AuditEntry) => void recorded.push(entry)
  const [here, there] = [0, 1].map(() => openSignIns({ db, listen: store.listen, record: async () => undefined }))
  const seen: Subject[] = []
  let process = here
  server = await createServer({
    logLevel: 'silent',
    async authenticate(credential, options) {
      const subject = await process?.authenticate(credential, options)
      if (subject) seen.push(subject)
      return subject
    },
  })
  let others = false
  sessionRoutes(server, { db, record, otherProviders: async () => others })
  const one = createClient({ baseUrl: url, fetch: fetchWithCookies(url, server.fetch) })
  const two = createClient({ baseUrl: url, fetch: fetchWithCookies(url, server.fetch) })
  await one(createSession, { body: { user: 'li', password } })
  others = true
  await two(createSession, { body: { user: 'li', password } })
  expect(recorded.map(({ act }) => act)).toEqual(['session.create', 'session.create-local'])
  const { secret } = await one(createToken, { body: { name: 'qd' } })
  const token = createClient({ baseUrl: url, fetch: server.fetch, token: secret })
  const subjectOf = async (client: typeof one) => {
    await client(getSession)
    return seen.at(-1) as Subject
  }
  const clients = [one, two, token]
  const times = () =>
    clients.reduce<Promise<(string | undefined)[]>>(
      async (before, client) => [...(await before), (await subjectOf(client)).verifyTime],
      Promise.resolve([]),
    )
  process = there
  expect(await times()).toEqual([undefined, undefined, undefined])
  process = here
  expect(await times()).toEqual([undefined, undefined, undefined])
  const time = new Date().toISOString()
  expect(await signInTimeOf(db, await subjectOf(one))).toMatch(/^20/)
  expect(await signInTimeOf(db, await subjectOf(token))).toBeUndefined()
  await verifyCredential(db, await subjectOf(two), time)
  for (const next of [here, there]) {
    process = next
    await expect.poll(times).toEqual([undefined, time, undefined])
  }
  await verifyCredential(db, await subjectOf(token), time)
  await expect.poll(times).toEqual([undefined, time, time])
  here?.close()
  there?.close()
})
