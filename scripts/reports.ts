// `npm run reports` writes reports/; `--check` says which of them are stale and ends with 1 when one is.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { importsReport } from './reports/imports.ts'
import { openApiReport } from './reports/openapi.ts'
import { requirementsReport } from './reports/requirements.ts'
import { schemaReport } from './reports/schema.ts'
import { root } from './stage.ts'

const reports: Record<string, () => Promise<string>> = {
  'openapi.json': openApiReport,
  'schema.sql': schemaReport,
  'imports.svg': importsReport,
  'requirements.md': requirementsReport,
}

const folder = join(root, 'reports')
const checking = process.argv.includes('--check')
const stale: string[] = []
mkdirSync(folder, { recursive: true })
for (const [name, make] of Object.entries(reports)) {
  const path = join(folder, name)
  const now = await make().catch((error: Error) => {
    console.error(`reports/${name} cannot be made: ${error.message}`)
    process.exitCode = 1
  })
  if (now === undefined) continue
  const before = existsSync(path) ? readFileSync(path, 'utf8') : undefined
  if (before === now) continue
  stale.push(name)
  if (!checking) writeFileSync(path, now)
}
if (checking && stale.length > 0) {
  console.error(`Stale in reports/: ${stale.join(', ')}. Run: npm run reports`)
  process.exit(1)
}
if (process.exitCode !== 1)
  console.log(stale.length === 0 ? 'reports/ is up to date' : `Written to reports/: ${stale.join(', ')}`)
