import { createClient } from '@quarterdeck/client'
import { endpoint, isProblem, signInRequired, tooManyRequests } from '@quarterdeck/kernel'
import { afterEach, expect, test } from 'vitest'
import WebSocket from 'ws'
import { z } from 'zod'
import { bind, bindSocket, createServer, type Server, type ServerOptions, type Socket } from './index.ts'

const listBoats = endpoint({
  id: 'boat.list',
  method: 'GET',
  path: '/boats',
  permission: 'boat.list',
  summary: 'Boats',
  response: z.object({ items: z.array(z.object({ name: z.string() })) }),
})
const watchBoats = endpoint({
  id: 'boat.watch',
  method: 'GET',
  path: '/live',
  permission: 'boat.list',
  summary: 'Boats as they come',
  response: z.undefined(),
  transport: 'websocket',
})

let server: Server
afterEach(() => server.close())

const start = async (options: Partial<ServerOptions> = {}) => {
  server = await createServer({
    logLevel: 'silent',
    authenticate: async ({ token }) =>
      token === 'all' ? { name: 'ann', kind: 'token', permissions: ['*'] } : undefined,
    ...options,
  })
}
const call = (token: string) =>
  createClient({ baseUrl: 'http://localhost', fetch: server.fetch, token })(listBoats).then(
    ({ items }) => items,
    (error: unknown) => error,
  )

test('an answer that is right by construction is sent as it is, and in tests still compared with its schema', async () => {
  const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))
  const answers = [
    bytes({ items: [{ name: 'shop' }] }),
    { items: [{ name: 1 }] },
    bytes({ items: [{ name: 'shop', secret: 'x' }] }),
  ]
  const told = async (checkAnswers: boolean) => {
    let next = 0
    await start({ checkAnswers })
    bind(server, listBoats, () => answers[next++] as Uint8Array, { unchecked: true })
    const all = [await call('all'), await call('all'), await call('all')]
    return all.map((one) => (one instanceof Error ? (one as { body?: { status: number } }).body?.status : one))
  }
  expect(await told(false)).toEqual([[{ name: 'shop' }], [{ name: 1 }], [{ name: 'shop', secret: 'x' }]])
  await server.close()
  expect(await told(true)).toEqual([[{ name: 'shop' }], 500, 500])
})

test('what is cheap to answer may be asked for more often, guessing a token for it may not', async () => {
  await start({ rateLimit: { burst: 2, perSecond: 0.001 } })
  bind(server, listBoats, () => ({ items: [] }), { cost: 0.1 })
  for (let i = 0; i < 9; i++) expect(await call('all')).toEqual([])
  expect(isProblem(await call('guess'), signInRequired)).toBe(true)
  expect(await call('all')).toEqual([])
  expect(isProblem(await call('all'), tooManyRequests)).toBe(true)
})

test('the same bytes go to many sockets; one that does not read is refused more until it has caught up, and told so', async () => {
  await start()
  const sockets: Socket[] = []
  bindSocket(server, watchBoats, (_, socket) => void sockets.push(socket))
  const url = await server.listen(0)
  const open = async () => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/api/v1/live`, {
      headers: { authorization: 'Bearer all' },
    })
    await new Promise((resolve) => socket.once('open', resolve))
    return socket
  }
  const [reading, stuck] = [await open(), await open()]
  await expect.poll(() => sockets.length).toBe(2)
  const [first, second] = sockets as [Socket, Socket]
  stuck.pause()
  const frame = Buffer.from(JSON.stringify('wind 和 waves '.repeat(10_000)))
  const got: string[] = []
  reading.on('message', (bytes, binary) => got.push(binary ? 'binary' : bytes.toString()))
  let offered = 0
  while (second.offer(frame)) offered++
  expect(first.offer(frame)).toBe(true)
  await expect.poll(() => got).toEqual([frame.toString()])
  let drained = 0
  second.onDrain(() => drained++)
  expect(second.offer(frame)).toBe(false)
  let received = 0
  stuck.on('message', () => received++)
  stuck.resume()
  await expect.poll(() => drained).toBe(1)
  expect(second.offer(frame)).toBe(true)
  await expect.poll(() => received).toBe(offered + 1)
  stuck.terminate()
  reading.terminate()
  await expect.poll(() => second.offer(frame)).toBe(false)
})
