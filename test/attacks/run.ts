// npm run attacks -- [--only A09[,A49]] [--worlds N] [--seed S] [--reverse] [--shuffle S].
// The line before the last says how many wait and how many this machine cannot try; the last is `N passed, N failed`.
import { parseArgs } from 'node:util'
import { dice } from '../platform/random-rbac.ts'
import { testCluster } from '../platform/test-cluster.ts'
import { rows as all } from './catalogue.ts'
import { NotPossible, type Row } from './row.ts'
import { startTarget, type Target } from './target.ts'
import { waitingRows } from './waiting-rows.ts'

const USAGE = 'npm run attacks -- [--only A09[,A49]] [--worlds N] [--seed S] [--reverse] [--shuffle S]'
// Leave by the door, so that what was started is ended.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    worlds: { type: 'string' },
    seed: { type: 'string' },
    reverse: { type: 'boolean', default: false },
    shuffle: { type: 'string' },
  },
})
const only = values.only?.split(',')
// All of them when that is what was asked for; a few on the way through the catalogue.
const options = { worlds: Number(values.worlds ?? (only ? 200 : 4)), seed: Number(values.seed ?? 1) }
const isAsked = ({ id }: { id: string }) => only?.includes(id) ?? true
const rows = inOrder(all.filter(isAsked))
const waiting = waitingRows.filter(isAsked)
const unknown = only?.filter((id) => ![...all, ...waitingRows].some((row) => row.id === id)) ?? []
if (unknown.length > 0) {
  console.error(`There is no row ${unknown.join(', ')}. ${USAGE}`)
  process.exit(2)
}

const counts = { passed: 0, failed: 0, notPossible: 0 }
if (rows.length > 0) await attack()
for (const { id, what, waitsFor } of waiting) console.log(`… ${id} ${what}: waits for ${waitsFor}`)
const { passed, failed, notPossible } = counts
const aside = [`${waiting.length} waiting`, ...(notPossible > 0 ? [`${notPossible} not possible here`] : [])]
console.log(`${passed} passed, ${failed} failed, ${aside.join(', ')}`)
console.log(`${passed} passed, ${failed} failed`)
process.exit(failed > 0 ? 1 : 0)

/** As the catalogue has them, or otherwise: no row may need what another one has left. */
function inOrder(asked: readonly Row[]): Row[] {
  if (values.reverse) return asked.toReversed()
  if (values.shuffle === undefined) return [...asked]
  const next = dice(Number(values.shuffle))
  return asked
    .map((row) => ({ row, place: next(1_000_000) }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ row }) => row)
}

async function attack(): Promise<void> {
  const cluster = await testCluster()
  const target = await startTarget(cluster)
  for (const row of rows) await runRow(row, target)
  await target.dispose()
  await cluster.close()
}

async function runRow(row: Row, target: Target): Promise<void> {
  const began = performance.now()
  const seconds = () => `${((performance.now() - began) / 1000).toFixed(1)} s`
  try {
    const remark = await row.run(target, options)
    const { status } = await target.send('GET', '/healthz')
    if (status !== 200) throw new Error(`the server is not well afterwards: ${status}`)
    counts.passed++
    console.log(`✓ ${row.id} ${row.what}${remark ? ` (${remark})` : ''} ${seconds()}`)
  } catch (error) {
    const message = (error as Error).message.replaceAll('\n', '\n    ')
    if (error instanceof NotPossible) {
      counts.notPossible++
      console.log(`○ ${row.id} ${row.what}: not possible here, ${message}`)
      return
    }
    counts.failed++
    console.log(`✗ ${row.id} ${row.what} ${seconds()}\n    ${message}`)
  }
}
