import { expect, test } from 'vitest'
import { logFileName, printable, secondsOf, textLine } from './log.rules.ts'

test('text on a terminal keeps its colours and loses everything that commands the terminal', () => {
  const e = '\u001b'
  expect(printable(`${e}[1;31mred${e}[0m\tok`)).toBe(`${e}[1;31mred${e}[0m\tok`)
  expect(printable(`a${e}[2Jb${e}[10;10Hc${e}[?1049hd`)).toBe('abcd')
  expect(printable(`${e}]52;c;ZXZpbA==\u0007x`)).toBe(']52;c;ZXZpbA==x')
  expect(printable(`over\rwritten\b\b${e}`)).toBe('overwritten')
  expect(printable('\u009b2Jx\u202egnp.exe')).toBe('2Jxgnp.exe')
  expect(printable(`${e}[31`)).not.toContain(e)
  expect(printable('日本語 plain')).toBe('日本語 plain')
  expect(printable(`${e}[`.repeat(100_000))).not.toContain(e)
})

test('a line of a file says when, where and what; a remark is told from a line', () => {
  expect(textLine({ time: 't', pod: 'p', container: 'c', text: 'x' })).toBe('t p/c x\n')
  expect(textLine({ note: 'gone', pod: 'p' })).toBe('--- p: gone\n')
  expect(textLine({ note: 'There is no pod' })).toBe('--- There is no pod\n')
})

test('the name of a downloaded log needs no quoting on any system', () => {
  expect(logFileName('shop', 'dev', '2026-11-21T12:15:02.123Z')).toBe('shop-dev-20261121T121502Z.log')
})

test('times of --since are seconds, minutes, hours or days', () => {
  expect([secondsOf('90'), secondsOf('90s'), secondsOf('10m'), secondsOf('2h'), secondsOf('1d')]).toEqual([
    90, 90, 600, 7_200, 86_400,
  ])
  for (const wrong of ['', '0', '-1', '1w', 'm', '1 m', '1.5h', '9'.repeat(20)])
    expect(secondsOf(wrong)).toBeUndefined()
})
