import { connect, type Socket } from 'node:net'

/** One kept HTTP/1.1 connection that costs the asker as little as possible. One request at a time. */
export interface BareConnection {
  /** Path below /api/v1. The body and the status. */
  get(path: string): Promise<{ status: number; body: Buffer; bytes: number }>
  end(): void
}

export interface BareOptions {
  url: string
  cookie: string
  /** Own address; the server's rate limit is by address. */
  localAddress?: string
}

/** Connects; rejects later requests when the connection is lost. */
export async function bareConnection({ url, cookie, localAddress }: BareOptions): Promise<BareConnection> {
  const { hostname, port } = new URL(url)
  const address = localAddress === undefined ? {} : { localAddress }
  const socket = connect({ host: hostname, port: Number(port), noDelay: true, ...address })
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  const answers = answersOf(socket)
  return {
    get(path) {
      socket.write(`GET /api/v1${path} HTTP/1.1\r\nhost: ${hostname}:${port}\r\ncookie: ${cookie}\r\n\r\n`)
      return answers.next()
    },
    end: () => socket.destroy(),
  }
}

function answersOf(socket: Socket) {
  let parts: Buffer[] = []
  let have = 0
  let head: { status: number; from: number; need: number } | undefined
  let waiting: PromiseWithResolvers<{ status: number; body: Buffer; bytes: number }> | undefined
  socket.on('data', (chunk) => {
    parts.push(chunk)
    have += chunk.length
    head ??= headOf(Buffer.concat(parts))
    if (!head || have < head.need) return
    const whole = parts.length === 1 ? chunk : Buffer.concat(parts)
    const { status, from } = head
    const bytes = have
    parts = []
    have = 0
    head = undefined
    waiting?.resolve({ status, body: whole.subarray(from), bytes })
  })
  const lost = (error?: Error) => waiting?.reject(error ?? new Error('The server has closed the connection'))
  socket.on('error', lost)
  socket.on('close', () => lost())
  return {
    next: () => {
      waiting = Promise.withResolvers()
      return waiting.promise
    },
  }
}

function headOf(bytes: Buffer): { status: number; from: number; need: number } | undefined {
  const end = bytes.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const text = bytes.toString('latin1', 0, end)
  const length = /content-length: (\d+)/i.exec(text)?.[1]
  if (length === undefined) throw new Error('An answer without its length cannot be measured')
  return { status: Number(text.slice(9, 12)), from: end + 4, need: end + 4 + Number(length) }
}
