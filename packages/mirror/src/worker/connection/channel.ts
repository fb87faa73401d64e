import {
  type ClientRequest,
  type IncomingMessage,
  Agent as NewPlainAgent,
  type Agent as PlainAgent,
  request as plainRequest,
} from 'node:http'
import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2, constants } from 'node:http2'
import { Agent, request as tlsRequest } from 'node:https'
import { connect as connectPlain, isIP, type Socket } from 'node:net'
import { connect as connectTls, TLSSocket } from 'node:tls'
import { type Credential, lookupServer } from '@quarterdeck/kube'
import type { Timings } from '../reader-options.ts'
import type { RawAnswer } from './answer.ts'

/** One way to send requests to a server. */
export interface Channel {
  /** Keeps room for one `ask`; false when it takes no further request now. */
  reserve(): boolean
  /** After `reserve`. Rejects with the transport's error. */
  ask(path: string, headers: Record<string, string>, signal: AbortSignal): Promise<RawAnswer>
  close(): void
}

export interface ChannelEvents {
  /** The channel can no longer be used. Called once, never before `openChannel` has resolved. */
  onClosed(error: unknown): void
  /** The server answered a ping. */
  onAlive(): void
}

// So large that the API server never has to wait for us and takes us for a slow watcher.
const STREAM_WINDOW = 4 << 20
const CONNECTION_WINDOW = 32 << 20
const SPARE_STREAMS = 2

/** Connects: HTTP/2 where the server speaks it, else HTTP/1.1. Rejects with the transport's error. */
export async function openChannel(
  server: URL,
  tls: Credential['tls'],
  timings: Timings,
  events: ChannelEvents,
): Promise<Channel> {
  const socket = await openSocket(server, tls, timings.connect)
  if (!(socket instanceof TLSSocket)) {
    socket.destroy()
    return manyConnections(server, new NewPlainAgent(agentOptions), events)
  }
  if (socket.alpnProtocol === 'h2') return overHttp2(server, socket, timings, events)
  socket.destroy()
  const agent = new Agent({ ...agentOptions, ...tls, ALPNProtocols: ['http/1.1'] })
  return manyConnections(server, agent, events)
}

const agentOptions = { keepAlive: true, keepAliveMsecs: 10_000, lookup: lookupServer }

function openSocket(server: URL, tls: Credential['tls'], timeout: number): Promise<Socket> {
  const host = server.hostname.replace(/^\[|\]$/g, '')
  const encrypted = server.protocol === 'https:'
  const address = { host, port: Number(server.port || (encrypted ? 443 : 80)), lookup: lookupServer }
  const named = isIP(host) === 0 ? { servername: host } : {}
  return new Promise((resolve, reject) => {
    const socket = encrypted
      ? connectTls({ ...address, ...named, ...tls, ALPNProtocols: ['h2', 'http/1.1'] })
      : connectPlain(address)
    const late = Object.assign(new Error('no connection'), { code: 'ETIMEDOUT' })
    const timer = setTimeout(() => socket.destroy(late), timeout)
    socket.setNoDelay(true).setKeepAlive(true, 10_000)
    const failed = (error: Error) => {
      clearTimeout(timer)
      reject(error)
    }
    const ended = () => failed(Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' }))
    socket.once('error', failed)
    socket.once('close', ended)
    socket.once(encrypted ? 'secureConnect' : 'connect', () => {
      clearTimeout(timer)
      socket.removeListener('error', failed)
      socket.removeListener('close', ended)
      resolve(socket)
    })
  })
}

function overHttp2(server: URL, socket: TLSSocket, timings: Timings, events: ChannelEvents): Promise<Channel> {
  return new Promise((resolve, reject) => {
    const session = connectHttp2(server.origin, {
      createConnection: () => socket,
      settings: { initialWindowSize: STREAM_WINDOW, maxFrameSize: 1 << 20, enablePush: false },
      maxSessionMemory: 256,
    })
    let failure: unknown
    let open = true
    let ready = false
    let leaving = false
    const stopPinging = keepPinging(session, timings, events)
    const closed = () => {
      if (!open) return
      open = false
      stopPinging()
      const error = failure ?? Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' })
      if (ready) events.onClosed(error)
      else reject(error)
    }
    session.on('error', (error) => (failure ??= error))
    session.on('goaway', () => {
      leaving = true
    })
    session.on('close', closed)
    const early = setTimeout(() => session.destroy(late()), timings.connect)
    session.once('remoteSettings', () => {
      clearTimeout(early)
      if (!open) return
      session.setLocalWindowSize(CONNECTION_WINDOW)
      ready = true
      let streams = 0
      resolve({
        reserve() {
          const free = open && !leaving && !session.closed && !session.destroyed && streams < limitOf(session)
          if (free) streams++
          return free
        },
        ask: (path, headers, signal) => askHttp2(session, path, headers, signal, () => streams--),
        close: () => session.destroy(),
      })
    })
  })
}

const late = () => Object.assign(new Error('no answer'), { code: 'QUIET' })
const limitOf = ({ remoteSettings }: ClientHttp2Session) =>
  Math.max(1, (remoteSettings?.maxConcurrentStreams ?? 100) - SPARE_STREAMS)

/** A server that does not answer a ping in time is taken for gone, and all its streams end at once. */
function keepPinging(session: ClientHttp2Session, timings: Timings, events: ChannelEvents): () => void {
  let waiting: NodeJS.Timeout | undefined
  const stop = () => {
    clearInterval(timer)
    clearTimeout(waiting)
  }
  const timer = setInterval(() => {
    if (waiting || session.destroyed || session.connecting) return
    waiting = setTimeout(() => session.destroy(late()), timings.pingSilence)
    const sent = session.ping((error) => {
      clearTimeout(waiting)
      waiting = undefined
      if (!error) events.onAlive()
    })
    if (!sent) {
      clearTimeout(waiting)
      waiting = undefined
    }
  }, timings.pingEvery)
  return stop
}

function askHttp2(
  session: ClientHttp2Session,
  path: string,
  headers: Record<string, string>,
  signal: AbortSignal,
  onOver: () => void,
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    let stream: ClientHttp2Stream
    try {
      signal.throwIfAborted()
      stream = session.request({ ':method': 'GET', ':path': path, ...headers }, { endStream: true })
    } catch (error) {
      onOver()
      reject(error)
      return
    }
    const abort = () => {
      stream.close(constants.NGHTTP2_CANCEL)
      reject(signal.reason)
    }
    signal.addEventListener('abort', abort, { once: true })
    stream.once('close', () => {
      signal.removeEventListener('abort', abort)
      onOver()
      reject(Object.assign(new Error('the stream was closed'), { code: 'ECONNRESET' }))
    })
    stream.on('error', reject)
    stream.once('response', (received) => {
      const endedWell = () => stream.rstCode === constants.NGHTTP2_NO_ERROR && !stream.aborted && !session.destroyed
      resolve({
        status: Number(received[':status']),
        headers: received as RawAnswer['headers'],
        body: stream,
        endedWell,
      })
    })
  })
}

/** HTTP/1.1: a connection for each request that is under way. */
function manyConnections(server: URL, agent: PlainAgent, events: ChannelEvents): Channel {
  let open = true
  const close = (error: unknown) => {
    if (!open) return
    open = false
    agent.destroy()
    events.onClosed(error)
  }
  return {
    reserve: () => open,
    close: () => close(undefined),
    ask(path, headers, signal) {
      return new Promise((resolve, reject) => {
        const send = server.protocol === 'http:' ? plainRequest : tlsRequest
        const url = new URL(path, server)
        const sent: ClientRequest = send(url, { agent, headers, signal }, (received: IncomingMessage) => {
          events.onAlive()
          const { statusCode: status = 0 } = received
          resolve({ status, headers: received.headers, body: received, endedWell: () => received.complete })
        })
        sent.on('error', (error) => {
          reject(error)
          if (!signal.aborted) close(error)
        })
        sent.end()
      })
    },
  }
}
