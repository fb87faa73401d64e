// npm run faults -- [--only F01[,F02]] [--rounds N] [--seed S]. The last line is `N passed, N failed`.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { root } from '../../scripts/stage.ts'
import { testCluster } from '../platform/test-cluster.ts'
import { clusterRows } from './cluster-rows.ts'
import { mirrorRows } from './mirror-rows.ts'
import { processRows } from './process-rows.ts'
import { seededRandom } from './random.ts'
import type { Row } from './row.ts'
import { storeRows } from './store-rows.ts'
import type { World } from './world.ts'

// Leave by the door, so that what was started is ended.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

const { values } = parseArgs({
  options: { only: { type: 'string' }, rounds: { type: 'string' }, seed: { type: 'string' } },
})
const only = values.only?.split(',')
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31))
const rows = [...processRows, ...storeRows, ...clusterRows, ...mirrorRows].filter(
  ({ id }) => only?.includes(id) ?? true,
)
if (rows.length === 0 || !Number.isInteger(seed) || !(Number(values.rounds ?? 1) > 0)) {
  console.error('npm run faults -- [--only F01[,F02]] [--rounds N] [--seed S]')
  process.exit(2)
}

let passed = 0
let failed = 0
console.log(`seed ${seed}`)
const cluster = await testCluster()
for (const row of rows) await runRow(row)
await cluster.close()
console.log(`${passed} passed, ${failed} failed`)
process.exit(failed > 0 ? 1 : 0)

async function runRow(row: Row): Promise<void> {
  const world: World = { cluster, seed, random: seededRandom(seed), servers: [] }
  // Only rows that differ from round to round are worth repeating.
  const rounds = values.rounds && row.rounds > 1 ? Number(values.rounds) : row.rounds
  console.log(`${row.id} ${row.what}`)
  let broken = false
  for (let round = 1; round <= rounds && !broken; round++) {
    const began = performance.now()
    try {
      const remark = await row.run(world)
      passed++
      console.log(`  ✓ ${round}/${rounds} ${((performance.now() - began) / 1000).toFixed(1)} s ${remark ?? ''}`)
    } catch (error) {
      failed++
      broken = true
      const file = keepEvidence(row, round, world, error as Error)
      console.log(`  ✗ ${round}/${rounds} ${(error as Error).message}\n    evidence: ${file}`)
    }
  }
  for (const server of world.servers) await server.dispose()
}

/** The servers' logs of a broken promise, with the seed that shows it again. */
function keepEvidence(row: Row, round: number, world: World, error: Error): string {
  const folder = join(root, '.tmp/faults')
  mkdirSync(folder, { recursive: true })
  const file = join(folder, `${row.id}-${seed}-${round}.log`)
  const logs = world.servers.map((server) => server.log()).join('\n── next server ──\n')
  writeFileSync(file, `${row.id} ${row.what}\nseed ${seed}, round ${round}\n${error.stack}\n\n${logs}`)
  return file
}
