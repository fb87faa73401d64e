import { once } from 'node:events'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { problemBody } from './problem-handler.ts'

// A stream that says nothing for this long gets its headers, so the client knows that it is open; before that a
// failure can still be told with its own status.
const FIRST_ITEM_WITHIN_MS = 300
// Proxies cut connections that are silent for a minute.
const HEARTBEAT_MS = 20_000

type Chunk = string | Uint8Array

const soon = (ms: number) => new Promise<'late'>((resolve) => setTimeout(resolve, ms, 'late').unref())

/**
 * Sends an iterable as text, or a JSON line an item. A failure before the first item is an ordinary problem; after it,
 * lines end with `{"$problem": …}` and text is cut off, so the client cannot take half for whole.
 */
export async function sendStream(
  request: FastifyRequest,
  reply: FastifyReply,
  items: AsyncIterable<unknown>,
  { lines, signal }: { lines: boolean; signal: AbortSignal },
): Promise<void> {
  const iterator = items[Symbol.asyncIterator]()
  const first = iterator.next()
  first.catch(() => undefined)
  await Promise.race([first, soon(FIRST_ITEM_WITHIN_MS)])
  reply.hijack()
  reply.raw.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    'content-type': lines ? 'application/jsonl; charset=utf-8' : 'text/plain; charset=utf-8',
    'x-accel-buffering': 'no',
  })
  reply.raw.flushHeaders()
  const heartbeat = lines ? setInterval(() => reply.raw.write('\n'), HEARTBEAT_MS) : undefined
  const abandoned = new Promise<undefined>((resolve) => {
    if (signal.aborted) resolve(undefined)
    signal.addEventListener('abort', () => resolve(undefined), { once: true })
  })
  try {
    let next: Promise<IteratorResult<unknown>> = first
    for (;;) {
      const result = await Promise.race([next, abandoned])
      if (result === undefined) throw signal.reason
      if (result.done) break
      const chunk = lines ? `${JSON.stringify(result.value)}\n` : (result.value as Chunk)
      if (!reply.raw.write(chunk)) await once(reply.raw, 'drain', { signal })
      next = iterator.next()
      next.catch(() => undefined)
    }
    reply.raw.end()
  } catch (thrown) {
    if (reply.raw.destroyed) return
    const error = signal.aborted ? signal.reason : thrown
    if (lines) reply.raw.end(`${JSON.stringify({ $problem: problemBody(error, request) })}\n`)
    else {
      problemBody(error, request)
      reply.raw.destroy()
    }
  } finally {
    clearInterval(heartbeat)
    // Not awaited: a generator that waits for something that never comes would hold us for ever.
    iterator.return?.(undefined)?.catch(() => undefined)
  }
}
