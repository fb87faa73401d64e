import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { endpoint } from '@quarterdeck/kernel'
import { afterEach, expect, test } from 'vitest'
import { z } from 'zod'
import { bind, createServer, type Server } from './index.ts'

// A server that waits for one of these would wait 72 s, or for ever; the runner ends the test after thirty.
const sockets: Socket[] = []
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy()
})

const read = endpoint({
  id: 'book.read',
  method: 'GET',
  path: '/book',
  permission: 'anonymous',
  summary: 'A book that is long',
  response: z.object({ text: z.string() }),
})

async function serve(handler: () => Promise<{ text: string }>): Promise<{ server: Server; port: number }> {
  const server = await createServer({ authenticate: async () => undefined, logLevel: 'silent' })
  bind(server, read, handler)
  return { server, port: Number(new URL(await server.listen(0)).port) }
}

async function client(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  sockets.push(socket)
  await once(socket, 'connect')
  return socket
}
const ask = (socket: Socket, path: string) => socket.write(`GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`)

test('the server ends at once though clients keep their connections, before their first request as well', async () => {
  const { server, port } = await serve(async () => ({ text: '' }))
  const kept = await client(port)
  ask(kept, '/healthz')
  await once(kept, 'data')
  const fresh = await client(port)
  const begun = await client(port)
  begun.write('GET /healthz HTTP/1.1\r\n')
  // The server has accepted all of them once it has answered one that came later.
  const last = await client(port)
  ask(last, '/healthz')
  await once(last, 'data')
  const gone = [kept, fresh, begun, last].map((socket) => once(socket.resume(), 'close'))
  await server.close()
  await Promise.all(gone)
})

test('a request under way is answered before the server ends', async () => {
  const asked = Promise.withResolvers<void>()
  const answer = Promise.withResolvers<{ text: string }>()
  const { server, port } = await serve(() => {
    asked.resolve()
    return answer.promise
  })
  const socket = await client(port)
  let said = ''
  socket.on('data', (part) => {
    said += part
  })
  ask(socket, '/api/v1/book')
  await asked.promise
  const gone = once(socket, 'close')
  const closed = server.close()
  answer.resolve({ text: 'to the end' })
  await Promise.all([closed, gone])
  expect(said).toContain('to the end')
})
