// npm run bench -- --only W1[,W3] [--pods N] --out FILE. FILE is a JSON array, an element a workload.
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { type BenchOptions, progress, type Result } from './measure.ts'
import { mirrorWorkloads, runMirror } from './mirror/workloads.ts'
import { pageReachable, warmStart } from './starts.ts'
import { authorisation } from './w10.ts'
import { authorisedLists } from './w10-lists.ts'
import { deployToAvailable } from './w11.ts'
import { coldStart } from './w17.ts'
import { auditedMutations } from './w18.ts'

const workloads: Record<string, (options: BenchOptions) => Promise<Result>> = {
  W10: authorisation,
  W10L: authorisedLists,
  W11: deployToAvailable,
  W17: coldStart,
  W18: auditedMutations,
  S1: pageReachable,
  S2: warmStart,
}
const all = [...Object.keys(mirrorWorkloads), ...Object.keys(workloads)]

const USAGE = `npm run bench -- [--only ${all.join(',')}] [--out FILE]
  --pods N         size of the cluster; 10,000 for the workloads of the mirror
  --heavy          pods of three to five containers
  --rounds N       how often what is compared is done in turn
  --minutes N      how long W16 leaves the table open (2)
  --profile DIR    CPU profiles of our processes, where the workload can take them`

// Leave by the door, so that what was started is ended.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    pods: { type: 'string' },
    out: { type: 'string' },
    heavy: { type: 'boolean' },
    rounds: { type: 'string' },
    minutes: { type: 'string' },
    profile: { type: 'string' },
  },
})
const names = values.only?.split(',') ?? all
const options = optionsOf()
if (!options || names.some((name) => !all.includes(name))) {
  console.error(USAGE)
  process.exit(2)
}

const results: Result[] = []
let failed = false
function keep(result: Result): void {
  if (results.at(-1)?.unfinished) results.pop()
  results.push(result)
  if (!result.unfinished) console.log(JSON.stringify(result, undefined, 2))
  if (!values.out) return
  mkdirSync(dirname(values.out), { recursive: true })
  writeFileSync(values.out, `${JSON.stringify(results, undefined, 2)}\n`)
}

const ofMirror = names.filter((name) => name in mirrorWorkloads)
if (ofMirror.length > 0) {
  failed = !(await runMirror(ofMirror, options, keep))
}
for (const name of names) {
  if (name in workloads) progress(`${name} begins`)
  const result = await workloads[name]?.(options)
  if (result) keep(result)
}
process.exit(!failed && results.every(({ met }) => met) ? 0 : 1)

/** Undefined when one of them is wrong. */
function optionsOf(): BenchOptions | undefined {
  const { heavy = false, profile } = values
  const numbers = { pods: values.pods, rounds: values.rounds, minutes: values.minutes }
  const given = Object.entries(numbers).flatMap(([name, text]) =>
    text === undefined ? [] : [[name, Number(text)] as const],
  )
  if (given.some(([, value]) => !(Number.isInteger(value) && value > 0))) return undefined
  return {
    ...Object.fromEntries(given),
    ...(heavy ? { heavy } : {}),
    ...(profile === undefined ? {} : { profileFolder: resolve(profile) }),
  }
}
