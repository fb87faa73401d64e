import { createHash } from 'node:crypto'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type AnyEndpoint, problemType } from '@quarterdeck/kernel'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { stillAdmitted } from './admission.ts'
import type { Server } from './server.ts'

/** What a client wants its connection to become. */
export type ProxyUpgrade = { to: 'websocket'; protocol: string } | { to: 'SPDY/3.1'; protocols: readonly string[] }

/** The other end of a connection that is passed on byte by byte. */
export interface ProxyTunnel {
  /** The protocol that it speaks: one of those that were asked for. */
  readonly protocol: string
  readonly stream: Duplex
}

const noSuchUpgrade = problemType('upgrade-unsupported', 400, 'The connection cannot be upgraded to this')

const PROTOCOL = /^[\w.+/-]{1,100}$/
const MOST_PROTOCOLS = 10
const KEY = /^[A-Za-z0-9+/]{22}==$/
// RFC 6455 §1.3
const HANDSHAKE_ID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const SILENT_MS = 30_000

const listed = (header: string | string[] | undefined): string[] =>
  String(header ?? '')
    .split(',')
    .map((one) => one.trim())
    .filter(Boolean)

/** What is asked for, judged. Of the subprotocols of a WebSocket the first counts. Throws for all else. */
export function upgradeOf({ method, headers }: FastifyRequest): ProxyUpgrade {
  const to = headers.upgrade?.toLowerCase()
  if (to === 'websocket' && method === 'GET') {
    const [protocol = ''] = listed(headers['sec-websocket-protocol'])
    const isPlain = PROTOCOL.test(protocol) && headers['sec-websocket-version'] === '13'
    if (isPlain && KEY.test(headers['sec-websocket-key'] ?? '')) return { to, protocol }
  }
  if (to === 'spdy/3.1' && (method === 'GET' || method === 'POST') && (headers['content-length'] ?? '0') === '0') {
    const protocols = listed(headers['x-stream-protocol-version'])
    const arePlain = protocols.every((one) => PROTOCOL.test(one)) && headers['transfer-encoding'] === undefined
    if (arePlain && protocols.length > 0 && protocols.length <= MOST_PROTOCOLS) return { to: 'SPDY/3.1', protocols }
  }
  throw noSuchUpgrade({
    detail:
      'Passed on are WebSockets (GET, version 13, with a subprotocol) and SPDY/3.1 without a body and with X-Stream-Protocol-Version: what kubectl sends for exec, attach and port-forward.',
  })
}

/** Whether it goes as bytes; a WebSocket with a plain subprotocol goes as frames, so that its end can be told. */
export const isTunnelled = (upgrade: ProxyUpgrade): boolean =>
  upgrade.to !== 'websocket' || upgrade.protocol.includes('/')

/**
 * Answers that the connection is upgraded and passes bytes on in both directions, until one end is gone or what was
 * needed to begin counts no longer.
 */
export function joinTunnel(
  server: Server,
  endpoint: AnyEndpoint,
  request: FastifyRequest,
  reply: FastifyReply,
  { upgrade, far, early, signal }: { upgrade: ProxyUpgrade; far: ProxyTunnel; early: Buffer; signal: AbortSignal },
): void {
  const near = request.raw.socket
  reply.hijack()
  reply.raw.detachSocket(near)
  const stop = stillAdmitted(server, endpoint, request, () => end(), { basic: true })
  const end = () => {
    stop()
    near.destroy()
    far.stream.destroy()
  }
  signal.addEventListener('abort', end, { once: true })
  near.on('error', end).once('close', end)
  // What came before the end is still sent on.
  far.stream.on('error', end).once('close', () => near.destroySoon())
  if (near.destroyed || far.stream.destroyed || signal.aborted) {
    end()
    return
  }
  near.setTimeout(0)
  near.setNoDelay(true)
  near.setKeepAlive(true, SILENT_MS)
  near.write(answerTo(request, upgrade, far.protocol))
  if (early.length > 0) near.unshift(early)
  pass(near, far.stream)
  pass(far.stream, near)
}

const pass = (from: Socket | Duplex, to: Socket | Duplex) => void from.pipe(to)

function answerTo({ headers }: FastifyRequest, { to }: ProxyUpgrade, protocol: string): string {
  const key = headers['sec-websocket-key'] ?? ''
  const accept = createHash('sha1')
    .update(key + HANDSHAKE_ID)
    .digest('base64')
  const lines =
    to === 'websocket'
      ? [`Sec-WebSocket-Accept: ${accept}`, `Sec-WebSocket-Protocol: ${protocol}`]
      : [`X-Stream-Protocol-Version: ${protocol}`]
  return ['HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', `Upgrade: ${to}`, ...lines, '', ''].join('\r\n')
}
