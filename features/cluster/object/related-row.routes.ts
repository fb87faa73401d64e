import type { KindSpec, Row, Value } from '@quarterdeck/mirror'
import type { TreeLine } from './related.contract.ts'

/** An object of a tree with what hangs on it. */
export interface TreeNode {
  line: Omit<TreeLine, 'depth'>
  /** Absent: no object of a served kind. */
  kind?: KindSpec
  /** Its row in the mirror. */
  row?: Row
  children: TreeNode[]
}

/** Of a column of the row; null where the kind has none of this name. */
export function cell({ columns }: KindSpec, row: Row, name: string): Value {
  const index = columns.findIndex((column) => column.name === name)
  return row.values[index] ?? null
}
export const textCell = (kind: KindSpec, row: Row, name: string): string => {
  const value = cell(kind, row, name)
  return typeof value === 'string' ? value : ''
}
export const membersOf = (kind: KindSpec, row: Row, name: string): string[] => {
  const value = cell(kind, row, name)
  return Array.isArray(value) ? value : []
}

const numberCell = (kind: KindSpec, row: Row, name: string): number | undefined => {
  const value = cell(kind, row, name)
  return typeof value === 'number' ? value : undefined
}

/** 2/3; empty where the kind does not count. */
function readyText(kind: KindSpec, row: Row): string {
  const ready = numberCell(kind, row, 'ready')
  const whole = ['containers', 'replicas', 'endpoints']
    .map((name) => numberCell(kind, row, name))
    .find((n) => n !== undefined)
  return ready === undefined || whole === undefined ? '' : `${ready}/${whole}`
}

/** A row of the mirror as a line. */
export function lineOf(kind: KindSpec, row: Row, because: string): TreeNode['line'] {
  const revision = kind.resource === 'replicasets.apps' ? numberCell(kind, row, 'revision') : undefined
  return {
    resource: kind.resource,
    kind: kind.kind,
    namespace: textCell(kind, row, 'namespace'),
    name: textCell(kind, row, 'name'),
    because,
    found: true,
    state: textCell(kind, row, 'status'),
    ready: readyText(kind, row),
    ...(revision === undefined ? {} : { revision }),
  }
}

/** The line that stands for those that are not shown one by one. */
export const moreLine = (
  { resource, kind }: KindSpec,
  namespace: string,
  because: string,
  more: NonNullable<TreeLine['more']>,
): TreeNode => ({
  line: { resource, kind, namespace, name: '', because, found: true, state: '', ready: '', more },
  children: [],
})

/** A filter text of tests that all have to hold. */
export const filterText = (tests: Record<string, string>): string =>
  Object.entries(tests)
    .filter(([, value]) => value !== '')
    .map(([field, value]) => `${field}=${JSON.stringify(value)}`)
    .join(' ')

/** Every node before what hangs on it. */
export function linesOf(nodes: readonly TreeNode[], depth = 0): TreeLine[] {
  return nodes.flatMap(({ line, children }) => [{ depth, ...line }, ...linesOf(children, depth + 1)])
}
