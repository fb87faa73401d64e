// npm run bench -- --only W11[,W17] [--pods N] --out FILE. FILE is a JSON array, an element a workload.
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import type { BenchOptions, Result } from './measure.ts'
import { pageReachable, warmStart } from './starts.ts'
import { deployToAvailable } from './w11.ts'
import { coldStart } from './w17.ts'

const workloads: Record<string, (options: BenchOptions) => Promise<Result>> = {
  W11: deployToAvailable,
  W17: coldStart,
  S1: pageReachable,
  S2: warmStart,
}

// Leave by the door, so that what was started is ended.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

const { values } = parseArgs({
  options: { only: { type: 'string' }, pods: { type: 'string' }, out: { type: 'string' } },
})
const names = values.only?.split(',') ?? Object.keys(workloads)
const pods = values.pods === undefined ? undefined : Number(values.pods)
const unknown = names.filter((name) => !workloads[name])
if (unknown.length > 0 || (pods !== undefined && !(Number.isInteger(pods) && pods > 0))) {
  console.error(`npm run bench -- [--only ${Object.keys(workloads).join(',')}] [--pods N] [--out FILE]`)
  process.exit(2)
}

const results: Result[] = []
for (const name of names) {
  const result = await workloads[name]?.(pods === undefined ? {} : { pods })
  if (!result) continue
  results.push(result)
  console.log(JSON.stringify(result, undefined, 2))
}
if (values.out) {
  mkdirSync(dirname(values.out), { recursive: true })
  writeFileSync(values.out, `${JSON.stringify(results, undefined, 2)}\n`)
}
process.exit(results.every(({ met }) => met) ? 0 : 1)
