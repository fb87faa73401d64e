// Reads lists to nowhere, in a process of its own: what is left when nothing is done with them. Started by floor.ts.
import { type ClientHttp2Session, connect, constants } from 'node:http2'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FloorAnswer, FloorRequest } from './floor.ts'

const ACCEPT = 'application/vnd.kubernetes.protobuf,application/json'
/** The annotation's name in the bookmark that ends the initial events; all bookmarks of other kinds lack it. */
const END = Buffer.from('k8s.io/initial-events-end')

process.once('message', async ({ endpoint, paths, way }: FloorRequest) => {
  const session = connect(endpoint.url, {
    ca: endpoint.authority,
    cert: endpoint.certificate,
    key: endpoint.key,
    settings: { initialWindowSize: 8 * 2 ** 20 },
  })
  session.on('remoteSettings', () => session.setLocalWindowSize(32 * 2 ** 20))
  const before = process.cpuUsage()
  const began = performance.now()
  const all = await Promise.all(paths.map((path) => readUntilAnswered(session, path, way)))
  const wallMs = performance.now() - began
  const { user, system } = process.cpuUsage(before)
  const answer: FloorAnswer = {
    wallMs,
    firstByteMs: Math.min(...all.map((one) => one.firstByte)) - began,
    bytes: all.reduce((sum, one) => sum + one.bytes, 0),
    cpuSeconds: (user + system) / 1e6,
  }
  process.send?.(answer, () => process.exit(0))
})

/** An API server that has just started answers 429 until it knows a kind's objects. */
async function readUntilAnswered(session: ClientHttp2Session, path: string, way: FloorRequest['way']) {
  for (;;) {
    const answer = await read(session, path, way)
    if (answer.status === 200) return answer
    if (answer.status !== 429) throw new Error(`${path} answers ${answer.status}`)
    await sleep(100)
  }
}

function read(session: ClientHttp2Session, path: string, way: FloorRequest['way']) {
  const streaming = way === 'watchList'
  const query = streaming
    ? 'watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true'
    : 'resourceVersion=0'
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; bytes: number; firstByte: number }>()
  const stream = session.request({
    [constants.HTTP2_HEADER_PATH]: `${path}?${query}`,
    accept: streaming ? 'application/vnd.kubernetes.protobuf;stream=watch,application/json' : ACCEPT,
    'user-agent': 'quarterdeck/0.1',
  })
  let status = 0
  let bytes = 0
  let firstByte = 0
  let tail = Buffer.alloc(0)
  stream.on('response', (headers) => {
    status = Number(headers[constants.HTTP2_HEADER_STATUS])
  })
  stream.on('data', (chunk: Buffer) => {
    firstByte ||= performance.now()
    bytes += chunk.length
    if (!streaming) return
    // The last frame is small, so its end lies in the last two chunks.
    const end = Buffer.concat([tail, chunk.subarray(-1024)])
    if (end.includes(END)) stream.close(constants.NGHTTP2_CANCEL)
    tail = end.subarray(-512)
  })
  stream.on('close', () => resolve({ status, bytes, firstByte }))
  stream.on('error', reject)
  stream.end()
  return promise
}
