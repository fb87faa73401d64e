import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const program = join(import.meta.dirname, '../../console/build.ts')
const built = join(import.meta.dirname, '../../console/dist/index.html')
const LATER_MS = 2_000

/**
 * Builds the console when its sources have changed, in a process of its own: the compiler's memory goes with it. Until
 * it is done the last console is served, or a page that says so.
 */
export function buildConsole(say: (line: string) => void): void {
  if (!existsSync(program)) return
  // A console that is there is looked at when the start is over, which needs both processors itself.
  if (existsSync(built)) setTimeout(build, LATER_MS, say).unref()
  else build(say)
}

function build(say: (line: string) => void): void {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_ENV: 'production' },
  })
  let failure = ''
  createInterface({ input: child.stdout }).on('line', (line) => say(`  ${line}`))
  child.stderr.on('data', (chunk) => {
    failure += chunk
  })
  child.once('error', (error) => say(`  The console cannot be built: ${error.message}`))
  child.once('exit', (code) => {
    if (code !== 0) say(`  The console cannot be built: ${failure.trim().split('\n').slice(-5).join('\n')}`)
  })
  process.once('exit', () => child.kill())
}
