import { once } from 'node:events'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { endpoint } from '@quarterdeck/kernel'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { bindProxy, createServer, type ProxyRequest, type Server } from './index.ts'

const methods = ['GET', 'POST'] as const
const endpoints = methods.map((method) =>
  endpoint({
    id: `far.${method.toLowerCase()}`,
    method,
    path: '/far/:place/:path',
    permission: 'far.use',
    summary: 'Somewhere else',
    params: z.object({ place: z.string().max(5), path: z.string() }),
    response: z.unknown(),
    transport: 'proxy',
  }),
)

// What would go to the other end, told back: the other end itself is tried with a real API server in features/cluster.
let seen: ProxyRequest<{ place: string }> | undefined
let answer: { status: number; headers: Record<string, string>; body: Readable }
let server: Server
let port: string
beforeAll(async () => {
  server = await createServer({
    authenticate: async ({ token }) =>
      token === 't' ? { name: 'ann', kind: 'user', permissions: ['far.use'] } : undefined,
    logLevel: 'silent',
  })
  bindProxy<{ place: string }>(server, endpoints, {
    async request(request) {
      seen = request
      return answer
    },
    socket: () => Promise.reject(new Error('nobody asks')),
    tunnel: () => Promise.reject(new Error('nobody asks')),
  })
  port = new URL(await server.listen(0)).port
})
afterAll(() => server.close())

async function send(head: string, body = ''): Promise<string> {
  seen = undefined
  const socket = connect(Number(port), '127.0.0.1')
  let got = ''
  socket.setEncoding('utf8').on('data', (part) => {
    got += part
  })
  socket.write(`${head}\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
  await once(socket, 'close')
  return got
}
const answers = (type: string, headers: Record<string, string> = {}) => {
  answer = { status: 201, headers: { 'content-type': type, ...headers }, body: Readable.from([Buffer.from('said')]) }
}
const signedIn = 'Authorization: Bearer t'

test('path and query go on as they were sent, the body as bytes', async () => {
  answers('application/json')
  const got = await send(
    `POST /api/v1/far/here/a%2Fb/../c?x=%2F&x=2 HTTP/1.1\r\n${signedIn}\r\nContent-Type: application/apply-patch+yaml`,
    'a: 1',
  )
  expect(got).toMatch(/^HTTP\/1\.1 201 /)
  expect(got).toContain('said')
  expect(seen).toMatchObject({ path: 'a%2Fb/../c', query: 'x=%2F&x=2', contentType: 'application/apply-patch+yaml' })
  expect(Buffer.from(seen?.body ?? []).toString()).toBe('a: 1')
})

test('a token may be the password of HTTP Basic here, and nothing else may', async () => {
  answers('application/json')
  const basic = (text: string) => `Authorization: Basic ${Buffer.from(text).toString('base64')}`
  expect(await send(`GET /api/v1/far/here/a HTTP/1.1\r\n${basic('token:t')}`)).toMatch(/^HTTP\/1\.1 201 /)
  for (const wrong of ['t:', 'token:wrong', 't', ':']) {
    expect(await send(`GET /api/v1/far/here/a HTTP/1.1\r\n${basic(wrong)}`), wrong).toMatch(/^HTTP\/1\.1 401 /)
    expect(seen).toBeUndefined()
  }
  const fromElsewhere = `${basic('token:t')}\r\nSec-Fetch-Site: cross-site`
  expect(await send(`GET /api/v1/far/here/a HTTP/1.1\r\n${fromElsewhere}`)).toMatch(/^HTTP\/1\.1 403 /)
})

test('pages and scripts of the other end come as text that nothing may run', async () => {
  for (const type of ['text/html', 'application/javascript', 'image/svg+xml', 'text/css', 'application/xhtml+xml']) {
    answers(type)
    const got = await send(`GET /api/v1/far/here/a HTTP/1.1\r\n${signedIn}`)
    expect(got).toMatch(/content-type: text\/plain/i)
    expect(got).toMatch(/content-security-policy: default-src 'none'; sandbox/i)
    expect(got).toMatch(/x-content-type-options: nosniff/i)
  }
})

test('parameters are judged, and a body that is too large goes nowhere', async () => {
  answers('application/json')
  expect(await send(`GET /api/v1/far/toolong/a HTTP/1.1\r\n${signedIn}`)).toMatch(/^HTTP\/1\.1 400 /)
  const large = await fetch(`http://127.0.0.1:${port}/api/v1/far/here/a`, {
    method: 'POST',
    headers: { authorization: 'Bearer t' },
    body: 'x'.repeat(4_000_000),
  })
  expect(large.status).toBe(413)
  expect(seen).toBeUndefined()
})
