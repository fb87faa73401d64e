import type { Expression, SortKey } from '../../expression.ts'
import type { ColumnSpec } from '../../kind.ts'
import type { Reader } from '../../mirror.ts'
import { kindOf, type PlainRow } from './batches.ts'

const MORE: ColumnSpec[] = [
  { name: 'status', title: 'Status', type: 'text', searched: true },
  { name: 'ip', title: 'Address', type: 'split', searched: true },
  { name: 'images', title: 'Images', type: 'set', searched: true },
  { name: 'restarts', title: 'Restarts', type: 'count' },
  { name: 'cpu', title: 'CPU', type: 'number', unit: 'cores' },
  { name: 'started', title: 'Started', type: 'time' },
]

/** A kind with columns of every type, whose values are made below. */
export const THINGS = kindOf('things.example.io', MORE)

/** Beginnings that are the beginning of one another, capitals, dots, other scripts. */
const PIECES = [
  'a',
  'app',
  'app-',
  'App',
  '-',
  '1',
  '10',
  'z',
  '.',
  'shop-',
  '订单',
  'é',
  ':',
  'api',
  '7d9f8b6c5',
  'x2x4z',
]
const TEXTS = [
  'app',
  'App',
  'shop',
  'a',
  'b-1',
  'Running',
  'running',
  'Failed',
  '订单',
  'x y',
  '"q"',
  'back\\slash',
  '',
]
const NAMESPACES = ['default', 'shop', 'shop-test', 'a', 'zoo', 'Kube', '']

/** Random numbers that come again with the same seed (mulberry32). */
export class Dice {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** From 0 to below `end`. */
  below(end: number): number {
    this.#state = (this.#state + 0x6d2b_79f5) >>> 0
    let x = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61)
    return Math.floor((((x ^ (x >>> 14)) >>> 0) / 2 ** 32) * end)
  }

  one<T>(values: readonly T[]): T {
    return values[this.below(values.length)] as T
  }

  chance(percent: number): boolean {
    return this.below(100) < percent
  }

  list<T>(atMost: number, make: () => T): T[] {
    return Array.from({ length: this.below(atMost + 1) }, make)
  }
}

export const randomName = (dice: Dice): string =>
  dice.one(PIECES) + dice.list(4, () => dice.one(PIECES)).join('') + (dice.chance(50) ? '' : `-${dice.below(50)}`)

export function randomRow(dice: Dice, clusters: number, revision: number): PlainRow {
  const values: PlainRow['values'] = { name: randomName(dice) }
  const put = (name: string, make: () => string | number | string[]) => {
    if (dice.chance(75)) values[name] = make()
  }
  values.namespace = dice.one(NAMESPACES)
  put('created', () => 1_000 + dice.below(40))
  put('generation', () => dice.below(4))
  put('labels', () => [...new Set(dice.list(3, () => `${dice.one(['app', 'tier', 'App'])}=${dice.one(TEXTS)}`))])
  put('annotations', () => dice.list(2, () => `note=${dice.one(TEXTS)}`))
  put('owner', () => `ReplicaSet/${dice.one(PIECES)}`)
  put('application', () => dice.one(TEXTS))
  put('status', () => dice.one(TEXTS))
  put('ip', () => `10.${dice.below(3)}.${dice.below(12)}.${dice.below(300)}`)
  put('images', () => [...new Set(dice.list(3, () => `${dice.one(PIECES)}:${dice.below(12)}`))])
  put('restarts', () => dice.one([0, 1, 2, 5, 10, 4_294_967_294]))
  put('cpu', () => dice.one([0, 0.1, 0.25, 2, -1, 1e9, -0.5]))
  put('started', () => 990 + dice.below(40))
  const uid = [dice.below(3), dice.below(2 ** 32), dice.below(2 ** 32), dice.below(2 ** 32)] as const
  return { cluster: dice.below(clusters), uid, revision, values }
}

/** A part of some text that is likely to be there. */
export const randomNeedle = (dice: Dice): string => {
  const text = dice.chance(70) ? randomName(dice) : dice.one(TEXTS) || 'a'
  const from = dice.below(Math.max(1, text.length - 3))
  return dice.chance(60) ? text.slice(from, from + 1 + dice.below(6)) : text
}

export function randomFilter(dice: Dice, clusterNames: readonly string[], depth = 0): Expression {
  const inner = () => randomFilter(dice, clusterNames, depth + 1)
  const kind = dice.below(depth > 2 ? 7 : 10)
  if (kind === 9) return { all: dice.list(3, inner) }
  if (kind === 8) return { any: dice.list(3, inner) }
  if (kind === 7) return { not: inner() }
  if (kind === 6) return { text: randomNeedle(dice) }
  if (kind === 5) return { age: dice.one(['created', 'started']), op: dice.one(['<', '>']), seconds: dice.below(40) }
  if (kind === 4) {
    const label = dice.one(['app', 'tier', 'App'])
    return dice.chance(40) ? { label } : { label, values: [dice.one(TEXTS), dice.one(TEXTS)] }
  }
  if (kind === 3) {
    const op = dice.one(['=', '!=', '<', '<=', '>', '>='] as const)
    const field = dice.one(['restarts', 'cpu', 'started', 'generation'])
    return {
      field,
      op,
      values: field === 'started' ? [990 + dice.below(40)] : dice.one([[0], [1, 2], [0.25], [5], [10]]),
    }
  }
  const op = dice.one(['=', '!=', '~'] as const)
  const field = dice.one(['cluster', 'namespace', 'name', 'status', 'ip', 'images', 'labels', 'owner', 'application'])
  const value = () => {
    if (field === 'cluster') return dice.one([...clusterNames, 'P', 'none'])
    if (field === 'namespace') return dice.one(NAMESPACES)
    if (field === 'ip') return dice.one(['10.1.', '0.1', '10.1.1.7', '10', '.29'])
    return op === '~' ? randomNeedle(dice) : dice.one([dice.one(TEXTS), randomName(dice), `${dice.one(PIECES)}:3`])
  }
  return { field, op, values: [value(), ...(op === '~' ? [] : dice.list(2, value))] }
}

export const randomSort = (dice: Dice): SortKey[] =>
  dice.list(3, () => ({
    field: dice.one(['cluster', ...THINGS.columns.map(({ name }) => name)]),
    descending: dice.chance(50),
  }))

/** Readers who see some namespaces of some clusters. The same number gives the same reader. */
export const readerOf = (number: number): Reader => ({
  key: `reader ${number}`,
  generation: number * 10,
  may: (_resource, cluster, namespace) => (cluster.length * 7 + namespace.length * 3 + number) % 3 !== 0,
  knows: () => true,
})
