import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'
import { stringify } from 'yaml'
import { connectCluster } from './index.ts'

const MANY_PINGS_MS = 60_000
const STDIN = 0
const STDOUT = 1

let server: WebSocketServer
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'v5.channel.k8s.io' })
  await once(server, 'listening')
})
afterEach(() => {
  vi.useRealTimers()
  for (const client of server.clients) client.terminate()
  server.close()
})

/** A command in a container, and the API server's end of it. */
async function running() {
  const { port } = server.address() as AddressInfo
  const cluster = connectCluster({
    name: 'test',
    kubeconfig: stringify({
      clusters: [{ name: 'c', cluster: { server: `http://127.0.0.1:${port}` } }],
      users: [{ name: 'u', user: { token: 't' } }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    }),
  })
  const accepted = once(server, 'connection') as Promise<[WebSocket]>
  const exec = await cluster.exec({ namespace: 'dev', pod: 'shop', command: ['sh'], stdin: true })
  const [socket] = await accepted
  let pings = 0
  socket.on('ping', () => pings++)
  /** Pings that came before this moment: what is typed now arrives after them. */
  const pingsUntilNow = async () => {
    const typed = once(socket, 'message')
    exec.stdin.write('x')
    expect((await typed)[0]).toEqual(Buffer.from([STDIN, 0x78]))
    return pings
  }
  const say = async (text: string) => {
    const heard = once(exec.stdout, 'data')
    socket.send(Buffer.concat([Buffer.of(STDOUT), Buffer.from(text)]))
    expect(String((await heard)[0])).toBe(text)
  }
  return { exec, pingsUntilNow, say }
}

test('while a command says something it is not pinged, so that its last words are not cut off', async () => {
  const { exec, say, pingsUntilNow } = await running()
  for (let minute = 0; minute < 5; minute++) {
    await say(`line ${minute}`)
    vi.advanceTimersByTime(MANY_PINGS_MS / 3)
  }
  expect(await pingsUntilNow()).toBe(0)
  exec.close()
})

test('a silent command is pinged, so that no proxy drops it', async () => {
  const { exec, pingsUntilNow } = await running()
  vi.advanceTimersByTime(MANY_PINGS_MS)
  expect(await pingsUntilNow()).toBeGreaterThan(0)
  exec.close()
})
