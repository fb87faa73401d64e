import { type Fact, keyOf } from './facts.ts'

/** A question about pods that every program of a bench is asked. Each says it in its own words. */
export interface PodQuestion {
  /** Only in these namespaces: what the reader may see. Absent: all. */
  namespaces?: readonly string[]
  phase?: string
  label?: readonly [key: string, value: string]
  /** Part of the name. */
  contains?: string
  sort: { field: SortField; descending?: boolean }
  offset: number
  limit: number
}

export type SortField = 'name' | 'created' | 'restarts' | 'node'

export interface Answer {
  total: number
  /** `namespace/name` in order. */
  keys: string[]
}

/** The right answer. Who has no value comes last in both directions; what is equal follows namespace and name. */
export function answerOf(pods: readonly Fact[], question: PodQuestion): Answer {
  const found = sorted(pods, question)
  const { offset, limit } = question
  return { total: found.length, keys: found.slice(offset, offset + limit).map(keyOf) }
}

let last: { pods: readonly Fact[]; key: string; found: Fact[] } | undefined

/** Questions that differ only in their page follow one another: 150,000 pods are not sorted for each. */
function sorted(pods: readonly Fact[], { offset: _, limit: __, ...question }: PodQuestion): Fact[] {
  const key = JSON.stringify(question)
  if (last?.pods !== pods || last.key !== key) {
    last = { pods, key, found: matching(pods, question).sort((a, b) => compare(a, b, question.sort)) }
  }
  return last.found
}

/** How often each value of a field occurs, the most frequent first, then by value. */
export function facetOf(
  pods: readonly Fact[],
  question: Omit<PodQuestion, 'sort' | 'offset' | 'limit'>,
  field: 'status' | 'namespace' | 'node',
) {
  const counts = new Map<string, number>()
  for (const fact of matching(pods, question)) {
    const value = String(field === 'namespace' ? fact.namespace : valueIn(fact, field))
    counts.set(value, (counts.get(value) ?? 0) + 1)
  }
  return [...counts]
    .map(([value, count]) => ({ value, count }))
    .sort((a, b) => b.count - a.count || order(a.value, b.value))
}

type Selection = Pick<PodQuestion, 'namespaces' | 'phase' | 'label' | 'contains'>

function matching(pods: readonly Fact[], { namespaces, phase, label, contains }: Selection): Fact[] {
  const allowed = namespaces && new Set(namespaces)
  return pods.filter(
    (fact) =>
      (!allowed || allowed.has(fact.namespace)) &&
      (phase === undefined || fact.pod?.phase === phase) &&
      (label === undefined || fact.labels[label[0]] === label[1]) &&
      (contains === undefined || fact.name.includes(contains)),
  )
}

function compare(a: Fact, b: Fact, { field, descending = false }: PodQuestion['sort']): number {
  const [left, right] = [valueIn(a, field), valueIn(b, field)]
  if ((left === '') !== (right === '')) return left === '' ? 1 : -1
  const difference = order(left, right)
  if (difference !== 0) return descending ? -difference : difference
  return order(a.namespace, b.namespace) || order(a.name, b.name)
}

function valueIn(fact: Fact, field: SortField | 'status'): string | number {
  if (field === 'name') return fact.name
  if (field === 'created') return fact.created
  return fact.pod?.[field] ?? ''
}

const order = (a: string | number, b: string | number): number => (a < b ? -1 : a > b ? 1 : 0)

/** Throws, with the first difference, unless the answer is the right one. */
export function requireSame(what: string, given: Answer, right: Answer): void {
  if (given.total !== right.total) throw new WrongAnswer(`${what}: total ${given.total}, right is ${right.total}`)
  const at = right.keys.findIndex((key, n) => given.keys[n] !== key)
  if (at >= 0 || given.keys.length !== right.keys.length) {
    throw new WrongAnswer(
      `${what}: row ${at} is ${given.keys[at]}, right is ${right.keys[at]} (of ${given.keys.length} and ${right.keys.length})`,
    )
  }
}

/** An answer that differs from the oracle's: the workload has failed, however fast it was. */
export class WrongAnswer extends Error {}
