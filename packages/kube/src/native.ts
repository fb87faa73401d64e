import type { Readable } from 'node:stream'
import { clusterForbidden, invalidInput } from '@quarterdeck/kernel'
import WebSocket from 'ws'
import { type Connection, failureOf } from './connection.ts'
import { lookupServer } from './link-local.ts'
import { statusProblem } from './status.ts'

/** A request that goes to the API server as somebody wrote it. Everything else of it is made here, from nothing. */
export interface NativeRequest {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** As `nativePath` gives it. */
  path: string
  /** Without the question mark. */
  query: string
  accept?: string | undefined
  contentType?: string | undefined
  body?: Uint8Array | undefined
  signal?: AbortSignal | undefined
}

/** What the API server answered, refusals included. Destroying the body ends the request. */
export interface NativeAnswer {
  status: number
  /** Only those that say something about the body or the request. */
  headers: Record<string, string>
  body: Readable
}

/** A WebSocket to the API server: exec and attach. Port-forward's subprotocol has a slash, which no library takes: see tunnel.ts. */
export interface NativeSocket {
  readonly protocol: string
  /** Resolves when it has left. Never rejects. */
  send(frame: string | Uint8Array): Promise<void>
  onFrame(listener: (frame: string | Uint8Array) => void): void
  /** `cut`: it was ended from this side, or broke, before the other had ended it. */
  onClose(listener: (cut: boolean) => void): void
  pause(): void
  resume(): void
  close(): void
}

const PATH_CHARACTERS = /^[A-Za-z0-9\-._~!$&'()*+,;=:@%/]*$/
// Encoded, these would be read as something else by whoever decodes once more.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const HIDDEN = /[/\\%?#\u0000-\u001f\u007f]/

/**
 * The path below the API server of a request, given as it was sent and without a leading slash. Each segment is
 * decoded once, judged and encoded anew. Throws invalidInput for anything that could lead elsewhere.
 */
export function nativePath(sent: string): string {
  if (!PATH_CHARACTERS.test(sent)) throw refused('it holds characters that a path cannot have')
  const segments = sent.split('/')
  const decoded = segments.map((segment, index) => {
    const name = decode(segment)
    if (name === '.' || name === '..') throw refused('. and .. are not followed')
    if (HIDDEN.test(name)) throw refused('a name in it hides a separator')
    if (name === '' && (index < segments.length - 1 || segments.length === 1)) throw refused('a part of it is empty')
    return name
  })
  return `/${decoded.map((name) => encodeURIComponent(name).replaceAll('%3A', ':')).join('/')}`
}

const refused = (why: string) =>
  invalidInput({
    detail: `The path below the cluster is not one of the Kubernetes API: ${why}. It begins with api, apis, version or openapi.`,
    errors: [{ pointer: '/params/path', detail: why }],
  })

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    throw refused('its percent-encoding is not valid')
  }
}

// Whatever else the API server sends is between it and us: cookies, credentials asked for, redirects, server names.
const PASSED_ON = ['content-type', 'warning', 'retry-after', 'audit-id']

/** Sends a request and answers with whatever comes back. Throws clusterUnreachable, clusterForbidden for a refused credential. */
export async function sendNative(connection: Connection, request: NativeRequest): Promise<NativeAnswer> {
  const { method, path, query, accept, contentType, body, signal } = request
  const {
    statusCode: status,
    headers,
    body: answer,
  } = await connection.open({
    method,
    path,
    rawQuery: query,
    verb: method.toLowerCase(),
    what: path,
    ...(accept ? { accept } : {}),
    ...(contentType ? { contentType } : {}),
    ...(body ? { bytes: body } : {}),
    timeoutSeconds: 60,
    quietSeconds: 0,
    signal,
  })
  if (status === 401) {
    answer.on('error', () => {}).destroy()
    throw clusterForbidden({
      detail: `Cluster ${connection.cluster} does not accept the credentials that it is registered with; register it again with a new kubeconfig.`,
      credentials: 'refused',
    })
  }
  const passed = PASSED_ON.flatMap((name) => {
    const value = headers[name]
    return value === undefined ? [] : [[name, [value].flat().join(', ')] as const]
  })
  return { status, headers: Object.fromEntries(passed), body: answer }
}

// RFC 6455 §7.4.1: without a closing frame.
const BROKEN = 1006
const HANDSHAKE_MS = 15_000
const MAX_MESSAGE_BYTES = 32 * 1024 * 1024

/** Opens a WebSocket with one subprotocol. Throws what the API server's refusal stands for. */
export async function openNative(
  connection: Connection,
  { path, query, protocol, signal }: { path: string; query: string; protocol: string; signal: AbortSignal },
): Promise<NativeSocket> {
  const { cluster, server } = connection
  const { headers, tls } = await connection.credential()
  signal.throwIfAborted()
  const url = `${server.replace(/^http/, 'ws')}${path}${query ? `?${query}` : ''}`
  const limits = { handshakeTimeout: HANDSHAKE_MS, perMessageDeflate: false, maxPayload: MAX_MESSAGE_BYTES }
  const socket = new WebSocket(url, protocol, { ...tls, ...limits, headers, lookup: lookupServer })
  const early: [Buffer, boolean][] = []
  const keep = (bytes: Buffer, binary: boolean) => void early.push([bytes, binary])
  socket.on('message', keep)
  const stop = () => socket.terminate()
  signal.addEventListener('abort', stop, { once: true })
  socket.once('close', () => signal.removeEventListener('abort', stop))
  const attempt = { cluster, server, write: false, timeoutSeconds: HANDSHAKE_MS / 1000 }
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', (error) => reject(failureOf(error, attempt, signal)))
    socket.once('unexpected-response', (upgrade, response) => {
      if (response.statusCode === 401) connection.refused()
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => {
        if (text.length < 64_000) text += part
      })
      response.once('close', () => {
        upgrade.destroy()
        const asked = { cluster, verb: 'connect to', what: path, write: false, impersonated: connection.impersonated }
        reject(statusProblem(response.statusCode ?? 500, parsed(text), asked))
      })
    })
  })
  socket.on('error', () => {}) // 'close' follows
  return {
    protocol: socket.protocol,
    send: (frame) => new Promise((resolve) => socket.send(frame, () => resolve())),
    onFrame(listener) {
      const pass = (bytes: Buffer, binary: boolean) => listener(binary ? bytes : bytes.toString('utf8'))
      socket.off('message', keep)
      for (const [bytes, binary] of early.splice(0)) pass(bytes, binary)
      socket.on('message', pass)
    },
    onClose: (listener) => {
      if (socket.readyState === WebSocket.CLOSED) listener(true)
      else socket.once('close', (code) => listener(code === BROKEN))
    },
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    close: () => socket.close(1000),
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
