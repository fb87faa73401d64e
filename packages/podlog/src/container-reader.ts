import type { Readable } from 'node:stream'
import { LineScanner, type TimedLine } from './line-scanner.ts'

/** How far a log has been read: the last instant, and how many lines carry it. */
export class Position {
  seconds = Number.NEGATIVE_INFINITY
  nanos = 0
  count = 0
  /** True when the run had ended before it was read: nothing follows. */
  complete = false

  get begun(): boolean {
    return this.seconds !== Number.NEGATIVE_INFINITY
  }

  /** RFC 3339 in whole seconds: where to ask the API server to go on from. */
  get sinceTime(): string {
    return new Date(this.seconds * 1000).toISOString().replace('.000Z', 'Z')
  }

  advance(lines: readonly TimedLine[]): void {
    for (const { seconds, nanos } of lines) {
      if (seconds === this.seconds && nanos === this.nanos) this.count += 1
      else if (seconds > this.seconds || (seconds === this.seconds && nanos > this.nanos)) {
        this.seconds = seconds
        this.nanos = nanos
        this.count = 1
      }
    }
  }

  /** A filter for a stream that begins somewhat before here: lets through what has not been read. */
  rest(): (line: TimedLine) => boolean {
    const { seconds, nanos } = this
    let { count } = this
    return (line) => {
      if (line.seconds !== seconds) return line.seconds > seconds
      if (line.nanos !== nanos) return line.nanos > nanos
      count -= 1
      return count < 0
    }
  }
}

/** The lines of a log as they come, a batch a chunk; `position` is where it goes on from and is kept up to date. */
export async function* readBatches(bytes: Readable, position: Position): AsyncGenerator<TimedLine[], void, undefined> {
  const scanner = new LineScanner()
  const unread = position.begun ? position.rest() : undefined
  const fresh = (lines: TimedLine[]) => {
    const batch = unread ? lines.filter(unread) : lines
    position.advance(batch)
    return batch
  }
  for await (const chunk of bytes as AsyncIterable<Buffer>) {
    const batch = fresh(scanner.push(chunk))
    if (batch.length > 0) yield batch
  }
  const last = fresh(scanner.end())
  if (last.length > 0) yield last
}
