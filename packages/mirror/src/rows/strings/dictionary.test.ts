import { expect, test } from 'vitest'
import { seededRandom } from '../seeded-random.ts'
import { Dictionary, STRING_LIMIT_BYTES } from './dictionary.ts'
import { SetTable } from './set-table.ts'

const LETTERS = ['a', 'b', '-', '.', '0', 'é', '凯', '🚢', '\u0000']

function anyText(random: (below: number) => number): string {
  return Array.from({ length: random(12) }, () => LETTERS[random(LETTERS.length)]).join('')
}

test('a string has one id, whether it comes as a text or as bytes, and the id gives it back', () => {
  const random = seededRandom(1)
  const dictionary = new Dictionary()
  const known = new Map<string, number>([['', 0]])
  const wrong: string[] = []
  for (let round = 0; round < 20_000; round++) {
    const text = anyText(random)
    const bytes = Buffer.from(`xx${text}yy`)
    const id = random(2) === 0 ? dictionary.idOfText(text) : dictionary.idOfBytes(bytes, 2, bytes.length - 2)
    if (id !== (known.get(text) ?? known.size)) wrong.push(text)
    known.set(text, id)
  }
  expect(wrong).toEqual([])
  expect(known.size).toBeGreaterThan(5_000)
  expect(dictionary.count).toBe(known.size)
  expect([...known].filter(([text, id]) => dictionary.text(id) !== text)).toEqual([])
})

test('a dictionary of a snapshot goes on with its ids', () => {
  const before = new Dictionary()
  const texts = Array.from({ length: 1_000 }, (_, at) => `string ${at}`)
  const ids = texts.map((text) => before.idOfText(text))
  const after = new Dictionary(before.part())
  expect(texts.map((text) => after.idOfText(text))).toEqual(ids)
  const added = after.idOfText('another')
  expect(added).toBe(1_001)
  expect(after.text(added)).toBe('another')
})

test('buffers that were told stay true while more strings come', () => {
  const dictionary = new Dictionary()
  dictionary.idOfText('first')
  const told = dictionary.part()
  const copy = { bytes: Buffer.from(told.bytes.slice(0)), ends: Buffer.from(told.ends.slice(0)) }
  for (let at = 0; at < 10_000; at++) dictionary.idOfText(`string ${at}`)
  const ends = new Uint32Array(told.ends)
  expect([ends[0], ends[1]]).toEqual([0, 5])
  expect(Buffer.from(told.bytes).subarray(0, 5)).toEqual(copy.bytes.subarray(0, 5))
  expect(dictionary.part().bytes.byteLength).toBeGreaterThan(copy.bytes.length)
})

test('a text that is too long is cut at a character', () => {
  const dictionary = new Dictionary()
  const long = `${'a'.repeat(STRING_LIMIT_BYTES - 1)}🚢 and more`
  const id = dictionary.idOfText(long)
  expect(dictionary.text(id)).toBe('a'.repeat(STRING_LIMIT_BYTES - 1))
  const bytes = Buffer.from(long)
  expect(dictionary.idOfBytes(bytes, 0, bytes.length)).toBe(id)
  const huge = '凯'.repeat(100_000)
  expect(dictionary.text(dictionary.idOfText(huge))).toBe('凯'.repeat(Math.floor(STRING_LIMIT_BYTES / 3)))
})

test('an empty dictionary takes little memory', () => {
  expect(new Dictionary().memoryBytes + new SetTable().memoryBytes).toBeLessThan(4_096)
})

test('a set has one id for the same members in the same order', () => {
  const random = seededRandom(2)
  const sets = new SetTable()
  const known = new Map<string, number>([['', 0]])
  const members = new Uint32Array(8)
  const wrong: string[] = []
  for (let round = 0; round < 20_000; round++) {
    const length = random(6)
    for (let at = 0; at < length; at++) members[at] = random(6) === 0 ? 4_000_000_000 + random(3) : random(10)
    const key = members.subarray(0, length).join()
    const id = sets.idOf(members, length)
    if (id !== (known.get(key) ?? known.size)) wrong.push(key)
    known.set(key, id)
  }
  expect(wrong).toEqual([])
  const restored = new SetTable(sets.part())
  const other = [...known].filter(([key, id]) => {
    const list = Uint32Array.from(key === '' ? [] : key.split(',').map(Number))
    return sets.membersOf(id).join() !== key || restored.idOf(list, list.length) !== id
  })
  expect(other).toEqual([])
})
