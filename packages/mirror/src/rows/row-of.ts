import { COMMON_COLUMNS } from '../kind.ts'
import type { JsonObject } from '../worker/object-sink.ts'
import type { Kind } from './kinds/reading.ts'
import { type PlainRow, PlainTables } from './rows-of-batches.ts'
import { openTables } from './tables.ts'

/** The row that an object has, for tests. */
export function rowOf(kind: Kind, object: JsonObject): PlainRow {
  const plain = new PlainTables()
  const tables = openTables({
    post: plain.post,
    searchedAnnotations: [],
    recordsVersions: () => false,
    digestKey: new Uint8Array(32),
    readAnew() {},
  })
  tables.sink(1, kind).put({ ...object, metadata: { name: 'one', ...object.metadata } })
  tables.close()
  return plain.row(String(object.metadata?.name ?? 'one'))
}

/** The values of the columns that only this kind has. */
export function ownValues(kind: Kind, object: JsonObject): PlainRow {
  const common = ['cluster', 'uid', 'revision', ...COMMON_COLUMNS.map(({ name }) => name)]
  return Object.fromEntries(Object.entries(rowOf(kind, object)).filter(([name]) => !common.includes(name)))
}
