import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { readSnapshot } from './snapshots.ts'

/** Writes one snapshot after the other, each value in it the number of the snapshot, and says when each is begun. */
const WRITER = `
const { Snapshots } = await import(${JSON.stringify(new URL('./snapshots.ts', import.meta.url).href)})
const slots = 50_000
let generation = 0
const words = (...values) => { const buffer = new SharedArrayBuffer(4 * values.length); new Uint32Array(buffer).set(values); return buffer }
const tableOf = (table) => ({
  table,
  spec: { resource: 'kind' + table, columns: [] },
  version: () => generation,
  arrays: () => ({
    strings: { bytes: words(0), ends: words(0), count: 1 },
    sets: { members: words(0), ends: words(0), count: 1 },
    slots,
    clusters: new Uint16Array(slots).fill(1),
    uids: new Uint32Array(4 * slots).fill(generation),
    revisions: new Float64Array(slots).fill(generation),
    columns: [{ type: 'u32', values: new Uint32Array(slots).fill(generation) }],
  }),
  stood: () => [{ cluster: 1, revision: generation }],
  track: () => ({ rows: [], end() {} }),
})
const tables = [1, 2, 3].map(tableOf)
const source = { tables: () => tables, cluster: () => ({ name: 'a', registration: '1' }) }
const fail = (fields) => { throw new Error(JSON.stringify(fields)) }
const snapshots = new Snapshots({ folder: process.argv[1], key: new Uint8Array(32).fill(5), source, log: { info() {}, warn: fail } })
for (;;) {
  generation += 1
  process.stdout.write(generation + '\\n')
  await snapshots.write()
}
`

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'killed-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

it('a process that is killed while it writes leaves the last whole snapshot, and no other', async () => {
  let killed = 0
  for (let round = 0; round < 12; round += 1) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', WRITER, folder], {
      stdio: ['ignore', 'pipe', 2],
    })
    let begun = 0
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
      begun = Number(chunk.toString().trim().split('\n').at(-1))
      // Each time some way further into the writing of a snapshot.
      if (begun >= 2 && !child.killed) setTimeout(() => child.kill('SIGKILL'), round * 3)
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    expect(child.signalCode).toBe('SIGKILL')
    const warnings: object[] = []
    const { tables } = readSnapshot(folder, new Uint8Array(32).fill(5), {
      info: () => {},
      warn: (fields) => void warnings.push(fields),
    })
    expect(warnings).toEqual([])
    const found = new Set(tables.flatMap(({ stood, revisions, uids }) => [...revisions, ...uids, stood[0]?.revision]))
    expect(tables).toHaveLength(3)
    expect(found.size).toBe(1)
    const [generation = 0] = found
    // The one that was being written, when its manifest was in place already, or the one before.
    expect([begun - 1, begun]).toContain(generation)
    if (generation === begun - 1) killed += 1
  }
  expect(killed).toBeGreaterThan(0)
})
