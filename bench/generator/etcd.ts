import { connect } from 'node:http2'
import { Agent, request } from 'node:https'
import type { Endpoint } from '@quarterdeck/local-cluster'
import type { Generated } from './shape.ts'

const PUTS_A_TRANSACTION = 100
const BYTES_A_TRANSACTION = 1_000_000
const IN_FLIGHT = 3

/** Writes objects straight into etcd, past the API server, which sees them as changes by somebody else. */
export interface EtcdWriter {
  /** All puts in one transaction: at most 100, together below 1 MB. Answers the revision that they got. */
  put(objects: readonly Generated[]): Promise<number>
  close(): void
}

/** Connects to etcd's JSON gateway with the client certificate that it wants. */
export function etcdWriter(endpoint: Endpoint): EtcdWriter {
  const { url, authority, certificate, key } = endpoint
  const agent = new Agent({ keepAlive: true, maxSockets: IN_FLIGHT, ca: authority, cert: certificate, key })
  const transaction = async (success: object[]): Promise<number> => {
    const body = JSON.stringify({ success })
    const answer = await send(`${url}/v3/kv/txn`, agent, body)
    const { header, succeeded } = JSON.parse(answer) as { header?: { revision?: string }; succeeded?: boolean }
    if (!succeeded) throw new Error(`etcd has not taken a transaction: ${answer.slice(0, 300)}`)
    return Number(header?.revision ?? 0)
  }
  return {
    put: (objects) =>
      transaction(
        objects.map((one) => ({ requestPut: { key: base64(one.key), value: base64(JSON.stringify(one.object)) } })),
      ),
    close: () => agent.destroy(),
  }
}

/** Changes objects in etcd, each at a revision of its own, as every change of a real cluster is. */
export interface EtcdChanger {
  /** Sends it; resolves when etcd has it. */
  put(object: Generated): Promise<void>
  close(): void
}

/** Speaks gRPC: the JSON gateway costs etcd more than the change itself. */
export function etcdChanger({ url, authority, certificate, key }: Endpoint): EtcdChanger {
  const session = connect(url, { ca: authority, cert: certificate, key })
  const headers = {
    ':method': 'POST',
    ':path': '/etcdserverpb.KV/Put',
    'content-type': 'application/grpc',
    te: 'trailers',
  }
  return {
    put(object) {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const stream = session.request(headers)
      stream.once('error', reject)
      stream.once('trailers', (trailers) => {
        if (trailers['grpc-status'] === '0') resolve()
        else reject(new Error(`etcd answers ${trailers['grpc-status']}: ${trailers['grpc-message']}`))
      })
      stream.resume()
      stream.end(putRequest(object))
      return promise
    },
    close: () => session.close(),
  }
}

/** A PutRequest (1: key, 2: value) as one gRPC message: not compressed, its length, its bytes. */
function putRequest({ key, object }: Generated): Buffer {
  const fields = [Buffer.from(key), Buffer.from(JSON.stringify(object))]
  const message = fields.flatMap((bytes, n) => [Buffer.from([(n + 1) * 8 + 2, ...varint(bytes.length)]), bytes])
  const length = message.reduce((sum, bytes) => sum + bytes.length, 0)
  const frame = Buffer.alloc(5)
  frame.writeUInt32BE(length, 1)
  return Buffer.concat([frame, ...message])
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)]
}

/** Writes all of them, three transactions at a time. Answers how many there were. */
export async function seed(endpoint: Endpoint, objects: Iterable<Generated>): Promise<number> {
  const writer = etcdWriter(endpoint)
  const transactions = inTransactions(objects)
  let count = 0
  const work = async () => {
    for (let next = transactions.next(); !next.done; next = transactions.next()) {
      count += next.value.length
      await writer.put(next.value)
    }
  }
  try {
    await Promise.all(Array.from({ length: IN_FLIGHT }, work))
  } finally {
    writer.close()
  }
  return count
}

/** Cut so that each is within what etcd takes. */
export function* inTransactions(objects: Iterable<Generated>): Generator<Generated[]> {
  let batch: Generated[] = []
  let bytes = 0
  for (const one of objects) {
    const size = JSON.stringify(one.object).length * 1.4
    if (batch.length >= PUTS_A_TRANSACTION || (batch.length > 0 && bytes + size > BYTES_A_TRANSACTION)) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(one)
    bytes += size
  }
  if (batch.length > 0) yield batch
}

const base64 = (text: string) => Buffer.from(text).toString('base64')

function send(url: string, agent: Agent, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const outgoing = request(url, { method: 'POST', agent, headers }, (incoming) => {
      incoming.setEncoding('utf8')
      let text = ''
      incoming.on('data', (chunk: string) => {
        text += chunk
      })
      incoming.on('end', () =>
        incoming.statusCode === 200
          ? resolve(text)
          : reject(new Error(`etcd answers ${incoming.statusCode}: ${text.slice(0, 300)}`)),
      )
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}
