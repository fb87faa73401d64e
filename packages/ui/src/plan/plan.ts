/** What is shown of a plan; the shape of the contract's Plan, declared here because this package knows no feature. */
export interface PlanView {
  hash: string
  summary: string
  changes: ObjectChangeView[]
  warnings: string[]
  blockers: { pointer: string; detail: string }[]
  laterOperations: string[]
  /** What was proposed and why. */
  notes?: string[] | undefined
}
export interface ObjectChangeView {
  ref: { apiVersion: string; kind: string; namespace?: string | undefined; name: string }
  action: 'create' | 'update' | 'delete' | 'unchanged'
  fields: FieldChangeView[]
  conflicts: { manager: string; field: string }[]
  warnings: string[]
  effect?: string | undefined
  yaml: string
}
export interface FieldChangeView {
  path: string
  before?: unknown
  after?: unknown
}

const ORDER = { delete: 0, update: 1, create: 2, unchanged: 3 } as const

/** What changes first, what stays as it is last; the order of the plan otherwise. */
export const inOrder = (changes: readonly ObjectChangeView[]): ObjectChangeView[] =>
  [...changes].sort((a, b) => ORDER[a.action] - ORDER[b.action])

/** A value as one line or as indented JSON; undefined when the field is not there. */
export function valueText(value: unknown): string | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'string') return value === '' ? '""' : value
  const line = JSON.stringify(value)
  return line.length <= 60 ? line : JSON.stringify(value, null, 2)
}

/** True when accepting would do nothing at all. */
export const isEmpty = (plan: PlanView): boolean => plan.changes.every((change) => change.action === 'unchanged')

/** Field managers that lose fields to this plan, each once. */
export const managersOf = (plan: PlanView): string[] => [
  ...new Set(plan.changes.flatMap((change) => change.conflicts.map((conflict) => conflict.manager))),
]
