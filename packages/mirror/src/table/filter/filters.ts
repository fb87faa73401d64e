import type { Expression } from '../../expression.ts'
import { EVERYTHING, QueryError, type Reader } from '../../mirror.ts'
import { type Bits, bitsIn, countBits, grownBits, hasBit, wordsFor } from '../bitmap.ts'
import type { Budget, Kept } from '../budget.ts'
import type { Table } from '../table.ts'
import { type Leaf, MaintainedLeaf } from './leaf.ts'
import { Rights } from './rights.ts'
import { StringTest, type StringTests } from './string-test.ts'
import { ageLeaf, type ClusterNames, fieldTest, labelTest, textTest } from './tests.ts'

/** An expression whose tests are bitmaps. */
type Node = { leaf: Leaf } | { all: Node[] } | { any: Node[] } | { not: Node }

/** So deep may expressions be. */
const DEEPEST = 50

/** Rows that match an expression and that a reader may see; kept up to date when it is asked. */
export class Result implements Kept {
  readonly #table: Table
  readonly #node: Node
  readonly #leaves: Leaf[]
  /** Every one of these has to match. */
  readonly #needed: Leaf[]
  readonly #now: () => number
  #position = -1
  #second = -1
  /** Rows that match; the others' bits are 0. Words beyond the table's are 0. */
  bits: Bits = new Uint32Array(0)
  count = 0
  /** Another number when `bits` changed. */
  version = 0
  /** What matches changes with the time alone. */
  readonly timed: boolean

  constructor(table: Table, node: Node, nowSeconds: () => number) {
    this.#table = table
    this.#node = node
    this.#now = nowSeconds
    this.#leaves = leavesOf(node)
    this.#needed = neededOf(node)
    this.timed = this.#leaves.some((leaf) => leaf.timed)
  }

  get bytes(): number {
    return this.bits.byteLength + 300
  }

  has(row: number): boolean {
    return row < this.#table.slots && hasBit(this.bits, row)
  }

  /** Brings it up to the present; costs next to nothing when nothing changed. */
  refresh(): this {
    const { log, capacity, slots } = this.#table
    const second = this.timed ? this.#now() : 0
    if (this.#position === log.position && this.#second === second) return this
    for (const leaf of this.#leaves) leaf.refresh(second)
    this.bits = grownBits(this.bits, wordsFor(capacity))
    const behind = log.position - this.#position
    const words = wordsFor(slots)
    if (this.#second !== second || !log.reaches(this.#position) || behind > words) this.#all(words)
    else {
      const hits = this.#hitsSince(this.#position)
      if (hits) for (const row of hits) this.#look(row >>> 5)
      else for (let at = this.#position; at < log.position; at += 1) this.#look(log.at(at) >>> 5)
    }
    this.#position = log.position
    this.#second = second
    return this
  }

  /** One word of 32 rows. */
  #look(place: number): void {
    const before = this.bits[place] as number
    const after = (wordOf(this.#node, place) & (this.#table.live[place] as number)) >>> 0
    if (before === after) return
    this.bits[place] = after
    this.count += bitsIn(after) - bitsIn(before)
    this.version += 1
  }

  /**
   * Of the rows that changed since this position of the table's log, all that match now or did before, and perhaps
   * others; a row may be named several times. Undefined when any may be. To be asked after `refresh`.
   */
  touchedSince(position: number): readonly number[] | undefined {
    return this.timed ? undefined : this.#hitsSince(position)
  }

  /** Of the test that the fewest of the changed rows have to do with. */
  #hitsSince(position: number): readonly number[] | undefined {
    let fewest: readonly number[] | undefined
    for (const leaf of this.#needed) {
      const hits = leaf.hitsSince(position)
      if (hits && (!fewest || hits.length < fewest.length)) fewest = hits
      if (fewest?.length === 0) break
    }
    return fewest
  }

  #all(words: number): void {
    const { live } = this.#table
    write(this.#node, this.bits, words)
    for (let at = 0; at < words; at += 1) this.bits[at] = (this.bits[at] as number) & (live[at] as number)
    this.count = countBits(this.bits, words)
    this.version += 1
  }
}

/** Expressions of one table, and what is kept for them. */
export class Filters {
  readonly #table: Table
  readonly #clusters: ClusterNames
  readonly #budget: Budget
  readonly #now: () => number
  readonly #key: string
  /** Each question about strings is answered once, whatever columns it is asked of. */
  readonly strings: StringTests

  constructor(table: Table, clusters: ClusterNames, budget: Budget, nowSeconds: () => number, key: string) {
    this.#table = table
    this.#clusters = clusters
    this.#budget = budget
    this.#now = nowSeconds
    this.#key = key
    const { strings } = table
    this.strings = {
      strings,
      of: (match, texts) =>
        budget.use(`${key}strings ${match} ${JSON.stringify(texts)}`, () => new StringTest(strings, match, texts)),
    }
  }

  /** Throws QueryError. */
  result(filter: Expression | undefined, reader: Reader): Result {
    const whose = reader === EVERYTHING ? '' : `${reader.generation}.${JSON.stringify(reader.key)}`
    const key = `${this.#key}result ${whose} ${filter ? JSON.stringify(filter) : ''}`
    return this.#budget.use(key, () => this.make(filter, reader)).refresh()
  }

  /** The same, not kept. */
  make(filter: Expression | undefined, reader: Reader): Result {
    const all = filter ? [this.#node(filter, 0)] : []
    if (reader !== EVERYTHING) all.push({ leaf: this.rights(reader).leaf })
    return new Result(this.#table, all.length === 1 ? (all[0] as Node) : { all }, this.#now)
  }

  /** Whether some row may hold this text in a searched column; quickly answered. */
  mayHold(text: string): boolean {
    const leaves = leavesOf(this.#textNode(text))
    for (const leaf of leaves) leaf.refresh(0)
    return leaves.some((leaf) => !leaf.none)
  }

  /** What the reader may see of this table. */
  rights(reader: Reader): Rights {
    const key = `${this.#key}reader ${reader.generation}.${JSON.stringify(reader.key)}`
    return this.#budget.use(key, () => new Rights(this.#table, this.#clusters, reader))
  }

  #node(expression: Expression, depth: number): Node {
    if (depth > DEEPEST) throw new QueryError('The filter has too many brackets in each other.', '/filter')
    if ('all' in expression) return { all: expression.all.map((part) => this.#node(part, depth + 1)) }
    if ('any' in expression) return { any: expression.any.map((part) => this.#node(part, depth + 1)) }
    if ('not' in expression) return { not: this.#node(expression.not, depth + 1) }
    if ('text' in expression) return this.#textNode(expression.text)
    if ('field' in expression && expression.op === '!=')
      return { not: { leaf: this.#leaf({ ...expression, op: '=' }) } }
    return { leaf: this.#leaf(expression) }
  }

  /** The name apart from the rest: it counts for more in a search. */
  #textNode(text: string): Node {
    const name: Expression = { field: 'name', op: '~', values: [text] }
    return { any: [{ leaf: this.#leaf(name) }, { leaf: this.#leaf({ text }) }] }
  }

  #leaf(test: Expression): Leaf {
    const table = this.#table
    return this.#budget.use(`${this.#key}leaf ${JSON.stringify(test)}`, () => {
      if ('age' in test) return ageLeaf(table, test)
      if ('field' in test) return new MaintainedLeaf(table, fieldTest(table, this.strings, this.#clusters, test))
      if ('label' in test) return new MaintainedLeaf(table, labelTest(table, this.strings, test))
      if ('text' in test) return new MaintainedLeaf(table, textTest(table, this.strings, test.text))
      throw new QueryError('The filter has a part that is no test.', '/filter')
    })
  }
}

function leavesOf(node: Node): Leaf[] {
  if ('leaf' in node) return [node.leaf]
  if ('not' in node) return leavesOf(node.not)
  return ('all' in node ? node.all : node.any).flatMap(leavesOf)
}

/** Tests without which the whole is not true. */
function neededOf(node: Node): Leaf[] {
  if ('leaf' in node) return [node.leaf]
  return 'all' in node ? node.all.flatMap(neededOf) : []
}

/** One word of 32 rows. */
function wordOf(node: Node, place: number): number {
  if ('leaf' in node) return node.leaf.bits[place] as number
  if ('not' in node) return ~wordOf(node.not, place)
  if ('all' in node) {
    let word = -1
    for (const part of node.all) word &= wordOf(part, place)
    return word
  }
  let word = 0
  for (const part of node.any) word |= wordOf(part, place)
  return word
}

/** All words of 32 rows, a loop for each test. */
function write(node: Node, to: Bits, words: number): void {
  if ('leaf' in node) to.set(node.leaf.bits.subarray(0, words))
  else if ('not' in node) {
    write(node.not, to, words)
    for (let at = 0; at < words; at += 1) to[at] = ~(to[at] as number)
  } else {
    const all = 'all' in node
    to.fill(all ? 0xffff_ffff : 0, 0, words)
    for (const part of all ? node.all : node.any) {
      const bits = 'leaf' in part ? part.leaf.bits : new Uint32Array(words)
      if (!('leaf' in part)) write(part, bits, words)
      if (all) for (let at = 0; at < words; at += 1) to[at] = (to[at] as number) & (bits[at] as number)
      else for (let at = 0; at < words; at += 1) to[at] = (to[at] as number) | (bits[at] as number)
    }
  }
}
