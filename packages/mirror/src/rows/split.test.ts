import { expect, test } from 'vitest'
import { seededRandom } from './seeded-random.ts'
import { cutAt, packSuffix, SUFFIX_BYTES, splitText, suffixAt } from './split.ts'

test.each([
  ['shop-7d9f8b6c5-x2x4z', 'shop-7d9f8b6c5-', 'x2x4z'],
  ['10.244.1.17', '10.244.1.', '17'],
  ['fd00:10:244::1a', 'fd00:10:244::', '1a'],
  ['web-0', 'web-', '0'],
  ['backup-12345678', 'backup-', '12345678'],
  ['backup-123456789', 'backup-123456789', ''],
  ['nginx', 'nginx', ''],
  ['ends-with-', 'ends-with-', ''],
  ['käthe-é', 'käthe-é', ''],
  ['凯特-a', '凯特-', 'a'],
  ['a-\u0000', 'a-\u0000', ''],
  ['-', '-', ''],
  ['', '', ''],
])('%j is kept as %j and %j', (text, beginning, suffix) => {
  expect(splitText(text)).toEqual({ beginning, suffix })
})

test('every text comes back from its two parts, and has one form only', () => {
  const random = seededRandom(3)
  const letters = ['a', 'z', '0', '-', '.', ':', 'é', '\u0000', '🚢']
  const suffixes = new Uint8Array(3 * SUFFIX_BYTES).fill(255)
  const wrong: string[] = []
  for (let round = 0; round < 5_000; round++) {
    const text = Array.from({ length: random(20) }, () => letters[random(letters.length)]).join('')
    const { beginning, suffix } = splitText(text)
    packSuffix(suffix, suffixes, 1)
    const bytes = Buffer.from(`--${text}`)
    const kept = bytes.subarray(2, cutAt(bytes, 2, bytes.length)).toString()
    if (beginning + suffixAt(suffixes, 1) !== text || kept !== beginning) wrong.push(text)
  }
  expect(wrong).toEqual([])
  expect([suffixes[SUFFIX_BYTES - 1], suffixes[2 * SUFFIX_BYTES]]).toEqual([255, 255])
})
