import { expect, test } from 'vitest'
import { OutputHistory, type Piece } from './output-history.ts'

function readFrom(history: OutputHistory, offset: number): { text: string; channels: string } {
  let text = ''
  let channels = ''
  for (let at = offset, piece: Piece | undefined = history.after(at); piece; piece = history.after(at)) {
    text += Buffer.from(piece.bytes).toString('latin1')
    channels += piece.channel === 'error' ? 'e' : 'o'
    at += piece.bytes.length
  }
  return { text, channels }
}

test('what was written is read again from any offset that is held', () => {
  const history = new OutputHistory(100_000)
  const whole = Array.from({ length: 5_000 }, (_, index) => `line ${index}\n`).join('')
  for (let at = 0; at < whole.length; at += 777) history.append('output', Buffer.from(whole.slice(at, at + 777)))
  expect(history.total).toBe(whole.length)
  for (const offset of [0, 1, 16_383, 16_384, 16_385, whole.length - 1]) {
    expect(readFrom(history, offset).text).toBe(whole.slice(offset))
  }
  expect(history.after(whole.length)).toBeUndefined()
})

test('only the end of a long output is held, at least as much as was promised, and it stays in place', () => {
  const history = new OutputHistory(64 * 1024)
  for (let round = 0; round < 200; round += 1) history.append('output', Buffer.alloc(9_999, round))
  expect(history.total).toBe(200 * 9_999)
  expect(history.total - history.start).toBeGreaterThanOrEqual(64 * 1024 - 16 * 1024)
  expect(history.total - history.start).toBeLessThanOrEqual(80 * 1024)
  const { text } = readFrom(history, history.start)
  expect(text.length).toBe(history.total - history.start)
  expect(text.charCodeAt(0)).toBe(Math.floor(history.start / 9_999))
})

test('output and error output keep their order and are told apart', () => {
  const history = new OutputHistory(100_000)
  history.append('output', Buffer.from('a'))
  history.append('error', Buffer.from('b'))
  history.append('error', Buffer.from('c'))
  history.append('output', Buffer.from('d'))
  expect(readFrom(history, 0)).toEqual({ text: 'abcd', channels: 'oeo' })
})

test('a great many changes between the two cannot fill the memory, and count for who is behind', () => {
  const history = new OutputHistory(64 * 1024)
  for (let round = 0; round < 10_000; round += 1) history.append(round % 2 ? 'error' : 'output', Buffer.of(65))
  expect(history.total - history.start).toBeLessThanOrEqual(1_024)
  expect(history.total - history.start).toBeGreaterThan(500)
  expect(history.behind(history.start)).toBeGreaterThan(60 * 1024)
  expect(history.behind(history.total)).toBe(0)
})

test('a piece that was handed out does not change when more is written', () => {
  const history = new OutputHistory(100)
  history.append('output', Buffer.from('first'))
  const piece = history.after(0)
  history.append('output', Buffer.from(' second'))
  expect(Buffer.from(piece?.bytes ?? []).toString()).toBe('first')
})
