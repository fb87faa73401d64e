import type { Lists } from './lists.ts'
import { cellOf } from './projection.ts'

/** The row of an object; undefined when it is not there. Of two with the same name (one is being deleted) the newer. */
export function findRow(
  lists: Lists,
  { cluster, namespace, name }: { cluster: string; namespace: string; name: string },
  nameOf: (cluster: number) => string,
): number | undefined {
  const { table } = lists
  const namespaces = table.column('namespace')
  const names = table.column('name')
  if (!namespaces || !names) return undefined
  const { rows, length } = lists.order(undefined)
  const wanted = [namespace, name, cluster].map((text) => Buffer.from(text))
  const compare = (row: number): number => {
    const have = [cellOf(table, namespaces, row), cellOf(table, names, row), nameOf(table.clusters[row] as number)]
    for (const [at, text] of have.entries()) {
      // What has no namespace stands behind all that have one.
      if (at === 0 && (text === null || namespace === '')) {
        if (text === null && namespace === '') continue
        return text === null ? 1 : -1
      }
      const difference = Buffer.compare(Buffer.from(String(text ?? '')), wanted[at] as Buffer)
      if (difference !== 0) return difference
    }
    return 0
  }
  let low = 0
  let high = length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compare(rows[middle] as number) < 0) low = middle + 1
    else high = middle
  }
  let found: number | undefined
  for (; low < length && compare(rows[low] as number) === 0; low += 1) {
    const row = rows[low] as number
    if (found === undefined || (table.revisions[row] as number) > (table.revisions[found] as number)) found = row
  }
  return found
}
