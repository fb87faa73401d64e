import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { NO_CLUSTER } from '../batch.ts'
import { COMMON_COLUMNS, type KindSpec } from '../kind.ts'
import { type Manifest, readManifest, writeManifest } from './manifest.ts'
import type { SnapshotSource, SnapshotTable, TableArrays } from './snapshot-source.ts'
import { readSnapshot, Snapshots } from './snapshots.ts'
import { copyTable } from './table-copy.ts'

const specOf = (plural: string): KindSpec => ({
  resource: plural,
  group: '',
  version: 'v1',
  kind: plural,
  plural,
  shortNames: [],
  namespaced: true,
  custom: false,
  columns: COMMON_COLUMNS.slice(0, 2),
})

/** A table with one column of each shape. */
class Rows implements SnapshotTable {
  readonly table: number
  readonly spec: KindSpec
  #version = 1
  #arrays: TableArrays
  #stood = [{ cluster: 3, revision: 100 }]
  readonly #trackers = new Set<number[][]>()

  constructor(table: number, plural: string, slots: number) {
    this.table = table
    this.spec = specOf(plural)
    this.#arrays = {
      strings: stringsOf(['', 'shop', 'web-1']),
      sets: { members: sharedWords([1, 2]), ends: sharedWords([0, 2]), count: 2 },
      slots,
      clusters: new Uint16Array(slots).fill(3),
      uids: new Uint32Array(4 * slots).map((_, index) => index * 7),
      revisions: new Float64Array(slots).map((_, index) => index + 0.5),
      columns: [
        { type: 'u32', values: new Uint32Array(slots).map((_, index) => index) },
        { type: 'f64', values: new Float64Array(slots).map((_, index) => index / 3) },
        { type: 'split', prefixes: new Uint32Array(slots).fill(2), suffixes: new Uint8Array(8 * slots).fill(65) },
      ],
    }
    if (slots > 1) this.#arrays.clusters[1] = NO_CLUSTER
  }
  version() {
    return this.#version
  }
  arrays() {
    return this.#arrays
  }
  stood() {
    return this.#stood
  }
  /** A bookmark: no row is another one. */
  stand(stood: { cluster: number; revision: number }[]): void {
    this.#stood = stood
  }
  track() {
    const rows: number[][] = []
    this.#trackers.add(rows)
    return { rows, end: () => void this.#trackers.delete(rows) }
  }
  get tracked() {
    return this.#trackers.size
  }
  /** A batch: every value of these rows is another one. */
  change(rows: number[], revision: number): void {
    const { revisions, uids, clusters, columns } = this.#arrays
    for (const row of rows) {
      revisions[row] = revision
      uids.fill(revision, 4 * row, 4 * row + 4)
      clusters[row] = revision % 5 === 0 ? NO_CLUSTER : 3
      for (const column of columns) {
        if (column.type !== 'split') column.values[row] = revision
        else {
          column.prefixes[row] = revision
          column.suffixes.fill(revision % 256, 8 * row, 8 * row + 8)
        }
      }
    }
    for (const tracker of this.#trackers) tracker.push(rows)
    this.#stood = [{ cluster: 3, revision }]
    this.#version += 1
  }
  /** Twice as many slots, in other arrays; the new ones are told as changed. */
  grow(revision: number): void {
    const before = this.#arrays
    const bigger = new Rows(0, 'x', before.slots * 2)
    const { clusters, uids, revisions, columns } = bigger.arrays()
    clusters.set(before.clusters)
    uids.set(before.uids)
    revisions.set(before.revisions)
    for (const [index, column] of columns.entries()) {
      const old = before.columns[index]
      if (column.type === 'split' && old?.type === 'split') {
        column.prefixes.set(old.prefixes)
        column.suffixes.set(old.suffixes)
      } else if (column.type !== 'split' && old?.type === column.type) column.values.set(old.values)
    }
    this.#arrays = { ...bigger.arrays(), strings: stringsOf(['', 'shop', 'web-1', 'new']) }
    this.change(
      Array.from({ length: before.slots }, (_, index) => before.slots + index),
      revision,
    )
  }
}

function stringsOf(texts: string[]) {
  const bytes = Buffer.from(texts.join(''))
  const buffer = new SharedArrayBuffer(100)
  new Uint8Array(buffer).set(bytes)
  let end = 0
  return { bytes: buffer, ends: sharedWords(texts.map((text) => (end += text.length))), count: texts.length }
}
function sharedWords(words: number[]): SharedArrayBuffer {
  const buffer = new SharedArrayBuffer(4 * words.length + 40)
  new Uint32Array(buffer).set(words)
  return buffer
}
/** Everything of it, without what is not used of the shared memory. */
function contentOf({ strings, sets, ...rest }: TableArrays) {
  const ends = [...new Uint32Array(strings.ends, 0, strings.count)]
  const setEnds = [...new Uint32Array(sets.ends, 0, sets.count)]
  return {
    slots: rest.slots,
    clusters: [...rest.clusters],
    uids: [...rest.uids],
    revisions: [...rest.revisions],
    columns: rest.columns.map((column) => structuredClone(column)),
    text: Buffer.from(strings.bytes).subarray(0, ends.at(-1)).toString(),
    ends,
    members: [...new Uint32Array(sets.members, 0, setEnds.at(-1))],
    setEnds,
  }
}

let folder: string
let lines: { fields: object; message: string }[]
const MANIFEST = 'manifest.sealed'
const log = { info: () => {}, warn: (fields: object, message: string) => void lines.push({ fields, message }) }
const names = new Map<number, { name: string; registration: string }>()
const sourceOf = (...tables: Rows[]): SnapshotSource => ({
  tables: () => tables,
  cluster: (number) => names.get(number),
})
const KEY = new Uint8Array(32).fill(7)
const snapshotsOf = (...tables: Rows[]) => new Snapshots({ folder, key: KEY, source: sourceOf(...tables), log })
const files = () => readdirSync(folder).sort()
const tableFiles = () => files().filter((file) => file.endsWith('.table'))
const read = (key = KEY) => readSnapshot(folder, key, log)

beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'snapshot-')), 'mirror')
  lines = []
  names.clear()
  names.set(3, { name: 'east', registration: '1' })
})
afterEach(() => rmSync(join(folder, '..'), { recursive: true }))

describe('a snapshot', () => {
  it('gives back what was written', async () => {
    const pods = new Rows(1, 'pods', 20_000)
    const nodes = new Rows(2, 'nodes', 0)
    await snapshotsOf(pods, nodes).close()
    const { clusters, tables } = read()
    expect(clusters).toEqual([{ number: 3, name: 'east', registration: '1' }])
    expect(tables.map(({ spec }) => spec)).toEqual([pods.spec, nodes.spec])
    expect(contentOf(tables[0] as TableArrays)).toEqual(contentOf(pods.arrays()))
    expect(tables[0]?.stood).toEqual([{ cluster: 3, revision: 100 }])
    expect(tables[1]?.slots).toBe(0)
    expect(lines).toEqual([])
  })

  it('is for its owner only', async () => {
    await snapshotsOf(new Rows(1, 'pods', 3)).close()
    expect(statSync(folder).mode & 0o777).toBe(0o700)
    for (const file of files()) expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600)
  })

  it('writes only what changed, and leaves no old files', async () => {
    const [pods, nodes] = [new Rows(1, 'pods', 3), new Rows(2, 'nodes', 3)]
    const snapshots = snapshotsOf(pods, nodes)
    await snapshots.write()
    const before = files()
    await snapshots.write()
    expect(files()).toEqual(before)
    pods.change([0], 7)
    await snapshots.close()
    const after = files()
    expect(after.filter((file) => before.includes(file))).toHaveLength(2)
    expect(after).toHaveLength(3)
    expect(contentOf(read().tables[0] as TableArrays)).toEqual(contentOf(pods.arrays()))
  })

  it('says how far a cluster has been read without writing rows that are as before', async () => {
    const pods = new Rows(1, 'pods', 3)
    const snapshots = snapshotsOf(pods)
    await snapshots.write()
    const before = tableFiles()
    pods.stand([{ cluster: 3, revision: 900 }])
    await snapshots.write()
    expect(tableFiles()).toEqual(before)
    expect(read().tables[0]?.stood).toEqual([{ cluster: 3, revision: 900 }])
    names.set(4, { name: 'west', registration: '1' })
    pods.stand([
      { cluster: 3, revision: 900 },
      { cluster: 4, revision: 901 },
    ])
    await snapshots.close()
    expect(tableFiles()).not.toEqual(before)
    expect(read().clusters.map(({ name }) => name)).toEqual(['east', 'west'])
    expect(read().tables[0]?.stood).toHaveLength(2)
  })

  it('leaves out rows of a cluster that has been forgotten', async () => {
    names.clear()
    await snapshotsOf(new Rows(1, 'pods', 3)).close()
    expect(read().clusters).toEqual([])
    expect([...(read().tables[0]?.clusters ?? [])]).toEqual([NO_CLUSTER, NO_CLUSTER, NO_CLUSTER])
    expect(read().tables[0]?.stood).toEqual([])
  })

  it('that cannot be written is said in the log and disturbs nobody', async () => {
    writeFileSync(folder, 'a file, not a folder')
    await snapshotsOf(new Rows(1, 'pods', 3)).close()
    expect(lines).toMatchObject([{ message: 'The snapshot could not be written' }])
  })

  it('that is not there is none', () => {
    expect(read()).toEqual({ writtenTime: 0, clusters: [], tables: [] })
    expect(lines).toEqual([])
  })
})

describe('a copy of a table that goes on changing', () => {
  it('is the table as it is at the end, every row whole', async () => {
    const table = new Rows(1, 'pods', 20_000)
    let turns = 0
    const copy = await copyTable(table, async () => {
      turns += 1
      if (turns === 3) table.grow(1_003)
      else if (turns < 60) table.change([0, turns * 100, 19_999, table.arrays().slots - 1], 1_000 + turns)
    })
    expect(turns).toBeGreaterThan(5)
    expect(contentOf(copy)).toEqual(contentOf(table.arrays()))
    expect(copy.stood).toEqual(table.stood())
    expect(copy.version).toBe(table.version())
    expect(table.tracked).toBe(0)
  })
})

describe('a damaged snapshot', () => {
  const damaged = (file: string, position: number, bits: number) => {
    const path = join(folder, file)
    const bytes = readFileSync(path)
    const original = bytes[position] as number
    bytes[position] = original ^ bits
    writeFileSync(path, bytes)
    const answer = read()
    bytes[position] = original
    writeFileSync(path, bytes)
    return answer
  }

  it('is passed over whichever byte of a file is another one', async () => {
    await snapshotsOf(new Rows(1, 'pods', 5), new Rows(2, 'nodes', 2)).close()
    // The larger one is that of the pods.
    const [, file] = tableFiles().sort((a, b) => statSync(join(folder, a)).size - statSync(join(folder, b)).size)
    const { length } = readFileSync(join(folder, file as string))
    for (let position = 0; position < length; position += 1) {
      lines = []
      const { tables } = damaged(file as string, position, 1 << (position % 8))
      expect([position, tables.map(({ spec }) => spec.resource)]).toEqual([position, ['nodes']])
      expect(lines).toHaveLength(1)
    }
    expect(read().tables).toHaveLength(2)
  })

  it('is passed over whichever byte of the manifest is another one', async () => {
    await snapshotsOf(new Rows(1, 'pods', 5)).close()
    const { length } = readFileSync(join(folder, MANIFEST))
    for (let position = 0; position < length; position += 1) {
      expect(damaged(MANIFEST, position, 0x20)).toEqual({ writtenTime: 0, clusters: [], tables: [] })
      expect(damaged(MANIFEST, position, 1)).toEqual({ writtenTime: 0, clusters: [], tables: [] })
    }
    expect(lines).toHaveLength(2 * length)
  })

  it('is passed over wherever it was cut off', async () => {
    await snapshotsOf(new Rows(1, 'pods', 2)).close()
    for (const name of [tableFiles()[0] as string, MANIFEST]) {
      const whole = readFileSync(join(folder, name))
      for (let length = whole.length - 1; length >= 0; length -= 1) {
        truncateSync(join(folder, name), length)
        expect(read().tables).toEqual([])
      }
      writeFileSync(join(folder, name), whole)
      expect(read().tables).toHaveLength(1)
    }
  })

  it('is passed over when it is of another version', async () => {
    await snapshotsOf(new Rows(1, 'pods', 2)).close()
    const [file = ''] = tableFiles()
    expect(damaged(file, 4, 1).tables).toEqual([])
    expect(damaged(MANIFEST, 4, 1).tables).toEqual([])
    expect(lines.map(({ fields }) => fields)).toMatchObject([
      { resource: 'pods', reason: 'is of another version' },
      { reason: 'is of another version' },
    ])
  })

  it('is passed over when a file of an earlier snapshot lies in the place of this one', async () => {
    const pods = new Rows(1, 'pods', 2)
    const snapshots = snapshotsOf(pods)
    await snapshots.write()
    const before = readFileSync(join(folder, tableFiles()[0] as string))
    pods.change([0], 7)
    await snapshots.close()
    writeFileSync(join(folder, tableFiles()[0] as string), before)
    expect(read().tables).toEqual([])
    expect(lines).toMatchObject([{ fields: { reason: 'is not the file that belongs to it' } }])
  })

  it('is passed over when the manifest of other clusters is put beside its files', async () => {
    await snapshotsOf(new Rows(1, 'pods', 2)).close()
    const before = readManifest(folder, KEY) as Manifest
    await writeManifest(folder, KEY, { ...before, clusters: [{ number: 3, name: 'west', registration: '1' }] })
    expect(read().tables).toEqual([])
    expect(lines).toMatchObject([{ fields: { reason: 'speaks of other clusters' } }])
  })
})

describe('a sealed snapshot', () => {
  it('holds no name of an object, a namespace, a kind or a cluster as plain text', async () => {
    names.set(3, { name: 'far-east-cluster', registration: 'registration-of-it' })
    await snapshotsOf(new Rows(1, 'secretive-kinds', 2_000)).close()
    expect(read().clusters[0]?.name).toBe('far-east-cluster')
    expect(contentOf(read().tables[0] as TableArrays).text).toBe('shopweb-1')
    for (const file of files()) {
      const bytes = readFileSync(join(folder, file))
      const found = ['shop', 'web-1', 'secretive', 'far-east', 'registration'].filter((text) => bytes.includes(text))
      expect([file, found]).toEqual([file, []])
    }
    expect(files()).toHaveLength(2)
  })

  it('is another one each time, though the content is the same', async () => {
    await snapshotsOf(new Rows(1, 'pods', 3)).close()
    const first = readFileSync(join(folder, tableFiles()[0] as string))
    await snapshotsOf(new Rows(1, 'pods', 3)).close()
    const second = readFileSync(join(folder, tableFiles()[0] as string))
    expect(second).toHaveLength(first.length)
    expect(second.subarray(40, 80).equals(first.subarray(40, 80))).toBe(false)
  })

  it('opens with no other key: every list is read anew, and the log says why', async () => {
    await snapshotsOf(new Rows(1, 'pods', 3)).close()
    expect(read(new Uint8Array(32).fill(8))).toEqual({ writtenTime: 0, clusters: [], tables: [] })
    expect(lines).toMatchObject([
      {
        fields: { reason: 'was sealed with another key, or is damaged' },
        message: 'The snapshot is passed over: every list is read anew',
      },
    ])
    expect(read().tables).toHaveLength(1)
  })

  it('takes the place of one that was written before snapshots were sealed, and nothing of that is left', async () => {
    mkdirSync(folder, { mode: 0o700 })
    writeFileSync(join(folder, 'manifest.json'), '{"clusters":[{"name":"east"}]}')
    writeFileSync(join(folder, 'pods.table'), 'web-1')
    expect(read().tables).toEqual([])
    expect(lines).toMatchObject([{ fields: { reason: 'is of another version' } }])
    await snapshotsOf(new Rows(1, 'pods', 3)).close()
    expect(read().tables).toHaveLength(1)
    expect(files()).toEqual([MANIFEST, ...tableFiles()].sort())
    expect(tableFiles()).not.toContain('pods.table')
  })
})
