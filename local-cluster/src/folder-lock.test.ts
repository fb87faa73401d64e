import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { withLock } from './folder-lock.ts'

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'qd-lock-'))
  file = join(folder, 'lock')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Another process that takes the lock, writes `held`, and keeps it until its input ends. */
function holder() {
  const script = `
    import { withLock } from ${JSON.stringify(join(import.meta.dirname, 'folder-lock.ts'))}
    await withLock(${JSON.stringify(file)}, async () => {
      console.log('held')
      await new Promise((done) => process.stdin.on('end', done).resume())
    })`
  return spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['pipe', 'pipe', 'inherit'] })
}

test('a second process waits for the first, and is told whom it waits for', async () => {
  const first = holder()
  await once(first.stdout, 'data')
  const told: number[] = []
  const second = withLock(
    file,
    async () => first.exitCode,
    (pid) => {
      told.push(pid)
      first.stdin.end()
    },
  )
  await second
  expect(told).toEqual([first.pid])
  expect(existsSync(file)).toBe(false)
})

test('the lock of a process that was killed is taken over', async () => {
  const first = holder()
  await once(first.stdout, 'data')
  first.kill('SIGKILL')
  await once(first, 'exit')
  expect(existsSync(file)).toBe(true)
  expect(await withLock(file, async () => JSON.parse(readFileSync(file, 'utf8')).pid)).toBe(process.pid)
})

test('the lock of a dead process whose id another one has by now is taken over', async () => {
  writeFileSync(file, JSON.stringify({ pid: process.ppid, startTime: '1' }))
  expect(await withLock(file, async () => 'mine')).toBe('mine')
})

test('a lock file with rubbish in it holds nobody up', async () => {
  writeFileSync(file, '')
  expect(await withLock(file, async () => 'mine')).toBe('mine')
})

test('the lock is given back when the act throws', async () => {
  await expect(withLock(file, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(existsSync(file)).toBe(false)
})
