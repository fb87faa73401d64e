import type { Expression, ListQuery } from '@quarterdeck/mirror'
import { randomOf } from '../generator/random.ts'
import { type Answer, answerOf, type PodQuestion, type SortField } from '../oracle/answers.ts'
import type { Fact } from '../oracle/facts.ts'

/** A question with its right answer. */
export interface Asked {
  question: PodQuestion
  right: Answer
}

const SORTS: PodQuestion['sort'][] = (['name', 'created', 'restarts', 'node'] as SortField[]).flatMap((field) => [
  { field },
  { field, descending: true },
])

/** Every third namespace: what the reader of the benches may see. */
export const thirdOf = (pods: readonly Fact[]): string[] =>
  [...new Set(pods.map(({ namespace }) => namespace))].sort().filter((_, n) => n % 3 === 0)

/** Pages that people look at: phase and label chosen, any sort order, one of the first ten pages. */
export function warmQuestions(pods: readonly Fact[], namespaces: readonly string[] | undefined): Asked[] {
  const random = randomOf(3)
  return SORTS.flatMap((sort) =>
    ['front', 'middle', 'back'].map((tier) =>
      asked(pods, {
        ...(namespaces ? { namespaces } : {}),
        phase: 'Running',
        label: ['tier', tier],
        sort,
        offset: 50 * random.whole(0, 9),
        limit: 50,
      }),
    ),
  )
}

/** Pages far behind the first one, the sort order another one each time. 150,000 pods have a page 2,000. */
export function deepQuestions(pods: readonly Fact[], namespaces: readonly string[] | undefined): Asked[] {
  const random = randomOf(4)
  const allowed = namespaces && new Set(namespaces)
  const total = pods.filter((fact) => !allowed || allowed.has(fact.namespace)).length
  return SORTS.flatMap((sort) =>
    [0, 1, 2].map(() =>
      asked(pods, {
        ...(namespaces ? { namespaces } : {}),
        sort,
        offset: Math.floor((total * random.whole(60, 95)) / 100),
        limit: 50,
      }),
    ),
  )
}

const asked = (pods: readonly Fact[], question: PodQuestion): Asked => ({ question, right: answerOf(pods, question) })

/** What of a pod a page shows. */
export const SHOWN_COLUMNS = ['namespace', 'name', 'status', 'ready', 'restarts', 'node', 'ip', 'created', 'images']

/** The question as the mirror is asked; namespaces are the reader's and not part of it. */
export function listQueryOf({ phase, label, contains, sort, offset, limit }: PodQuestion): ListQuery {
  const all: Expression[] = [
    ...(phase === undefined ? [] : [{ field: 'phase', op: '=' as const, values: [phase] }]),
    ...(label === undefined ? [] : [{ label: label[0], values: [label[1]] }]),
    ...(contains === undefined ? [] : [{ field: 'name', op: '~' as const, values: [contains] }]),
  ]
  return {
    resource: 'pods',
    ...(all.length > 0 ? { filter: { all } } : {}),
    sort: [sort],
    offset,
    limit,
    columns: SHOWN_COLUMNS,
  }
}

/** The question as text: parameters of GET /objects/pods. `namespaced`: with the reader's namespaces as a filter. */
export function parametersOf(
  { namespaces, phase, label, contains, sort, offset, limit }: PodQuestion,
  namespaced: boolean,
): string {
  const filter = [
    ...(namespaced && namespaces ? [`ns:${namespaces.join(',')}`] : []),
    ...(phase === undefined ? [] : [`phase:${phase}`]),
    ...(label === undefined ? [] : [`label:${label[0]}=${label[1]}`]),
    ...(contains === undefined ? [] : [`name~${contains}`]),
  ].join(' ')
  return new URLSearchParams({
    ...(filter === '' ? {} : { filter }),
    sort: `${sort.descending ? '-' : ''}${sort.field}`,
    offset: String(offset),
    limit: String(limit),
    columns: SHOWN_COLUMNS.join(','),
  }).toString()
}

/** A page of the mirror, or of the API, as an answer. Its first two columns are namespace and name. */
export const answerOfPage = ({ total, rows }: { total: number; rows: { values: unknown[] }[] }): Answer => ({
  total,
  keys: rows.map(({ values }) => `${values[0]}/${values[1]}`),
})
