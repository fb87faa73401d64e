import { resourceOf } from '../../kind.ts'
import type { JsonObject, ObjectSink } from '../../worker/object-sink.ts'
import { kindOf } from '../kinds/kind-of.ts'
import { podsInList } from '../pod/pods-in-list.ts'
import { PlainTables } from '../rows-of-batches.ts'
import { openTables } from '../tables.ts'
import type { ObjectShape } from './object-shapes.ts'

/** Folder of what an API server answered, a list of each kind in both forms. */
export const fixtures = `${import.meta.dirname}/fixtures`

export const resourceOfShape = ({ plural, group }: Pick<ObjectShape, 'plural' | 'group'>): string =>
  resourceOf(plural, group)

/** A table of the kind, for tests. */
export function openedTable({ plural, group, kind, namespaced }: Omit<ObjectShape, 'objects'>) {
  const plain = new PlainTables()
  const tables = openTables({
    post: plain.post,
    searchedAnnotations: ['example.org/*'],
    recordsVersions: () => false,
    digestKey: new Uint8Array(32),
    readAnew() {},
  })
  const discovered = { group, version: 'v1', kind, plural, shortNames: [], namespaced, custom: false }
  const sink: ObjectSink = tables.sink(1, kindOf(discovered))
  return { plain, tables, sink }
}

export function rowsFromJson(shape: Omit<ObjectShape, 'objects'>, objects: JsonObject[]) {
  const { plain, tables, sink } = openedTable(shape)
  for (const object of objects) sink.put(object)
  tables.close()
  return plain.rows()
}

/** Of a whole list as it was answered. */
export function rowsFromProtobuf(shape: Omit<ObjectShape, 'objects'>, list: Uint8Array) {
  const { plain, tables, sink } = openedTable(shape)
  for (const [from, to] of podsInList(list)) sink.putProtobuf(list, from, to)
  tables.close()
  return plain.rows()
}
