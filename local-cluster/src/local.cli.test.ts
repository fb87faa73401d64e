import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command, CommanderError } from 'commander'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { localCommands, stateFolderOf } from './local.cli.ts'

let home: string
let out: string
let err: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'qd-cli-'))
  out = ''
  err = ''
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += text
    return true
  })
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    err += text
    return true
  })
})
afterEach(() => {
  vi.restoreAllMocks()
  process.exitCode = 0
  rmSync(home, { recursive: true, force: true })
})

/** Runs qd as its program does; answers the exit status. */
async function qd(...words: string[]): Promise<number> {
  const program = new Command('qd').option('-o, --output <format>').exitOverride()
  localCommands(program)
  const quiet = (command: Command) => {
    command.exitOverride()
    command.commands.forEach(quiet)
  }
  quiet(program)
  try {
    await program.parseAsync(words, { from: 'user' })
    return Number(process.exitCode ?? 0)
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    throw error
  }
}

test('the status of what was never started is Absent, as words and as JSON', async () => {
  expect(await qd('local', 'status', '--home', home)).toBe(0)
  expect(out).toBe('State         Absent\n')
  out = ''
  expect(await qd('-o', 'json', 'local', 'status', '--home', home)).toBe(0)
  expect(JSON.parse(out)).toMatchObject({ state: 'Absent', components: [] })
})

test('a problem is told with its cure, and the exit status is 1', async () => {
  expect(await qd('local', 'kubeconfig', '--home', home)).toBe(1)
  expect(err).toContain('qd local up')
  out = ''
  expect(await qd('-o', 'json', 'local', 'kubeconfig', '--home', home)).toBe(1)
  expect(JSON.parse(out)).toMatchObject({ reason: 'NotSupported', cure: expect.any(String) })
})

test('nothing is deleted without being sure, nor a folder that holds no cluster', async () => {
  expect(await qd('local', 'reset', '--home', home)).toBe(1)
  expect(err).toContain('--yes')
  mkdirSync(join(home, 'cluster'))
  writeFileSync(join(home, 'cluster', 'precious'), '')
  expect(await qd('local', 'reset', '--yes', '--home', home)).toBe(1)
  expect(existsSync(join(home, 'cluster', 'precious'))).toBe(true)
})

test('a number of nodes that is none is wrong usage', async () => {
  for (const count of ['0', '-1', 'many', '1.5']) expect(await qd('local', 'add-fake-nodes', count), count).toBe(2)
  expect(await qd('local', 'up', '--mode', 'magic')).toBe(2)
  expect(await qd('local', 'archive', 'x.tar', 'no-such-tool')).toBe(2)
})

test('the log of something that is no component is refused', async () => {
  for (const name of ['nobody', '../state.json']) expect(await qd('local', 'logs', name, '--home', home), name).toBe(1)
})

test('a named cluster has a folder of its own', () => {
  expect(stateFolderOf('/x', 'blue')).toBe('/x/cluster-blue')
  expect(stateFolderOf('/x')).toBe('/x/cluster')
})
