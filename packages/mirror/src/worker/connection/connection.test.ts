import {
  createSecureServer,
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from 'node:http2'
import { createServer as createHttpsServer } from 'node:https'
import { type AddressInfo, connect, createServer as createTcpServer, type Server, type Socket } from 'node:net'
import { parseKubeconfig, transportOf } from '@quarterdeck/kube'
import { createTestAuthority } from '@quarterdeck/testkit'
import { afterEach, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { TIMINGS } from '../reader-options.ts'
import { ConnectionLost, Refused, readBody, Silent, textOf } from './answer.ts'
import { Connection } from './connection.ts'

const authority = createTestAuthority('cluster')
const { certificate: cert, key } = authority.issue({ commonName: 'api', names: ['127.0.0.1'] })
const signal = new AbortController().signal
const ends: (() => void)[] = []
afterEach(() => {
  for (const end of ends.splice(0)) end()
})

type Handler = (request: Http2ServerRequest, response: Http2ServerResponse) => void

async function listening(server: Server | Http2SecureServer): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('secureConnection', (socket: Socket) => sockets.add(socket))
  ends.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  server.on('connection', (socket: Socket) => sockets.add(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

function connectTo(port: number, timings: Partial<typeof TIMINGS> = {}) {
  const ca = Buffer.from(authority.certificate).toString('base64')
  const kubeconfig = stringify({
    clusters: [{ name: 'c', cluster: { server: `https://127.0.0.1:${port}`, 'certificate-authority-data': ca } }],
    users: [{ name: 'u', user: { token: 'secret' } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  })
  const events: string[] = []
  const quick = { ...TIMINGS, firstRetry: 5, longestRetry: 20, longestReconnect: 20, ...timings }
  const connection = new Connection(transportOf('prod', parseKubeconfig(kubeconfig)), quick, {
    onUp: (first) => events.push(first ? 'up' : 'up again'),
    onDown: (message) => events.push(message),
    onAlive: () => events.push('alive'),
  })
  ends.push(() => connection.close())
  return { connection, events }
}
const ask = { path: '/api/v1/pods', accept: 'application/json', verb: 'list', what: 'pods' }

test('one connection carries all requests, over HTTP/2, with our own name and nothing that asks for indentation', async () => {
  const seen: Record<string, unknown>[] = []
  let sessions = 0
  const server = createSecureServer({ cert, key }, (request, response) => {
    seen.push({ ...request.headers })
    response.end('{}')
  }).on('session', () => sessions++)
  const { connection, events } = connectTo(await listening(server))
  await Promise.all(Array.from({ length: 20 }, async () => textOf(await connection.ask(ask, signal), 1_000, signal)))
  expect(sessions).toBe(1)
  expect(events).toEqual(['up'])
  expect(seen[0]).toMatchObject({ ':path': '/api/v1/pods', authorization: 'Bearer secret' })
  expect(seen[0]?.['user-agent']).toMatch(/^quarterdeck/)
})

test('when the server takes no more streams on a connection, another is opened', async () => {
  let sessions = 0
  const waiting: Http2ServerResponse[] = []
  const server = createSecureServer({ cert, key, settings: { maxConcurrentStreams: 10 } }, (_, response) => {
    response.writeHead(200)
    response.write('{')
    waiting.push(response)
  }).on('session', () => sessions++)
  const { connection } = connectTo(await listening(server))
  await Promise.all(Array.from({ length: 25 }, () => connection.ask(ask, signal)))
  expect(waiting).toHaveLength(25)
  expect(sessions).toBe(4) // eight each: two are kept free
})

test('a server without HTTP/2 is spoken to over HTTP/1.1', async () => {
  const server = createHttpsServer({ cert, key }, (request, response) => response.end(request.httpVersion))
  const { connection } = connectTo(await listening(server))
  const texts = Array.from({ length: 3 }, async () => textOf(await connection.ask(ask, signal), 1_000, signal))
  expect(await Promise.all(texts)).toEqual(['1.1', '1.1', '1.1'])
})

test('after GOAWAY what is under way goes on, and what is new takes another connection', async () => {
  const held: Http2ServerResponse[] = []
  const server = createSecureServer({ cert, key }, (_, response) => {
    response.writeHead(200)
    response.write('a')
    held.push(response)
  })
  const sessions: { goaway(code?: number): void }[] = []
  server.on('session', (session) => sessions.push(session))
  const { connection } = connectTo(await listening(server))
  const first = await connection.ask(ask, signal)
  sessions[0]?.goaway(0)
  await expect.poll(async () => (await connection.ask(ask, signal)) && sessions.length).toBe(2)
  const reading = textOf(first, 1_000, signal)
  held[0]?.end('b')
  expect(await reading).toBe('ab')
})

test('a server that no longer answers pings is taken for gone: its streams end as cut, and it is said when it stays away', async () => {
  const handler: Handler = (_, response) => {
    response.writeHead(200)
    response.write('a')
  }
  const inner = await listening(createSecureServer({ cert, key }, handler))
  const sockets: Socket[] = []
  const front = createTcpServer((client) => {
    const onward = connect(inner, '127.0.0.1')
    for (const socket of [client, onward]) sockets.push(socket.on('error', () => {}))
    client.pipe(onward).pipe(client)
  })
  const { connection, events } = connectTo(await listening(front), {
    pingEvery: 50,
    pingSilence: 1_000,
    connect: 1_000,
  })
  const answer = await connection.ask(ask, signal)
  await expect.poll(() => events).toContain('alive')
  const ended = readBody(answer, { onPiece: () => true, silence: () => 60_000, signal })
  front.close()
  for (const socket of sockets) socket.pause()
  expect(await ended).toBe('cut')
  const waiting = connection.ask(ask, AbortSignal.timeout(5_000)).catch(() => 'still away')
  await expect.poll(() => events.at(-1), { timeout: 10_000 }).toMatch(/^Cluster prod: (nothing listens|127)/)
  expect(await Promise.race([waiting, Promise.resolve('waits')])).toBe('waits')
})

test('refused credentials are asked for again once; then the refusal is told', async () => {
  let refusals = 1
  const server = createSecureServer({ cert, key }, (_, response) => {
    response.writeHead(refusals-- > 0 ? 401 : 200, { 'content-type': 'application/json' })
    response.end('{}')
  })
  const { connection } = connectTo(await listening(server))
  expect((await connection.ask(ask, signal)).status).toBe(200)
  refusals = 5
  const error = await connection.ask(ask, signal).catch((reason) => reason)
  expect(error).toBeInstanceOf(Refused)
  expect(error).toMatchObject({ status: 401, message: expect.stringMatching(/does not accept the credentials/) })
})

test('a busy server says when to come again', async () => {
  const server = createSecureServer({ cert, key }, (_, response) => {
    response.writeHead(429, { 'retry-after': '3' })
    response.end('too many')
  })
  const { connection } = connectTo(await listening(server))
  await expect(connection.ask(ask, signal)).rejects.toMatchObject({ status: 429, retryAfterSeconds: 3 })
})

test('an answer that does not begin, and a body that stops, end after their time', async () => {
  const server = createSecureServer({ cert, key }, (request, response) => {
    if (request.url.includes('begins')) response.writeHead(200).write('a')
  })
  const { connection } = connectTo(await listening(server), { answer: 50 })
  await expect(connection.ask(ask, signal)).rejects.toThrow(ConnectionLost)
  const answer = await connection.ask({ ...ask, path: '/begins' }, signal)
  await expect(readBody(answer, { onPiece: () => true, silence: () => 50, signal })).rejects.toThrow(Silent)
})
