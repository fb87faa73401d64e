import type { ColumnSpec, KindSpec } from '../kind.ts'

/** What every kind can be filtered by besides its columns. */
const CLUSTER: ColumnSpec = { name: 'cluster', title: 'Cluster', type: 'text' }
/** Shorter or more usual words for columns; a column of that very name goes first. */
const SHORTHANDS: Record<string, string> = { ns: 'namespace', app: 'application', age: 'created' }

/** Every field of the kind, `cluster` among them. */
export const fieldsOf = (kind: KindSpec): ColumnSpec[] => [...kind.columns, CLUSTER]

/** The shorthands that mean something for this kind, with the field they stand for. */
export function shorthandsOf(kind: KindSpec): { name: string; field: ColumnSpec }[] {
  return Object.entries(SHORTHANDS).flatMap(([name, target]) => {
    const field = findField(kind, name)
    return field?.name === target ? [{ name, field }] : []
  })
}

/** A field by its name or a shorthand, without regard to case. */
export function findField(kind: KindSpec, name: string): ColumnSpec | undefined {
  const wanted = name.toLowerCase()
  const named = (text: string) => fieldsOf(kind).find((field) => field.name.toLowerCase() === text.toLowerCase())
  const target = Object.hasOwn(SHORTHANDS, wanted) ? SHORTHANDS[wanted] : undefined
  return named(wanted) ?? (target === undefined ? undefined : named(target))
}

/** The name among the kind's fields that is most like this one; undefined when none is. */
export function nearestField(kind: KindSpec, name: string): string | undefined {
  const names = [...fieldsOf(kind), ...shorthandsOf(kind)].map((field) => field.name)
  const wanted = name.toLowerCase()
  let best: { name: string; distance: number } | undefined
  for (const candidate of names) {
    const text = candidate.toLowerCase()
    const distance = text.startsWith(wanted) || wanted.startsWith(text) ? 1 : editDistance(wanted, text)
    if (distance < (best?.distance ?? Math.max(2, Math.ceil(wanted.length / 2)))) best = { name: candidate, distance }
  }
  return best?.name
}

/** How many letters have to be put in, left out or changed. */
function editDistance(a: string, b: string): number {
  if (a.length > 40) return a.length
  let before = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let row = 1; row <= a.length; row += 1) {
    const now = [row]
    for (let column = 1; column <= b.length; column += 1) {
      const change = (before[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1)
      now.push(Math.min(change, (before[column] ?? 0) + 1, (now[column - 1] ?? 0) + 1))
    }
    before = now
  }
  return before[b.length] ?? 0
}
