import { expect, test } from 'vitest'
import { ansiRuns } from './ansi.ts'
import { LogBuffer } from './log-buffer.ts'

const line = (text: string) => ({ time: '', pod: 'a', container: 'c', text })
const texts = (buffer: LogBuffer) => Array.from({ length: buffer.size }, (_, index) => buffer.at(index)?.text)

test('a full buffer drops the oldest lines and keeps their order and numbers', () => {
  const buffer = new LogBuffer(3)
  for (const text of ['1', '2', '3', '4', '5']) buffer.push(line(text))
  expect(texts(buffer)).toEqual(['3', '4', '5'])
  expect(buffer.dropped).toBe(2)
  expect(buffer.at(0)?.id).toBe(2)
  expect(buffer.at(3)).toBeUndefined()
  expect(buffer.at(-1)).toBeUndefined()
})

test('an emptied buffer begins anew', () => {
  const buffer = new LogBuffer(2)
  for (const text of ['1', '2', '3']) buffer.push(line(text))
  buffer.clear()
  buffer.push(line('4'))
  expect(texts(buffer)).toEqual(['4'])
  expect(buffer.dropped).toBe(0)
})

test('terminal colours become looks, and end where they are ended', () => {
  expect(ansiRuns('\u001b[1;31mERROR\u001b[0m gone')).toEqual([
    { text: 'ERROR', look: 'ansi-b ansi-1' },
    { text: ' gone', look: '' },
  ])
  expect(ansiRuns('\u001b[92mok\u001b[39m.')).toEqual([
    { text: 'ok', look: 'ansi-2' },
    { text: '.', look: '' },
  ])
})

test('arguments of true colour are not taken for colours of their own', () => {
  expect(ansiRuns('\u001b[38;5;31mx\u001b[38;2;31;32;33my')).toEqual([
    { text: 'x', look: '' },
    { text: 'y', look: '' },
  ])
})

test('cursor movements, titles and control characters never reach the screen', () => {
  const evil = 'a\u001b[2J\u001b]0;title\u0007b\u0008\u0000c\u001b[1000D\r'
  expect(
    ansiRuns(evil)
      .map((run) => run.text)
      .join(''),
  ).toBe('abc')
})
