import assert from 'node:assert/strict'
import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { PASSWORD } from '../platform/platform.ts'
import type { ServerProcess } from '../platform/server-process.ts'
import type { Row } from './row.ts'
import { send, type Target } from './target.ts'

/** Starts a server that must let nobody in and must say why; ends it. */
async function staysShut(server: ServerProcess, what: string): Promise<void> {
  const before = server.log().length
  server.start()
  for (let tries = 0; !/key file/.test(server.log().slice(before)); tries++) {
    assert.ok(tries < 300, `it does not say within 30 s why it does not start with ${what}`)
    await sleep(100)
  }
  const isReady = await send(`${server.url}/readyz`, 'GET', {}).then(
    ({ status }) => status === 200,
    () => false,
  )
  assert.ok(!isReady, `it is ready with ${what}`)
  // Whoever signs in may do nothing.
  const cookie = (await signIn(server).catch(() => undefined))?.headers.get('set-cookie')?.split(';')[0] ?? ''
  for (const path of ['/users', '/environments', '/clusters', '/roles', '/tokens', '/audit', '/operations']) {
    const answer = await send(`${server.url}/api/v1${path}`, 'GET', { headers: { cookie } })
    assert.ok([401, 503].includes(answer.status), `${path} answers ${answer.status} with ${what}`)
  }
  await server.end()
}

const signIn = ({ url }: ServerProcess) =>
  send(`${url}/api/v1/session`, 'POST', { headers: { origin: url }, body: { user: 'admin', password: PASSWORD } })

/** A server with something sealed, whose key is taken away, spoiled, replaced and put back. */
async function withoutKey(target: Target): Promise<string> {
  const server = await target.another({ QUARTERDECK_ADMIN_PASSWORD: PASSWORD })
  await server.ready()
  const file = join(server.home, 'key')
  const key = readFileSync(file, 'utf8')
  assert.equal(Buffer.from(key, 'base64').length, 32)
  assert.notEqual(key, readFileSync(join(target.server.home, 'key'), 'utf8'), 'two servers have the same key')
  await server.end()
  renameSync(file, `${file}.away`)
  await staysShut(server, 'no key')
  assert.ok(!existsSync(file), 'it has made another key')
  for (const [what, text] of [
    ['an empty key', ''],
    ['half a key', key.slice(0, 20)],
    ['a key that is none', 'changeme'],
    ['a key of zeros that is too short', Buffer.alloc(16).toString('base64')],
  ] as const) {
    writeFileSync(file, text, { mode: 0o600 })
    await staysShut(server, what)
  }
  writeFileSync(file, key, { mode: 0o600 })
  chmodSync(file, 0o644)
  await staysShut(server, 'a key that others may read')
  chmodSync(file, 0o600)
  server.start()
  await server.ready()
  assert.equal((await signIn(server)).status, 201, 'with its key it is as it was')
  await server.dispose()
  return 'missing, empty, short, none, readable by others'
}

export const keyRows: Row[] = [
  {
    id: 'A29',
    what: 'without its key, or with one that is none, the platform lets nobody do anything, makes no other, and says why',
    run: withoutKey,
  },
]
