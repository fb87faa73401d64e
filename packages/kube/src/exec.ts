import { Readable, Writable } from 'node:stream'
import { clusterUnreachable } from '@quarterdeck/kernel'
import WebSocket from 'ws'
import { type Connection, failureOf } from './connection.ts'
import { execExit } from './exec-exit.ts'
import { lookupServer } from './link-local.ts'
import { statusProblem } from './status.ts'

/** Columns and rows of a terminal. */
export interface TerminalSize {
  columns: number
  rows: number
}

export interface ExecRequest {
  namespace: string
  pod: string
  container?: string | undefined
  /** Program and arguments; no shell is put between. */
  command: readonly string[]
  /** True: a terminal; its stderr comes with stdout. */
  tty?: boolean
  /** True: `stdin` is connected. */
  stdin?: boolean
  /** First size of the terminal. */
  size?: TerminalSize
  signal?: AbortSignal | undefined
}

/** A command that runs in a container. */
export interface Exec {
  /** Reading slowly slows the command. */
  readonly stdout: Readable
  readonly stderr: Readable
  /** Ending it ends the command's input; on clusters before 1.30 the input stays open. */
  readonly stdin: Writable
  /** Exit code; rejects with clusterUnreachable when the connection broke before there was one. */
  readonly exit: Promise<number>
  resize(size: TerminalSize): void
  /** Ends the connection; the command gets a hang-up. Safe to repeat. */
  close(): void
}

// Channels of {v4,v5}.channel.k8s.io: the first byte of each message.
const STDIN = 0
const STDOUT = 1
const STDERR = 2
const ERROR = 3
const RESIZE = 4
const CLOSE = 255 // v5: the next byte says which channel ends
const PROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io']
const CONNECT_TIMEOUT_MS = 15_000 // API server and kubelet together; the kubelet's own limit is 10 s
const PING_MS = 20_000 // proxies drop connections that are silent for a minute
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024 // kubelets send 32 KiB at a time
const REFUSAL_CHARACTERS = 100_000

/** Starts a command in a container. Resolves when the API server has switched protocols. */
export async function execInPod(connection: Connection, request: ExecRequest): Promise<Exec> {
  const socket = await open(connection, request)
  const exec = attach(socket, connection.cluster, `${request.namespace}/${request.pod}`)
  const stop = () => exec.close()
  request.signal?.addEventListener('abort', stop, { once: true })
  socket.once('close', () => request.signal?.removeEventListener('abort', stop))
  if (request.size) exec.resize(request.size)
  return exec
}

function execUrl(server: string, { namespace, pod, container, command, tty, stdin }: ExecRequest): string {
  const query = new URLSearchParams(command.map((part): [string, string] => ['command', part]))
  if (container) query.set('container', container)
  query.set('stdin', String(stdin ?? false))
  query.set('stdout', 'true')
  query.set('stderr', String(!tty))
  query.set('tty', String(tty ?? false))
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/exec`
  return `${server.replace(/^http/, 'ws')}${path}?${query}`
}

async function open(connection: Connection, request: ExecRequest): Promise<WebSocket> {
  const { cluster, server } = connection
  const { headers, tls } = await connection.credential()
  request.signal?.throwIfAborted()
  const socket = new WebSocket(execUrl(server, request), PROTOCOLS, {
    ...tls,
    headers,
    lookup: lookupServer,
    handshakeTimeout: CONNECT_TIMEOUT_MS,
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE_BYTES,
  })
  const what = `Pod ${request.namespace}/${request.pod}`
  const attempt = { cluster, server, write: false, timeoutSeconds: CONNECT_TIMEOUT_MS / 1000 }
  const stop = () => socket.terminate()
  request.signal?.addEventListener('abort', stop, { once: true })
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve)
      socket.once('error', (error) => reject(failureOf(error, attempt, request.signal)))
      socket.once('unexpected-response', (upgrade, response) => {
        if (response.statusCode === 401) connection.refused()
        let text = ''
        response.setEncoding('utf8').on('data', (part: string) => {
          if (text.length < REFUSAL_CHARACTERS) text += part
        })
        response.once('close', () => {
          upgrade.destroy()
          reject(
            statusProblem(response.statusCode ?? 500, parsed(text), {
              cluster,
              verb: 'exec into',
              what,
              write: false,
              plainText: true,
              impersonated: connection.impersonated,
            }),
          )
        })
      })
    })
  } finally {
    request.signal?.removeEventListener('abort', stop)
  }
  return socket
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function attach(socket: WebSocket, cluster: string, what: string): Exec {
  const full = new Set<Readable>()
  const output = (): Readable => {
    const stream: Readable = new Readable({
      highWaterMark: 256 * 1024,
      read() {
        if (full.delete(stream) && full.size === 0) socket.resume()
      },
    })
    return stream
  }
  const outputs = { [STDOUT]: output(), [STDERR]: output() }
  const { promise: exit, resolve, reject } = Promise.withResolvers<number>()
  exit.catch(() => {}) // who does not wait for it does not want to hear of it
  let quiet = false
  socket.on('message', (message: Buffer) => {
    quiet = false
    const channel = message[0]
    const content = message.subarray(1)
    if (channel === ERROR) {
      const { code, problem } = execExit(content.toString('utf8'), { cluster, what })
      if (problem) reject(problem)
      else resolve(code)
    } else if ((channel === STDOUT || channel === STDERR) && content.length > 0) {
      const stream = outputs[channel]
      if (!stream.push(content)) {
        full.add(stream)
        socket.pause()
      }
    }
  })
  socket.on('error', () => {}) // 'close' follows
  socket.on('close', () => {
    clearInterval(ping)
    for (const stream of Object.values(outputs)) stream.push(null)
    reject(clusterUnreachable({ detail: `Cluster ${cluster}: the connection to ${what} broke.`, reason: 'ExecBroken' }))
  })
  // Only into silence: an API server that cannot pass a ping on, since the command has ended, cuts the connection with
  // the command's last output still in it.
  const ping = setInterval(() => {
    if (quiet && full.size === 0) socket.ping()
    quiet = true
  }, PING_MS)
  ping.unref()
  return {
    stdout: outputs[STDOUT],
    stderr: outputs[STDERR],
    stdin: input(socket),
    exit,
    resize: ({ columns, rows }) => send(socket, RESIZE, Buffer.from(JSON.stringify({ Width: columns, Height: rows }))),
    close: () => socket.terminate(),
  }
}

function send(socket: WebSocket, channel: number, content: Buffer, done?: (error?: Error) => void): void {
  if (socket.readyState !== WebSocket.OPEN) {
    done?.(Object.assign(new Error('the command has ended'), { code: 'EPIPE' }))
    return
  }
  socket.send(Buffer.concat([Buffer.of(channel), content]), { binary: true }, done)
}

const input = (socket: WebSocket): Writable =>
  new Writable({
    write: (chunk: Buffer, _encoding, done) => send(socket, STDIN, chunk, done),
    final(done) {
      if (socket.protocol === PROTOCOLS[0] && socket.readyState === WebSocket.OPEN) {
        send(socket, CLOSE, Buffer.of(STDIN), done)
      } else done()
    },
  }).on('error', () => {}) // writing to a command that has ended is not a failure of the caller
