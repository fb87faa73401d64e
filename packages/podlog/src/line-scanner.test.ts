import { expect, test } from 'vitest'
import { CUT_MARK, LINE_LIMIT_BYTES, LineScanner, readTime, type TimedLine } from './line-scanner.ts'

const scan = (...chunks: (string | Buffer)[]): TimedLine[] => {
  const scanner = new LineScanner()
  return [...chunks.flatMap((chunk) => scanner.push(Buffer.from(chunk))), ...scanner.end()]
}
const T = '2026-11-21T12:06:16.977560079Z'

test('a log comes out the same wherever it is cut into chunks', () => {
  const bytes = Buffer.from(`${T} first\n${T} zweite Zeile, 第二行\n${T} \n${T} last without newline`)
  const whole = scan(bytes)
  expect(whole.map(({ text }) => text)).toEqual(['first', 'zweite Zeile, 第二行', '', 'last without newline'])
  for (let at = 1; at < bytes.length; at += 1) {
    expect(scan(bytes.subarray(0, at), bytes.subarray(at)), String(at)).toEqual(whole)
  }
  expect(scan(...Array.from(bytes, (byte) => Buffer.of(byte)))).toEqual(whole)
})

test('an instant is read in every time zone and with any number of decimals', () => {
  const instants = [
    '2026-11-21T12:06:16.5Z',
    '2026-11-21T20:06:16.500000000+08:00',
    '2026-11-21T07:06:16.50-05:00',
    '2026-11-21T17:36:16.5000+05:30',
  ]
  for (const time of instants) {
    const [line] = scan(`${time} x\n`)
    expect(line, time).toMatchObject({ time, text: 'x', seconds: Date.UTC(2026, 10, 21, 12, 6, 16) / 1000, nanos: 5e8 })
  }
  for (const day of ['1970-01-01', '2000-02-29', '2024-12-31', '2100-03-01']) {
    const [line] = scan(`${day}T23:59:59Z x\n`)
    expect(line?.seconds).toBe(Date.parse(`${day}T23:59:59Z`) / 1000)
  }
})

test('a line without a time keeps its text and the instant of the one before', () => {
  const lines = scan(`${T} a\nunable to retrieve container logs\n2026-99\n2026-11-21T12:06:16.9`)
  expect(lines.map(({ time, text }) => [time, text])).toEqual([
    [T, 'a'],
    ['', 'unable to retrieve container logs'],
    ['', '2026-99'],
    ['', '2026-11-21T12:06:16.9'],
  ])
  expect(lines[1]?.seconds).toBe(lines[0]?.seconds)
  const nonsense = Buffer.from('2026-11-21Txx:06:16Z a')
  expect(readTime(nonsense, 0, nonsense.length)).toBeUndefined()
})

test('a line that never ends is cut once, and the lines after it are whole', () => {
  const scanner = new LineScanner()
  const lines = scanner.push(Buffer.from(`${T} `))
  const chunk = Buffer.alloc(32 * 1024, 'x')
  for (let round = 0; round < 1_000; round += 1) lines.push(...scanner.push(chunk))
  lines.push(...scanner.push(Buffer.from(`end\n${T} next\n`)))
  expect(lines.map(({ text }) => text.length)).toEqual([LINE_LIMIT_BYTES + CUT_MARK.length, 4])
  expect(lines[0]?.text.endsWith(CUT_MARK)).toBe(true)
  expect(lines[1]).toMatchObject({ time: T, text: 'next' })
})

test('a long line is not cut within a character', () => {
  const [line] = scan(`${T} ${'日'.repeat(40_000)}\n`)
  expect(line?.text.replace(CUT_MARK, '')).toMatch(/^日+$/)
})

test('bytes that are no text, and a carriage return at the end, do no harm', () => {
  const bytes = Buffer.concat([
    Buffer.from(`${T} a`),
    Buffer.of(0xff, 0xfe, 0x00, 0xc3),
    Buffer.from(`b\r\n${T} c\rd\n`),
  ])
  expect(scan(bytes).map(({ text }) => text)).toEqual(['a\ufffd\ufffd\u0000\ufffdb', 'c\rd'])
})
