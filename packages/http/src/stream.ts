import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { jsonLine } from '@quarterdeck/kernel'
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
  const out = batchedTo(reply.raw)
  // One waiter at a time. Not Promise.race with a promise that lasts as long as the stream: that keeps every item.
  let giveUp: () => void = () => undefined
  const onAbort = () => giveUp()
  signal.addEventListener('abort', onAbort, { once: true })
  const unlessAborted = (next: Promise<IteratorResult<unknown>>) =>
    new Promise<IteratorResult<unknown>>((resolve, reject) => {
      giveUp = () => reject(signal.reason)
      if (signal.aborted) giveUp()
      next.then(resolve, reject)
    })
  try {
    for (let next = first; ; next = iterator.next()) {
      const { done, value } = await unlessAborted(next)
      if (done) break
      out.write(lines ? jsonLine(value) : (value as Chunk))
      if (reply.raw.writableNeedDrain) await once(reply.raw, 'drain', { signal })
    }
    out.flush()
    reply.raw.end()
  } catch (thrown) {
    if (reply.raw.destroyed) return
    out.flush()
    const error = signal.aborted ? signal.reason : thrown
    if (lines) reply.raw.end(`${JSON.stringify({ $problem: problemBody(error, request) })}\n`)
    else {
      problemBody(error, request)
      reply.raw.destroy()
    }
  } finally {
    clearInterval(heartbeat)
    signal.removeEventListener('abort', onAbort)
    // Not awaited: a generator that waits for something that never comes would hold us for ever.
    iterator.return?.(undefined)?.catch(() => undefined)
  }
}

const BATCH_CHARACTERS = 16 * 1024

/** Pieces of text that come in the same turn leave together: a write a line would be most of the work. */
function batchedTo(raw: ServerResponse): { write(chunk: Chunk): void; flush(): void } {
  let held = ''
  let timer: NodeJS.Immediate | undefined
  const flush = () => {
    clearImmediate(timer)
    timer = undefined
    if (held === '' || raw.destroyed) return
    const text = held
    held = ''
    raw.write(text)
  }
  return {
    flush,
    write(chunk) {
      if (typeof chunk !== 'string') {
        flush()
        raw.write(chunk)
        return
      }
      held += chunk
      if (held.length >= BATCH_CHARACTERS) flush()
      else timer ??= setImmediate(flush)
    },
  }
}
