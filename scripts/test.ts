// `npm test [-- WORD]` and `npm run check`. The last line is always `N passed, N failed`.
import type { Outcome, Stage } from './stage.ts'
import { catalogue, endToEnd, needsHost, reportsCheck, staticChecks, sum, unitTests } from './stages.ts'

const args = process.argv.slice(2)
const quick = args.includes('--check')
const words = args.filter((arg) => !arg.startsWith('-'))
if (words.length > 1 || args.some((arg) => arg.startsWith('-') && arg !== '--check')) {
  console.error('npm test [-- WORD]: WORD is part of the path of test files')
  process.exit(2)
}
const word = words[0]
const began = Date.now()
let total: Outcome = { passed: 0, failed: 0 }

if (quick) {
  await inPairs([...staticChecks, reportsCheck])
  await one(unitTests(false))
} else if (word === undefined) {
  await prepareHost()
  await inPairs([...staticChecks, reportsCheck])
  await one(unitTests(true))
  await one(catalogue('faults', 'faults'))
  await one(catalogue('attacks', 'attacks'))
  await one(endToEnd)
} else {
  if (needsHost(word)) await prepareHost()
  for (const stage of [unitTests(true), catalogue('faults', 'faults'), catalogue('attacks', 'attacks'), endToEnd]) {
    await one(stage)
  }
}
console.log(`in ${seconds(began)} s`)
const nothing = total.passed + total.failed === 0
if (nothing) console.error(`No test file's path holds ${word}`)
console.log(`${total.passed} passed, ${total.failed} failed`)
process.exit(total.failed > 0 || nothing ? 1 : 0)

async function one(stage: Stage): Promise<void> {
  const start = Date.now()
  const outcome = await stage.run(word)
  total = sum(total, outcome)
  const said = outcome.skipped ?? `${outcome.passed} passed, ${outcome.failed} failed`
  console.log(`▪ ${stage.name}: ${said} (${seconds(start)} s)`)
}

/** Two at a time: the static checks wait for each other's disk more than for the processor. */
async function inPairs(stages: Stage[]): Promise<void> {
  const waiting = [...stages]
  const take = async () => {
    for (let stage = waiting.shift(); stage; stage = waiting.shift()) await one(stage)
  }
  await Promise.all([take(), take()])
}

/** Says which Debian packages are missing and why, and installs them where that is possible. */
async function prepareHost(): Promise<void> {
  const { prepareForTests } = await import('./host.ts')
  await prepareForTests()
}

function seconds(since: number): string {
  return ((Date.now() - since) / 1000).toFixed(1)
}
