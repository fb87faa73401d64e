#!/usr/bin/env node
// Runs under any Node: hands over to the Node 24 among the packages where the running one cannot run TypeScript.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const [major] = process.versions.node.split('.').map(Number)

function packagedNode() {
  for (let folder = here; ; folder = dirname(folder)) {
    const found = join(folder, 'node_modules', 'node', 'bin', 'node')
    if (existsSync(found)) return found
    if (folder === dirname(folder)) return undefined
  }
}

if (major >= 24) {
  const { enableCompileCache } = await import('node:module')
  enableCompileCache()
  await import('../src/main.ts')
} else {
  const node = packagedNode()
  if (!node) {
    process.stderr.write(`qd needs Node.js 24 or newer; this is ${process.version}. Run npm install in its folder.\n`)
    process.exit(1)
  }
  const { status, signal, error } = spawnSync(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: 'inherit',
  })
  if (error) process.stderr.write(`qd: ${error.message}\n`)
  process.exit(signal ? 128 + (constants.signals[signal] ?? 1) : (status ?? 1))
}
