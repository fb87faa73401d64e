import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Duplex } from 'node:stream'
import { clusterUnreachable } from '@quarterdeck/kernel'
import { type Connection, failureOf } from './connection.ts'
import { lookupServer } from './link-local.ts'
import { type Asked, statusProblem } from './status.ts'

/** What a connection becomes: a WebSocket with one subprotocol, or SPDY with those of its streams. */
export type Upgrade = { to: 'websocket'; protocol: string } | { to: 'SPDY/3.1'; protocols: readonly string[] }

/** A connection that the API server has upgraded: bytes of whatever it has become. */
export interface NativeTunnel {
  /** Which of the protocols it speaks. */
  readonly protocol: string
  /** Paused. Destroying it ends the connection. */
  readonly stream: Duplex
}

export interface TunnelRequest {
  method: 'GET' | 'POST'
  /** As `nativePath` gives it. */
  path: string
  /** Without the question mark. */
  query: string
  upgrade: Upgrade
  signal: AbortSignal
}

const HANDSHAKE_SECONDS = 15
const SILENT_MS = 30_000
const REFUSAL_CHARACTERS = 64_000
// RFC 6455 §1.3
const HANDSHAKE_ID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** What the server of a WebSocket answers to its client's key. */
const acceptOf = (key: string): string =>
  createHash('sha1')
    .update(key + HANDSHAKE_ID)
    .digest('base64')

/**
 * Asks the API server to upgrade a connection, and ends that connection unless it does. Throws what its refusal stands
 * for.
 */
export async function openTunnel(connection: Connection, request: TunnelRequest): Promise<NativeTunnel> {
  const { cluster, server, impersonated } = connection
  const { method, path, query, upgrade, signal } = request
  const { headers, tls } = await connection.credential()
  signal.throwIfAborted()
  const { protocol, hostname, port, pathname } = new URL(server)
  const key = randomBytes(16).toString('base64')
  const secure = protocol === 'https:'
  const sent = (secure ? httpsRequest : httpRequest)({
    ...(secure ? tls : {}),
    ...(secure ? { ALPNProtocols: ['http/1.1'] } : {}),
    agent: false,
    lookup: lookupServer,
    hostname: hostname.replace(/^\[|\]$/g, ''),
    port: port || (secure ? 443 : 80),
    method,
    path: `${pathname === '/' ? '' : pathname}${path}${query ? `?${query}` : ''}`,
    headers: { ...headers, connection: 'Upgrade', upgrade: upgrade.to, ...offered(upgrade, key) },
    timeout: HANDSHAKE_SECONDS * 1000,
  })
  const stop = () => sent.destroy(new Error('ended'))
  signal.addEventListener('abort', stop, { once: true })
  const asked = { cluster, verb: 'connect to', what: path, write: false, impersonated }
  try {
    return await new Promise((resolve, reject) => {
      sent.once('timeout', () => sent.destroy(new Error(`no answer in ${HANDSHAKE_SECONDS} s`)))
      sent.once('error', reject)
      sent.once('response', (answer) => {
        if (answer.statusCode === 401) connection.refused()
        refusal(answer, asked)
          .finally(() => sent.destroy())
          .then(reject, reject)
      })
      sent.once('upgrade', (answer, stream, head) => {
        signal.removeEventListener('abort', stop)
        const spoken = chosen(answer, upgrade, key)
        if (spoken === undefined) {
          stream.destroy()
          reject(notUpgraded(asked, server))
          return
        }
        stream.setTimeout(0)
        stream.setKeepAlive(true, SILENT_MS)
        if (head.length > 0) stream.unshift(head)
        resolve({ protocol: spoken, stream })
      })
      sent.end()
    })
  } catch (error) {
    throw failureOf(error, { cluster, server, write: false, timeoutSeconds: HANDSHAKE_SECONDS }, signal)
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

const offered = (upgrade: Upgrade, key: string): OutgoingHttpHeaders =>
  upgrade.to === 'websocket'
    ? { 'sec-websocket-version': '13', 'sec-websocket-key': key, 'sec-websocket-protocol': upgrade.protocol }
    : { 'content-length': '0', 'x-stream-protocol-version': [...upgrade.protocols] }

/** Undefined: it has become something else than what was asked for. */
function chosen({ headers }: IncomingMessage, upgrade: Upgrade, key: string): string | undefined {
  if (headers.upgrade?.toLowerCase() !== upgrade.to.toLowerCase()) return undefined
  if (upgrade.to === 'websocket') {
    const agreed =
      headers['sec-websocket-accept'] === acceptOf(key) && headers['sec-websocket-extensions'] === undefined
    return agreed && headers['sec-websocket-protocol'] === upgrade.protocol ? upgrade.protocol : undefined
  }
  const spoken = headers['x-stream-protocol-version']
  return upgrade.protocols.find((one) => one === spoken)
}

/** The connection of a refusal is used for nothing else. */
async function refusal(answer: IncomingMessage, asked: Asked): Promise<Error> {
  let text = ''
  answer.setEncoding('utf8').on('data', (part: string) => {
    if (text.length < REFUSAL_CHARACTERS) text += part
  })
  await once(answer, 'close').catch(() => undefined)
  return statusProblem(answer.statusCode ?? 500, parsed(text), asked)
}

const notUpgraded = ({ cluster, what }: Asked, server: string) =>
  clusterUnreachable({
    detail: `Cluster ${cluster} does not connect to ${what} as it was asked to. Something between here and ${server} may not pass upgraded connections on.`,
  })

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
