import { expect, test } from 'vitest'
import { seededRandom } from '../seeded-random.ts'
import { Removals } from './removals.ts'
import { RowIndex } from './row-index.ts'
import { readUid, uidText } from './uid.ts'

const uidOf = (text: string): Uint32Array => {
  const bytes = Buffer.from(text)
  const uid = new Uint32Array(4)
  readUid(bytes, 0, bytes.length, uid)
  return uid
}

test('a uid in the usual form is kept as it is', () => {
  const text = '0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0ff'
  expect(uidText(uidOf(text), 0)).toBe(text)
  expect(uidOf(text)[0]).toBe(0x0f1e2d3c)
})

test('what is no usual uid becomes a hash, another one for another text', () => {
  const texts = Array.from({ length: 5_000 }, (_, at) => `default/name-${at}`)
  const hashes = texts.map((text) => uidText(uidOf(text), 0))
  expect(new Set(hashes).size).toBe(texts.length)
  expect(uidText(uidOf('default/name-0'), 0)).toBe(hashes[0])
  expect(uidText(uidOf('0F1E2D3C-4b5a-4978-8695-a4b3c2d1e0ff'), 0)).not.toContain('0f1e2d3c')
})

test('rows are found, removed and used again only after that was told, as a plain map has it', () => {
  const random = seededRandom(4)
  const index = new RowIndex()
  const rows = new Map<string, number>()
  const told = new Set<number>()
  let untold: number[] = []
  const busy = new Set<number>()
  const wrong: [number, string][] = []
  for (let round = 0; round < 30_000; round++) {
    const cluster = random(3)
    // Few different words, so that many meet in one slot.
    const uid = Uint32Array.from([random(40), 0, random(20), 7])
    const key = `${cluster}/${uid.join()}`
    const row = index.find(cluster, uid)
    if (row !== (rows.get(key) ?? -1)) wrong.push([round, 'found another row'])
    if (row < 0 && random(3) > 0) {
      const added = index.add(cluster, uid)
      if (busy.has(added)) wrong.push([round, 'a row that is in use'])
      busy.add(added)
      rows.set(key, added)
      untold.push(added)
    } else if (row >= 0 && random(2) === 0) {
      if (index.remove(row) !== told.has(row)) wrong.push([round, 'told or not'])
      // One that was told stays busy until the removal has been told, too.
      if (!told.has(row)) busy.delete(row)
      untold = untold.filter((each) => each !== row)
      rows.delete(key)
    }
    if (random(200) === 0) {
      for (const each of index.givenUp) {
        busy.delete(each)
        told.delete(each)
      }
      index.reuse(Uint32Array.from(untold))
      for (const each of untold) told.add(each)
      untold = []
    }
    if (index.alive !== rows.size) wrong.push([round, 'another number of rows'])
  }
  expect(wrong).toEqual([])
  expect(rows.size).toBeGreaterThan(500)
})

test('a list that is read again leaves the rows that were not seen', () => {
  const index = new RowIndex()
  const rows = Array.from({ length: 100 }, (_, at) => index.add(at % 2, Uint32Array.from([at, 1, 2, 3])))
  index.unsee(0)
  for (const row of rows.filter((_, at) => at % 4 === 0)) index.see(row)
  expect(index.rowsOf(0, true)).toEqual(rows.filter((_, at) => at % 4 === 2))
  expect(index.rowsOf(1)).toHaveLength(50)
})

test('an index of a snapshot knows its rows and its free numbers', () => {
  const before = new RowIndex()
  const uids = Array.from({ length: 50 }, (_, at) => Uint32Array.from([at, at, at, at]))
  const rows = uids.map((uid) => before.add(5, uid))
  before.reuse(Uint32Array.from(rows))
  for (const row of [3, 30]) before.remove(row)
  const { clusters, uids: words, revisions, used } = before
  const after = new RowIndex({ slots: used, clusters, uids: words, revisions })
  expect(after.alive).toBe(48)
  expect(uids.map((uid) => after.find(5, uid))).toEqual(rows.map((row) => (row === 3 || row === 30 ? -1 : row)))
  const added = [after.add(5, Uint32Array.from([9, 9, 9, 0])), after.add(5, Uint32Array.from([9, 9, 9, 1]))]
  expect(added.sort((a, b) => a - b)).toEqual([3, 30])
  expect(after.add(5, Uint32Array.from([9, 9, 9, 2]))).toBe(50)
})

test('an event older than the removal of its object is known as such', () => {
  const removals = new Removals()
  const uid = uidOf('0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0ff')
  expect(removals.has(1, uid, 10)).toBe(false)
  removals.add(1, uid, 10)
  expect([9, 10, 11, 0].map((revision) => removals.has(1, uid, revision))).toEqual([true, true, false, false])
  expect(removals.has(2, uid, 9)).toBe(false)
  removals.forget(1)
  expect(removals.has(1, uid, 9)).toBe(false)
})
