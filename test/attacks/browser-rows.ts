import assert from 'node:assert/strict'
import { WebSocket } from 'ws'
import { declaredEndpoints } from '../../scripts/contracts.ts'
import { PASSWORD, tokenClient } from '../platform/platform.ts'
import type { Row } from './row.ts'
import { pathOf, refused, type Target } from './target.ts'

const ATTACH = '/api/v1/terminals/00000000-0000-4000-8000-000000000000/attach'

/** The status with which an upgrade is refused; 101 when it is not. */
function upgrade(target: Target, headers: Record<string, string>): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>()
  const socket = new WebSocket(`${target.server.url.replace('http', 'ws')}${ATTACH}`, { headers })
  socket.on('unexpected-response', (request, response) => {
    resolve(response.statusCode ?? 0)
    request.destroy()
  })
  socket.on('open', () => {
    resolve(101)
    socket.terminate()
  })
  socket.on('error', () => {})
  return promise
}

async function crossSite(target: Target): Promise<string> {
  const cookie = await target.cookie()
  const endpoints = (await declaredEndpoints()).map(({ endpoint }) => endpoint)
  const changes = endpoints.filter(({ method }) => method !== 'GET')
  const origins: Record<string, string>[] = [
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: `http://127.0.0.1.evil.example:${target.server.port}` },
    { origin: target.server.url.replace('http:', 'https:').replace(/\d+$/, '1') },
    { origin: target.server.url, 'sec-fetch-site': 'cross-site' },
    {},
  ]
  for (const endpoint of changes) {
    const signsIn = endpoint.permission === 'anonymous'
    for (const origin of signsIn ? origins.slice(0, 5) : origins) {
      const answer = await target.send(endpoint.method, pathOf(endpoint), { headers: { cookie, ...origin }, body: {} })
      refused(answer, `${endpoint.id} from ${JSON.stringify(origin)}`, 403)
    }
    const form = { cookie, origin: target.server.url, 'content-type': 'text/plain' }
    const answer = await target.send(endpoint.method, pathOf(endpoint), { headers: form, body: '{}' })
    refused(answer, `${endpoint.id} as text/plain`, 400, 403, 404, 415, 422)
  }
  const overridden = await target.send('GET', '/api/v1/environments/dev', {
    headers: { cookie, 'x-http-method-override': 'DELETE', 'x-method-override': 'DELETE' },
  })
  assert.equal(overridden.body.name, 'dev')
  return `${changes.length} endpoints × ${origins.length + 1} pages`
}

export const browserRows: Row[] = [
  {
    id: 'A32',
    what: 'tokens and session ids are unique and hold at least 128 bits',
    async run(target) {
      const headers = { authorization: `Bearer ${target.admin.token}` }
      const make = (n: number) => target.send('POST', '/api/v1/tokens', { headers, body: { name: `unique-${n}` } })
      const tokens = await Promise.all(Array.from({ length: 50 }, (_, n) => make(n)))
      const secrets = tokens.map(({ body }) => String(body.secret).replace(/^qd_/, ''))
      const cookies = [await target.cookie(), await target.cookie(), await target.cookie()].map(
        (one) => one.split('=')[1] ?? '',
      )
      assert.equal(new Set([...secrets, ...cookies]).size, secrets.length + cookies.length)
      for (const secret of [...secrets, ...cookies]) assert.ok(secret.length >= 22, secret)
      return `${secrets.length + cookies.length} secrets`
    },
  },
  {
    id: 'A40',
    what: 'the session cookie is HttpOnly and SameSite=Strict, is not taken from the client, and dies at sign-out',
    async run(target) {
      const planted = `session-${target.server.port}=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA`
      const answer = await target.send('POST', '/api/v1/session', {
        headers: { origin: target.server.url, cookie: planted },
        body: { user: 'admin', password: PASSWORD },
      })
      const [set] = answer.headers.getSetCookie()
      assert.match(set ?? '', /HttpOnly/i)
      assert.match(set ?? '', /SameSite=Strict/i)
      assert.match(set ?? '', /Path=\//i)
      const cookie = (set ?? '').split(';')[0] ?? ''
      assert.notEqual(cookie, planted)
      refused(await target.send('GET', '/api/v1/session', { headers: { cookie: planted } }), 'the planted cookie', 401)
      const headers = { cookie, origin: target.server.url }
      assert.equal((await target.send('GET', '/api/v1/session', { headers })).status, 200)
      await target.send('DELETE', '/api/v1/session', { headers })
      refused(await target.send('GET', '/api/v1/session', { headers }), 'after sign-out', 401)
      return undefined
    },
  },
  {
    id: 'A41',
    what: 'a token makes no broader token, and ends within a second of being revoked',
    async run(target) {
      const headers = { authorization: `Bearer ${target.limited.token}` }
      const broader = { name: 'broader', permissions: ['*'] }
      refused(await target.send('POST', '/api/v1/tokens', { headers, body: broader }), 'a broader token', 403)
      const other = { name: 'other', permissions: ['application.deploy'] }
      refused(await target.send('POST', '/api/v1/tokens', { headers, body: other }), 'another right', 403)
      const short = await tokenClient(target.server.url)
      const own = { authorization: `Bearer ${short.token}` }
      assert.equal((await target.send('GET', '/api/v1/session', { headers: own })).status, 200)
      await target.send('DELETE', '/api/v1/session', { headers: own })
      refused(await target.send('GET', '/api/v1/session', { headers: own }), 'the revoked token', 401)
      return undefined
    },
  },
  {
    id: 'A47',
    what: 'a WebSocket from another site, or from none with a cookie, is refused before the upgrade',
    async run(target) {
      const cookie = await target.cookie()
      const origins = [
        'https://evil.example',
        'null',
        `http://evil.example:${target.server.port}`,
        'http://127.0.0.1:1',
      ]
      for (const origin of origins) assert.equal(await upgrade(target, { cookie, origin }), 403, origin)
      assert.equal(await upgrade(target, { cookie }), 403, 'no Origin')
      assert.equal(await upgrade(target, { origin: target.server.url }), 401, 'no credential')
      assert.equal(await upgrade(target, { authorization: `Bearer ${target.limited.token}` }), 403, 'no permission')
      return `${origins.length + 3} upgrades`
    },
  },
  {
    id: 'A49',
    what: 'every change from another site with the cookie of a signed-in browser is refused',
    run: crossSite,
  },
  {
    id: 'A53',
    what: 'every answer forbids framing, sniffing and foreign content; what a session sees is not cached',
    async run(target) {
      const cookie = await target.cookie()
      const paths = ['/', '/applications', '/nowhere.js', '/healthz', '/readyz', '/metrics', '/api/v1/openapi.json']
      const uncached = ['/api/v1/setup', '/api/v1/environments', '/api/v1/session', '/api/v1/nowhere']
      for (const path of [...paths, ...uncached]) {
        const { headers } = await target.send('GET', path, { headers: { cookie } })
        const policy = headers.get('content-security-policy') ?? ''
        assert.match(policy, /frame-ancestors 'none'/, path)
        assert.match(policy, /default-src 'none'/, path)
        assert.doesNotMatch(policy, /unsafe-inline|unsafe-eval|\*/, path)
        assert.equal(headers.get('x-content-type-options'), 'nosniff', path)
        assert.equal(headers.get('referrer-policy'), 'no-referrer', path)
        assert.equal(headers.get('cross-origin-opener-policy'), 'same-origin', path)
        if (uncached.includes(path)) assert.match(headers.get('cache-control') ?? '', /no-store/, path)
        assert.equal(headers.get('access-control-allow-origin'), null, path)
      }
      return undefined
    },
  },
]
