import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { raiseKernelLimits } from './kernel-limits.ts'

test('a limit that is too low is raised and one that is higher is left alone', () => {
  const folder = mkdtempSync(join(tmpdir(), 'quarterdeck-limits-'))
  const [low, high] = [join(folder, 'low'), join(folder, 'high')]
  writeFileSync(low, '128\n')
  writeFileSync(high, '4096\n')
  raiseKernelLimits({ [low]: 1024, [high]: 1024 })
  expect(readFileSync(low, 'utf8')).toBe('1024')
  expect(readFileSync(high, 'utf8')).toBe('4096\n')
})
