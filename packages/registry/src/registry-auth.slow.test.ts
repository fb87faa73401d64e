import { generateKeyPairSync, randomUUID, sign } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { pushImage, startRegistry, type TestRegistry } from '../../testkit/src/registry.ts'
import { openRegistry } from './index.ts'

const linux = { os: 'linux', architecture: 'amd64' }
const credentials = { username: 'ann', password: 'open sesame' }
// bcrypt of the password above; the registry takes no other hash.
const HTPASSWD = 'ann:$2b$05$spcRslEeOIT/Op/PtnxwbeSUGhAbFWDAxlgQ25W2Ubvd7LxS47lae\n'
const folder = mkdtempSync(join(tmpdir(), 'quarterdeck-token-'))
const closing: (() => unknown)[] = [() => rmSync(folder, { recursive: true })]
afterAll(async () => {
  for (const close of closing.reverse()) await close()
})

async function listen(listener: RequestListener): Promise<string> {
  const server: Server = createServer(listener).listen(0, '127.0.0.1')
  closing.push(() => server.close().closeAllConnections())
  await new Promise((resolve) => server.once('listening', resolve))
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function guardedRegistry(auth: Record<string, unknown>): Promise<TestRegistry> {
  const registry = await startRegistry({ auth })
  closing.push(() => registry.close())
  return registry
}

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** A token as the registry checks it: signed, for a time, for a scope. */
function tokenFor(scope: string): string {
  const [type, name, actions = ''] = scope.split(':')
  const now = Math.floor(Date.now() / 1000)
  const head = part({ typ: 'JWT', alg: 'ES256', kid: 'key-1' })
  const claims = { iss: 'issuer', aud: 'registry', sub: '', iat: now, nbf: now - 10, exp: now + 300, jti: randomUUID() }
  const body = part({ ...claims, access: [{ type, name, actions: actions.split(',') }] })
  const signed = sign('sha256', Buffer.from(`${head}.${body}`), { key: privateKey, dsaEncoding: 'ieee-p1363' })
  return `${head}.${body}.${signed.toString('base64url')}`
}

test('a registry with a password is read with credentials and refuses without', async () => {
  const file = join(folder, 'htpasswd')
  writeFileSync(file, HTPASSWD)
  const { host } = await guardedRegistry({ htpasswd: { realm: 'test', path: file } })
  const authorization = `Basic ${Buffer.from('ann:open sesame').toString('base64')}`
  const { digest } = await pushImage({ host, repository: 'shop', authorization }, '1')
  const open = openRegistry({ host, insecure: true, credentials })
  expect((await open.image('shop', '1', linux)).digest).toBe(digest)
  const refused = { reason: 'Refused' }
  await expect(openRegistry({ host, insecure: true }).tags('shop', 1)).rejects.toMatchObject(refused)
  const wrong = { ...credentials, password: 'wrong' }
  await expect(openRegistry({ host, insecure: true, credentials: wrong }).ping()).rejects.toMatchObject(refused)
})

test('a token is fetched from the realm once a scope, and a realm on another host sees no credentials', async () => {
  const asked: { url: string; authorization: string | undefined }[] = []
  const realm = await listen((request, response) => {
    asked.push({ url: request.url ?? '', authorization: request.headers.authorization })
    const scope = new URL(request.url ?? '', 'http://x').searchParams.get('scope') ?? ''
    response.end(JSON.stringify({ token: tokenFor(scope), expires_in: 300 }))
  })
  const jwks = join(folder, 'jwks.json')
  const key = { ...publicKey.export({ format: 'jwk' }), kid: 'key-1', use: 'sig', alg: 'ES256' }
  writeFileSync(jwks, JSON.stringify({ keys: [key] }))
  const { host } = await guardedRegistry({
    token: { realm: `http://${realm}/token`, service: 'registry', issuer: 'issuer', jwks },
  })
  const authorization = `Bearer ${tokenFor('repository:team/shop:pull,push')}`
  const { digest } = await pushImage({ host, repository: 'team/shop', authorization }, '1')
  const registry = openRegistry({ host, insecure: true, credentials })
  expect((await registry.image('team/shop', '1', linux)).digest).toBe(digest)
  expect((await registry.tags('team/shop', 10)).items).toEqual(['1'])
  expect((await registry.repositories(10)).items).toEqual(['team/shop'])
  expect(asked).toEqual([
    { url: '/token?service=registry&scope=repository%3Ateam%2Fshop%3Apull', authorization: undefined },
    { url: '/token?service=registry&scope=registry%3Acatalog%3A*', authorization: undefined },
  ])
})

test('a realm that refuses or sends rubbish is told, and its token cannot smuggle a header', async () => {
  const cases: [RequestListener, string][] = [
    [(_request, response) => response.writeHead(403).end(), 'Refused'],
    [(_request, response) => response.writeHead(500).end(), 'Unsound'],
    [(_request, response) => response.end('no JSON'), 'Unsound'],
    [(_request, response) => response.end('{"token":""}'), 'Unsound'],
    [(_request, response) => response.end('{"token":"a\\r\\nx-evil: 1"}'), 'Unsound'],
  ]
  for (const [listener, reason] of cases) {
    const realm = await listen(listener)
    const challenge = `Bearer realm="http://${realm}/token",service="s"`
    const host = await listen((_request, response) => response.writeHead(401, { 'www-authenticate': challenge }).end())
    await expect(openRegistry({ host, insecure: true }).ping()).rejects.toMatchObject({ reason })
  }
})

test('a redirect to another host carries no credentials and its answer is still checked', async () => {
  const seen: (string | undefined)[] = []
  const store = await listen((request, response) => {
    seen.push(request.headers.authorization)
    response.end('{"tags":["1"]}')
  })
  const own: (string | undefined)[] = []
  const host = await listen((request: IncomingMessage, response) => {
    own.push(request.headers.authorization)
    if (!request.headers.authorization) return response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end()
    return response.writeHead(307, { location: `http://${store}/` }).end()
  })
  expect((await openRegistry({ host, insecure: true, credentials }).tags('a', 5)).items).toEqual(['1'])
  expect(own[1]).toMatch(/^Basic /)
  expect(seen).toEqual([undefined])
})
