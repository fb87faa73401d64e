import { COMMON_COLUMNS } from '../kind.ts'
import type { JsonObject, ObjectSink } from '../worker/object-sink.ts'
import { readUid, type Uid, uidText } from './index/uid.ts'
import { type Kind, type Reading, write } from './kinds/reading.ts'
import { MalformedObject } from './malformed.ts'
import { type AnnotationChoice, writeCommon } from './metadata.ts'
import { PodJson } from './pod/pod-json.ts'
import { PodProtobuf } from './pod/pod-protobuf.ts'
import { objectProtobuf, type ProtobufReader } from './protobuf/object-protobuf.ts'
import { encodeText, textBytes } from './strings/dictionary.ts'
import type { Table } from './table.ts'
import type { Known } from './versions/version-recorder.ts'

/** Readers of one table; they hold no more than the object that is being read. */
export class TableReaders {
  readonly table: Table
  readonly annotations: AnnotationChoice
  readonly podJson: PodJson | undefined
  /** Undefined when objects of this kind are read as JSON only. */
  readonly protobuf: ProtobufReader | undefined

  constructor(table: Table, annotations: AnnotationChoice) {
    const pods = table.spec.resource === 'pods'
    this.table = table
    this.annotations = annotations
    this.podJson = pods ? new PodJson(table.draft) : undefined
    this.protobuf = pods
      ? new PodProtobuf(table.draft, annotations)
      : objectProtobuf(table.spec, table.draft, annotations)
  }
}

/** Puts objects of one cluster into a table. */
export class TableSink implements ObjectSink {
  readonly protobuf: boolean
  readonly #cluster: number
  readonly #readers: TableReaders
  readonly #table: Table
  /** By column of the table, without the common ones; undefined where this cluster's kind has no such column. */
  readonly #readings: (Reading | undefined)[]
  readonly #ended: () => void
  readonly #uid: Uid = new Uint32Array(4)
  #listing = false
  #backwards = false

  /** `ended` is called after each whole list. */
  constructor(readers: TableReaders, cluster: number, kind: Kind, ended: () => void) {
    this.#readers = readers
    this.#table = readers.table
    this.#cluster = cluster
    this.#ended = ended
    const own = this.#table.spec.columns.slice(COMMON_COLUMNS.length)
    this.#readings = own.map(({ name }) => kind.readings.get(name))
    // Versions are recorded of whole objects.
    const sameVersion = kind.spec.version === this.#table.spec.version
    this.protobuf = readers.protobuf !== undefined && sameVersion && this.#table.recorder === undefined
  }

  beginList(options: { backwards?: boolean } = {}): void {
    this.#listing = true
    this.#backwards = options.backwards === true
    this.#table.index.unsee(this.#cluster)
    if (this.#backwards) this.#table.removals.forget(this.#cluster)
  }

  endList(): void {
    if (!this.#listing) return
    this.#listing = false
    this.#backwards = false
    const table = this.#table
    const { uids, revisions } = table.index
    for (const row of table.index.rowsOf(this.#cluster, true)) {
      table.removals.add(this.#cluster, uids.subarray(row * 4, row * 4 + 4), revisions[row] as number)
      this.#removeRow(row, undefined)
    }
    table.listEnded(this.#cluster)
    this.#ended()
  }

  put(object: JsonObject): void {
    const revision = this.#identify(object)
    const row = this.#table.index.find(this.#cluster, this.#uid)
    if (!this.#isNews(row, this.#uid, revision)) return
    this.#read(object)
    const placed = row < 0 ? this.#table.add(this.#cluster, this.#uid) : row
    this.#table.write(placed, revision)
    this.#table.recorder?.put(this.#cluster, placed, this.#known(row), object, this.#table.draft)
  }

  remove(object: JsonObject): void {
    const revision = this.#identify(object)
    this.#remove(this.#uid, revision, object)
  }

  putProtobuf(bytes: Uint8Array, from: number, to: number): void {
    const reader = this.#protobufReader()
    reader.head(bytes, from, to)
    const { uid, revision } = reader.metadata
    const row = this.#table.index.find(this.#cluster, uid)
    if (!this.#isNews(row, uid, revision)) return
    const object = reader.write()
    if (object !== undefined) this.#readOwn(object)
    this.#table.write(row < 0 ? this.#table.add(this.#cluster, uid) : row, revision)
  }

  removeProtobuf(bytes: Uint8Array, from: number, to: number): void {
    const reader = this.#protobufReader()
    reader.head(bytes, from, to)
    this.#remove(reader.metadata.uid, reader.metadata.revision, undefined)
  }

  count(): number {
    return this.#table.count(this.#cluster)
  }

  #protobufReader(): ProtobufReader {
    const reader = this.#readers.protobuf
    if (reader === undefined) throw new Error(`${this.#table.spec.resource} are not read as protobuf`)
    return reader
  }

  /** Whether this is newer than what is known; if not, the row counts as seen. Revision 0 is unknown and always news. */
  #isNews(row: number, uid: Uid, revision: number): boolean {
    const { index, removals } = this.#table
    if (row < 0) return !removals.has(this.#cluster, uid, revision)
    index.see(row)
    return this.#backwards || revision === 0 || revision > (index.revisions[row] as number)
  }

  #known(row: number): Known {
    if (row >= 0) return 'yes'
    return this.#table.listed.has(this.#cluster) ? 'not' : 'listed-first'
  }

  /** Reads the uid into #uid and gives the revision. Throws MalformedObject when there is no name. */
  #identify(object: JsonObject): number {
    const { uid, namespace, name, resourceVersion } = object.metadata ?? {}
    if (typeof name !== 'string' || name === '') throw new MalformedObject('an object has no name')
    const identity = typeof uid === 'string' && uid !== '' ? uid : `${plain(namespace)}/${name}`
    readUid(textBytes, 0, encodeText(identity), this.#uid)
    return typeof resourceVersion === 'string' && /^\d+$/.test(resourceVersion) ? Number(resourceVersion) : 0
  }

  #read(object: JsonObject): void {
    const { draft } = this.#table
    draft.clear()
    writeCommon(draft, object, this.#readers.annotations)
    if (this.#readers.podJson !== undefined) this.#readers.podJson.write(object)
    else this.#readOwn(object)
  }

  /** The columns that only this kind has. */
  #readOwn(object: JsonObject): void {
    const { draft, spec } = this.#table
    this.#readings.forEach((reading, at) => {
      const column = COMMON_COLUMNS.length + at
      const type = spec.columns[column]?.type
      if (reading !== undefined && type !== undefined) write(draft, column, type, reading(object))
    })
  }

  #remove(uid: Uid, revision: number, object: JsonObject | undefined): void {
    const { index, removals } = this.#table
    const row = index.find(this.#cluster, uid)
    // An older event than the row is: the object came again since, under the same namespace and name.
    if (row >= 0 && revision > 0 && revision < (index.revisions[row] as number)) return
    removals.add(this.#cluster, uid, revision)
    if (row >= 0) this.#removeRow(row, object ?? {})
  }

  /** Without `object` the row is missing in a list. */
  #removeRow(row: number, object: JsonObject | undefined): void {
    const { index, recorder, draft } = this.#table
    recorder?.remove(this.#cluster, row, uidText(index.uids, row), object, draft)
    this.#table.remove(row)
  }
}

/** Takes all rows of a cluster out of a table. */
export function dropRows(table: Table, cluster: number): void {
  table.recorder?.drop(cluster)
  table.removals.forget(cluster)
  for (const row of table.index.rowsOf(cluster)) {
    table.recorder?.forget(row)
    table.remove(row)
  }
  table.counts.delete(cluster)
  table.listed.delete(cluster)
  table.stood.delete(cluster)
}

const plain = (value: unknown): string => (typeof value === 'string' ? value : '')
