import type { Readable } from 'node:stream'
import { clusterUnreachable, type KubeObject } from '@quarterdeck/kernel'
import { z } from 'zod'
import { statusProblem } from './status.ts'

/** One line of a watch. A BOOKMARK carries nothing but the resourceVersion to go on from. */
export interface WatchEvent {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'
  object: KubeObject
}

const Frame = z.object({
  type: z.enum(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR']),
  object: z.record(z.string(), z.unknown()),
})
const MAX_LINE_BYTES = 8 * 1024 * 1024 // etcd takes 1.5 MiB an object; JSON of it stays well below

/**
 * The events of a watch body. Ends when the API server ends the watch, as it does every half hour or so; throws
 * watchExpired on 410 and clusterUnreachable on a line that cannot be read or is cut off. Nothing is skipped.
 */
export async function* watchEvents(body: Readable, cluster: string, what: string): AsyncGenerator<WatchEvent> {
  for await (const line of linesOf(body, () => broken(cluster, what, 'it is longer than 8 MiB'))) {
    let value: unknown
    try {
      value = JSON.parse(line)
    } catch {
      throw broken(cluster, what, 'it is not JSON')
    }
    const frame = Frame.safeParse(value)
    if (!frame.success) throw broken(cluster, what, 'it is not a watch event')
    const { type, object } = frame.data
    if (type === 'ERROR') {
      const code = typeof object.code === 'number' ? object.code : 500
      throw statusProblem(code, object, { cluster, verb: 'watch', what, write: false })
    }
    yield { type, object: object as KubeObject }
  }
}

const broken = (cluster: string, what: string, why: string) =>
  clusterUnreachable({
    detail: `Cluster ${cluster}: a line of the watch on ${what} cannot be read (${why}). Reading starts again.`,
    reason: 'WatchBroken',
  })

/** Complete lines of a stream; a last one without its newline is an error. */
async function* linesOf(body: Readable, tooLong: () => Error): AsyncGenerator<string> {
  let parts: Buffer[] = []
  let held = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    let from = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      parts.push(chunk.subarray(from, end))
      yield Buffer.concat(parts).toString('utf8')
      parts = []
      held = 0
      from = end + 1
    }
    if (from < chunk.length) {
      parts.push(chunk.subarray(from))
      held += chunk.length - from
      if (held > MAX_LINE_BYTES) throw tooLong()
    }
  }
  if (held > 0) throw Object.assign(new Error('the watch was cut off'), { code: 'ECONNRESET' })
}
