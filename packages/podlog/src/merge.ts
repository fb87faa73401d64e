import { compareTime, type TimedLine } from './line-scanner.ts'

/** The lines of one source, in its own order, a batch at a time. */
export type Batches = AsyncIterator<TimedLine[]>

interface Head {
  source: number
  batches: Batches
  lines: TimedLine[]
  at: number
}

/**
 * All lines of all sources in the order of their time, exactly: reads on only where the next line may come from, so
 * slow reading slows the sources. Each source's own order is kept even where its clock went backwards.
 */
export async function* mergeByTime(
  sources: readonly Batches[],
): AsyncGenerator<{ source: number; line: TimedLine }, void, undefined> {
  const heads: Head[] = []
  const opened = await Promise.all(sources.map((batches, source) => advance({ source, batches, lines: [], at: -1 })))
  for (const head of opened) if (head) push(heads, head)
  while (heads.length > 0) {
    const head = heads[0] as Head
    yield { source: head.source, line: head.lines[head.at] as TimedLine }
    if (head.at + 1 < head.lines.length) head.at += 1
    else if (!(await advance(head))) {
      const last = heads.pop() as Head
      if (heads.length === 0) continue
      if (last !== head) heads[0] = last
    }
    sink(heads)
  }
}

/** Puts the source on its next line; undefined when it has ended. */
async function advance(head: Head): Promise<Head | undefined> {
  head.at += 1
  while (head.at >= head.lines.length) {
    const { done, value } = await head.batches.next()
    if (done) return undefined
    head.lines = value
    head.at = 0
  }
  return head
}

const before = (a: Head, b: Head): boolean => {
  const order = compareTime(a.lines[a.at] as TimedLine, b.lines[b.at] as TimedLine)
  return order < 0 || (order === 0 && a.source < b.source)
}

function push(heads: Head[], head: Head): void {
  let at = heads.push(head) - 1
  while (at > 0) {
    const parent = (at - 1) >> 1
    if (!before(head, heads[parent] as Head)) break
    heads[at] = heads[parent] as Head
    at = parent
  }
  heads[at] = head
}

function sink(heads: Head[]): void {
  const head = heads[0] as Head
  let at = 0
  for (;;) {
    let child = at * 2 + 1
    if (child >= heads.length) break
    if (child + 1 < heads.length && before(heads[child + 1] as Head, heads[child] as Head)) child += 1
    if (!before(heads[child] as Head, head)) break
    heads[at] = heads[child] as Head
    at = child
  }
  heads[at] = head
}
