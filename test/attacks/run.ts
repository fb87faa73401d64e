// npm run attacks -- [--only A09[,A49]] [--worlds N] [--seed S]. The last line is `N passed, N failed`.
import { parseArgs } from 'node:util'
import { testCluster } from '../platform/test-cluster.ts'
import { authorisationRows } from './authorisation-rows.ts'
import { authorityRows } from './authority-rows.ts'
import { browserRows } from './browser-rows.ts'
import { canaryRows } from './canary-rows.ts'
import { codeRows } from './code-rows.ts'
import { credentialRows } from './credential-rows.ts'
import { identityRows } from './identity-rows.ts'
import { matrixRows } from './matrix-rows.ts'
import { oracleRows } from './oracle-rows.ts'
import { parserRows } from './parser-rows.ts'
import { placeRows } from './place-rows.ts'
import { proxyRows } from './proxy-rows.ts'
import { requestRows } from './request-rows.ts'
import { secretRows } from './secret-rows.ts'
import { startTarget } from './target.ts'

// Leave by the door, so that what was started is ended.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

const { values } = parseArgs({
  options: { only: { type: 'string' }, worlds: { type: 'string' }, seed: { type: 'string' } },
})
const only = values.only?.split(',')
// All of them when that is what was asked for; a few on the way through the catalogue.
const options = { worlds: Number(values.worlds ?? (only ? 200 : 4)), seed: Number(values.seed ?? 1) }
const rows = [
  ...authorisationRows,
  ...oracleRows,
  ...matrixRows,
  ...authorityRows,
  ...canaryRows,
  ...proxyRows,
  ...identityRows,
  ...credentialRows,
  ...codeRows,
  ...requestRows,
  ...secretRows,
  ...placeRows,
  ...parserRows,
  ...browserRows,
].filter(({ id }) => only?.includes(id) ?? true)
if (rows.length === 0) {
  console.error('npm run attacks -- [--only A09[,A49]] [--worlds N] [--seed S]: there is no such row')
  process.exit(2)
}

let passed = 0
let failed = 0
const cluster = await testCluster()
const target = await startTarget(cluster)
for (const row of rows) {
  const began = performance.now()
  try {
    const remark = await row.run(target, options)
    const { status } = await target.send('GET', '/healthz')
    if (status !== 200) throw new Error(`the server is not well afterwards: ${status}`)
    passed++
    console.log(
      `✓ ${row.id} ${row.what}${remark ? ` (${remark})` : ''} ${((performance.now() - began) / 1000).toFixed(1)} s`,
    )
  } catch (error) {
    failed++
    console.log(`✗ ${row.id} ${row.what}\n    ${(error as Error).message.replaceAll('\n', '\n    ')}`)
  }
}
await target.dispose()
await cluster.close()
console.log(`${passed} passed, ${failed} failed`)
process.exit(failed > 0 ? 1 : 0)
