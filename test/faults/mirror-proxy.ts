import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2'
import { Agent, request as httpsRequest } from 'node:https'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { parseKubeconfig } from '@quarterdeck/kube'
import { createTestAuthority } from '@quarterdeck/testkit'
import { stringify } from 'yaml'

/** A request as the mirror sends it. */
export interface ProxiedRequest {
  path: string
  query: URLSearchParams
  /** The last part of the path: `pods`. */
  resource: string
  watch: boolean
}

/** What is done to one request instead of passing it on. */
export interface Toxic {
  /** Answered by the proxy. */
  answer?: { status: number; headers?: Record<string, string>; body?: string | Buffer }
  /**
   * What goes on instead of each event of a watch, as whole events. `end` ends the body as a server does, `cut` ends the
   * connection's stream in the middle; what stands before them is sent.
   */
  frame?(frame: Frame): (Buffer | 'end' | 'cut')[]
}

/** One event of a watch, as it is on the wire. */
export interface Frame {
  bytes: Buffer
  /** ADDED, BOOKMARK …, in either encoding. */
  type: string
  /** Of JSON: the event. Undefined for protobuf. */
  event: { type: string; object: { metadata?: Record<string, unknown> } } | undefined
  /** Number within its watch, from 0. */
  number: number
}

/** Stands between the mirror and an API server, speaks TLS and HTTP/2 to the one and HTTP/1.1 to the other. */
export interface MirrorProxy {
  /** Leads to the proxy. */
  kubeconfig: string
  /** Asked for each request; undefined: nothing is wrong. */
  toxic: (request: ProxiedRequest) => Toxic | undefined
  /** All that came. */
  requests: (ProxiedRequest & { time: number })[]
  /** Bytes are held back in both directions while all connections stay open; new ones are taken and hear nothing. */
  freeze(): void
  thaw(): void
  /** Ends all connections. */
  cut(): void
  close(): void
}

/** Starts it in front of the API server that the kubeconfig leads to. */
export async function mirrorProxy(kubeconfig: string): Promise<MirrorProxy> {
  const { server: upstream, ca, certificate, key } = parseKubeconfig(kubeconfig)
  const agent = new Agent({
    keepAlive: true,
    ...(ca ? { ca } : {}),
    ...(certificate ? { cert: certificate, key } : {}),
  })
  const authority = createTestAuthority('proxy')
  const own = authority.issue({ commonName: 'proxy', names: ['127.0.0.1'] })
  // What waits to be sent counts: at Node's ten megabytes it would refuse requests, as no API server does.
  const server = createSecureServer({
    cert: own.certificate,
    key: own.key,
    allowHTTP1: true,
    maxSessionMemory: 1_000,
  })
  const tlsPort = await listening(server)
  const sockets = new Set<Socket>()
  let frozen = false
  const front = createServer((client) => join(client, connect(tlsPort, '127.0.0.1')))
  function join(client: Socket, inner: Socket): void {
    for (const [socket, other] of [
      [client, inner],
      [inner, client],
    ] as const) {
      sockets.add(socket)
      socket
        .on('error', () => other.destroy())
        .on('close', () => {
          sockets.delete(socket)
          other.destroy()
        })
      socket.pipe(other)
      if (frozen) socket.pause()
    }
  }
  const port = await listening(front)
  const proxy: MirrorProxy = {
    kubeconfig: kubeconfigFor(port, authority.certificate),
    toxic: () => undefined,
    requests: [],
    freeze() {
      frozen = true
      for (const socket of sockets) socket.pause()
    },
    thaw() {
      frozen = false
      for (const socket of sockets) socket.resume()
    },
    cut() {
      for (const socket of sockets) socket.destroy()
    },
    close() {
      for (const socket of sockets) socket.destroy()
      front.close()
      server.close()
      agent.destroy()
    },
  }
  server.on('request', (request: Http2ServerRequest, response: Http2ServerResponse) => {
    const asked = askedBy(request.url)
    proxy.requests.push({ ...asked, time: performance.now() })
    const toxic = proxy.toxic(asked)
    if (toxic?.answer) {
      response.writeHead(toxic.answer.status, { 'content-type': 'application/json', ...toxic.answer.headers })
      response.end(toxic.answer.body ?? '')
    } else passOn(request, response, { upstream, agent, toxic })
  })
  return proxy
}

const listening = async (server: {
  listen(port: number, host: string, done: () => void): unknown
  address(): unknown
}) => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

const kubeconfigFor = (port: number, ca: string) =>
  stringify({
    clusters: [
      {
        name: 'c',
        cluster: {
          server: `https://127.0.0.1:${port}`,
          'certificate-authority-data': Buffer.from(ca).toString('base64'),
        },
      },
    ],
    users: [{ name: 'u', user: { token: 'the proxy has its own' } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  })

function askedBy(url: string): ProxiedRequest {
  const { pathname, searchParams } = new URL(url, 'https://proxy')
  const resource = pathname.slice(pathname.lastIndexOf('/') + 1)
  return { path: pathname, query: searchParams, resource, watch: searchParams.get('watch') === 'true' }
}

function passOn(
  request: Http2ServerRequest,
  response: Http2ServerResponse,
  { upstream, agent, toxic }: { upstream: string; agent: Agent; toxic: Toxic | undefined },
): void {
  const { accept = '*/*', 'user-agent': userAgent = 'proxy' } = request.headers
  const sent = httpsRequest(`${upstream}${request.url}`, { agent, headers: { accept, 'user-agent': userAgent } })
  const cut = () => response.stream?.close(2) // INTERNAL_ERROR
  sent.on('error', cut)
  response.on('close', () => sent.destroy())
  sent.on('response', (answer) => {
    const contentType = answer.headers['content-type'] ?? ''
    response.writeHead(answer.statusCode ?? 502, { 'content-type': contentType })
    const frames = toxic?.frame && answer.statusCode === 200 ? new Frames(contentType.includes('protobuf')) : undefined
    // A watch may have nothing to say for long. The types do not know it.
    ;(response as unknown as { flushHeaders(): void }).flushHeaders()
    answer.on('error', cut)
    answer.on('data', (piece: Buffer) => {
      if (!frames || !toxic?.frame) return void response.write(piece)
      for (const frame of frames.add(piece)) {
        for (const part of toxic.frame(frame)) {
          if (part === 'cut') cut()
          else if (part === 'end') response.end()
          else if (!response.writableEnded) response.write(part)
        }
      }
    })
    answer.on('end', () => response.end())
  })
  sent.end()
}

/** Of an event in protobuf: four bytes of length, then field 1, the type, first. */
const typeOf = (bytes: Buffer): string => bytes.subarray(6, 6 + (bytes[5] ?? 0)).toString('latin1')

/** Whole events of a watch. */
class Frames {
  readonly #protobuf: boolean
  #held = Buffer.alloc(0)
  #number = 0

  constructor(protobuf: boolean) {
    this.#protobuf = protobuf
  }

  *add(piece: Buffer): Generator<Frame> {
    this.#held = Buffer.concat([this.#held, piece])
    for (let length = this.#next(); length > 0; length = this.#next()) {
      const bytes = this.#held.subarray(0, length)
      this.#held = this.#held.subarray(length)
      const event = this.#protobuf ? undefined : JSON.parse(bytes.toString('utf8'))
      const type: string = event?.type ?? typeOf(bytes)
      yield { bytes, type, event, number: this.#number++ }
    }
  }

  #next(): number {
    if (!this.#protobuf) return this.#held.indexOf(0x0a) + 1
    if (this.#held.length < 4) return 0
    const length = 4 + this.#held.readUInt32BE(0)
    return this.#held.length < length ? 0 : length
  }
}
