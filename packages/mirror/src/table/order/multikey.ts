/**
 * Sorts ids by strings of words: quicksort with three parts (Bentley and Sedgewick, 1997), which looks at no word twice.
 * `word` gives the word of an id at a depth; 0 says that the string has ended before.
 */
export function sortByWords(ids: Uint32Array, word: (id: number, depth: number) => number): void {
  const words = new Uint32Array(ids.length)
  const load = (from: number, to: number, depth: number) => {
    for (let at = from; at < to; at += 1) words[at] = word(ids[at] as number, depth)
  }
  const swap = (a: number, b: number) => {
    const id = ids[a] as number
    ids[a] = ids[b] as number
    ids[b] = id
    const held = words[a] as number
    words[a] = words[b] as number
    words[b] = held
  }
  // Parts that are still to be sorted: from, to, depth. The words of a part are loaded.
  const waiting: number[] = [0, ids.length, 0]
  load(0, ids.length, 0)
  while (waiting.length > 0) {
    const depth = waiting.pop() as number
    const to = waiting.pop() as number
    const from = waiting.pop() as number
    if (to - from < 2) continue
    const pivot = middleOf(words, from, to)
    let less = from
    let more = to
    let at = from
    while (at < more) {
      const value = words[at] as number
      if (value < pivot) {
        swap(less, at)
        less += 1
        at += 1
      } else if (value > pivot) {
        more -= 1
        swap(at, more)
      } else at += 1
    }
    if (less - from > 1) waiting.push(from, less, depth)
    if (to - more > 1) waiting.push(more, to, depth)
    if (pivot !== 0 && more - less > 1) {
      load(less, more, depth + 1)
      waiting.push(less, more, depth + 1)
    }
  }
}

function middleOf(words: Uint32Array, from: number, to: number): number {
  const a = words[from] as number
  const b = words[(from + to) >>> 1] as number
  const c = words[to - 1] as number
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c))
}
