// A thousand browsers' worth of live views in a process of its own. Started by watchers.ts.
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { applyLiveFrame, type LiveWindow, type LiveWindowFrame } from '@quarterdeck/client'
import { WebSocket } from 'ws'
import type { Arrivals, Watcher, WatchersRequest, WatchersTold } from './watchers.ts'

interface Row {
  id: number
  values: unknown[]
}
type Frame = LiveWindowFrame<Row, unknown> | { type: 'opened' | 'refused' | 'gone'; detail?: string }

const MOST_ARRIVALS = 4_000_000
const CONNECTING_AT_ONCE = 20
const RESTARTS = 2

class Client {
  window: LiveWindow<Row, unknown> | undefined
  socket: WebSocket
  /** What has come and was not looked at yet, and when: a thousand browsers have more than one core to read it with. */
  readonly #unread: { bytes: Buffer; time: number }[] = []
  #opened = false
  constructor(request: Extract<WatchersRequest, { act: 'open' }>, n: number) {
    const { url, cookie } = request
    const localAddress = `127.0.${2 + (n >> 7)}.${(n & 127) + 1}`
    this.socket = new WebSocket(`${url.replace('http', 'ws')}/api/v1/live`, {
      headers: { cookie, origin: url },
      perMessageDeflate: false,
      localAddress,
    })
    this.socket.on('message', (bytes: Buffer) => this.#take(bytes, n))
    this.socket.on('close', (code) => tell({ failed: `Client ${n} was cut off: ${code}` }))
    this.socket.on('error', (error) => tell({ failed: `Client ${n}: ${error.message}` }))
  }

  open(watcher: Watcher): Promise<void> {
    const { filter, sort, limit } = watcher
    const columns = ['namespace', 'name', 'restarts']
    this.socket.send(JSON.stringify({ type: 'open', id: 1, resource: 'pods', filter, sort, limit, columns }))
    return this.#first.promise
  }

  readonly #first = Promise.withResolvers<void>()

  #take(bytes: Buffer, n: number): void {
    frames++
    received += bytes.length
    this.#unread.push({ bytes, time: performance.timeOrigin + performance.now() })
    if (!this.#opened) this.read(n)
  }

  /** Looks at what has come. */
  read(n: number): void {
    for (const { bytes, time } of this.#unread.splice(0)) this.#read(bytes, time, n)
  }

  #read(bytes: Buffer, time: number, n: number): unknown {
    const frame = JSON.parse(bytes.toString('utf8')) as Frame
    if (frame.type === 'opened') return
    if (frame.type === 'refused' || frame.type === 'gone')
      return tell({ failed: `Client ${n} is refused: ${frame.detail}` })
    if (!('number' in frame)) return
    this.window = applyLiveFrame<Row, unknown>(this.window, frame)
    if (!this.window) return tell({ failed: `Client ${n}: a frame does not follow the one before` })
    if (frame.type !== 'whole') return this.#note(frame.rows, time, n)
    this.#opened = true
    return this.#first.resolve()
  }

  #note(rows: Row[], now: number, n: number): void {
    for (const { values } of rows) {
      const restarts = Number(values[RESTARTS])
      if (restarts < 1_000 || arrived >= MOST_ARRIVALS) continue
      arrivedClients[arrived] = n
      arrivedRestarts[arrived] = restarts
      arrivedTimes[arrived++] = now
    }
  }
}

const tell = (told: WatchersTold): void => void process.send?.(told)

const arrivedClients = new Uint16Array(MOST_ARRIVALS)
const arrivedRestarts = new Uint32Array(MOST_ARRIVALS)
const arrivedTimes = new Float64Array(MOST_ARRIVALS)
let arrived = 0
let frames = 0
let received = 0
const clients: Client[] = []

process.on('message', async (request: WatchersRequest) => {
  if (request.act === 'open') {
    for (let from = 0; from < request.watchers.length; from += CONNECTING_AT_ONCE) {
      const some = request.watchers.slice(from, from + CONNECTING_AT_ONCE)
      await Promise.all(some.map((watcher, n) => open(request, watcher, from + n)))
    }
    tell({ opened: clients.length })
  } else if (request.act === 'count') {
    readAll()
    const told = { frames, received }
    arrived = 0
    frames = 0
    received = 0
    tell(told)
  } else if (request.act === 'arrivals') {
    readAll()
    tell({ arrivals: arrivalsOf(request) })
  } else if (request.act === 'settle') {
    await settled()
    tell({})
  } else if (request.act === 'pause') {
    for (const n of request.clients) rawSocket(clients[n])?.[request.on ? 'pause' : 'resume']()
    tell({})
  } else {
    readAll()
    tell({
      windows: clients.map(({ window }) => ({
        total: window?.page.total ?? -1,
        rows: (window?.page.rows ?? []).map(({ values }) => `${values[0]}/${values[1]} ${values[RESTARTS]}`),
      })),
    })
  }
})
process.once('disconnect', () => process.exit(0))

async function open(request: Extract<WatchersRequest, { act: 'open' }>, watcher: Watcher, n: number): Promise<void> {
  const client = new Client(request, n)
  clients[n] = client
  await new Promise((resolve) => client.socket.once('open', resolve))
  await client.open(watcher)
}

function readAll(): void {
  for (const [n, client] of clients.entries()) client.read(n)
}

const rawSocket = (client: Client | undefined) =>
  (client?.socket as unknown as { _socket: Socket } | undefined)?._socket

/** How long after it was written each change was seen, by each client that saw it, and how long after it was elsewhere. */
function arrivalsOf({ changes, elsewhere, except }: Extract<WatchersRequest, { act: 'arrivals' }>): Arrivals {
  const written = new Map(changes.map(({ restarts, time }) => [restarts, time]))
  const leftOut = new Set(except)
  const latencies: number[] = []
  const added: number[] = []
  for (let n = 0; n < arrived; n++) {
    const restarts = arrivedRestarts[n] ?? 0
    const time = written.get(restarts)
    if (time === undefined || leftOut.has(arrivedClients[n] ?? 0)) continue
    const came = arrivedTimes[n] ?? 0
    latencies.push(came - time)
    const there = elsewhere.get(restarts)
    if (there !== undefined) added.push(came - there)
  }
  const [all, more] = [rankOf(latencies), rankOf(added)]
  return {
    seen: latencies.length,
    p50Ms: all(0.5),
    p99Ms: all(0.99),
    worstMs: all(1),
    addedP50Ms: more(0.5),
    addedP99Ms: more(0.99),
  }
}

/** The value below which a share (0–1) of these lie. Sorts them. */
function rankOf(values: number[]): (share: number) => number {
  values.sort((a, b) => a - b)
  return (share) => values[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN
}

const QUIET_MS = 500

async function settled(): Promise<void> {
  for (let before = -1; before !== frames; ) {
    before = frames
    await sleep(QUIET_MS)
  }
}
