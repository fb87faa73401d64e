// The door of every npm script. Plain JavaScript for any Node of 20 or later, because it runs before anything is
// installed: it brings the packages and Node 24, then hands over.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { nodeEnvironment, nodeFlags } from './node-options.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const entries = {
  start: ['apps/server/src/main.ts'],
  test: ['scripts/test.ts'],
  check: ['scripts/test.ts', '--check'],
  bench: ['bench/run.ts'],
  faults: ['test/faults/run.ts'],
  attacks: ['test/attacks/run.ts'],
  reports: ['scripts/reports.ts'],
}

const [command, ...rest] = process.argv.slice(2)
const entry = entries[command]
if (!entry) {
  console.error(`Say what to run: ${Object.keys(entries).join(', ')}`)
  process.exit(2)
}
await ensurePackages()
handOver(nodeBinary(), [join(root, entry[0]), ...entry.slice(1), ...rest])

/** Installs what package-lock.json names, unless exactly that is installed. Safe to run twice at once. */
async function ensurePackages() {
  const text = readFileSync(join(root, 'package-lock.json'), 'utf8')
  const hash = createHash('sha256').update(text).digest('hex')
  const stamp = join(root, 'node_modules', '.quarterdeck-lock')
  if (readText(stamp) === hash) return
  if (isInstalled(JSON.parse(text).packages)) return writeFileSync(stamp, hash)
  const release = await takeLock(join(root, '.tmp', 'install.lock'))
  try {
    if (readText(stamp) === hash) return
    console.error(
      existsSync(join(root, 'node_modules'))
        ? 'Packages have changed: npm install'
        : 'Installing packages: npm install',
    )
    const began = Date.now()
    // Not `npm ci`: it refuses a lock file that was made where the registry lacks another platform's optional packages.
    // What the lock file names is installed as it says, and the lock file is not written.
    const options = ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error']
    const npm = spawnSync('npm', options, { cwd: root, stdio: ['ignore', 2, 2] })
    if (npm.error) fail(`npm cannot be started: ${npm.error.message}`)
    if (npm.status !== 0) fail('npm install failed; its message is above. Is a package registry in reach?')
    console.error(`Packages are there (${((Date.now() - began) / 1000).toFixed(0)} s)`)
    writeFileSync(stamp, hash)
  } finally {
    release()
  }
}

/** True when npm's own record of node_modules holds every package of the lock file that this machine needs. */
function isInstalled(locked) {
  const record = readText(join(root, 'node_modules', '.package-lock.json'))
  if (record === undefined) return false
  const installed = JSON.parse(record).packages
  return Object.entries(locked).every(([path, entry]) => {
    if (path === '' || entry.optional || entry.devOptional || entry.peer) return true
    return installed[path]?.version === entry.version && installed[path]?.integrity === entry.integrity
  })
}

/** One installer at a time; the lock of a process that has died is taken over. */
async function takeLock(folder) {
  mkdirSync(dirname(folder), { recursive: true })
  for (let waited = 0; ; waited++) {
    try {
      mkdirSync(folder)
      writeFileSync(join(folder, 'pid'), String(process.pid))
      return () => rmSync(folder, { recursive: true, force: true })
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
    }
    const holder = Number(readText(join(folder, 'pid')) ?? 0)
    if (waited > 2 && !isAlive(holder)) rmSync(folder, { recursive: true, force: true })
    else if (waited === 0) console.error('Another process is installing packages: waiting for it')
    await sleep(500)
  }
}

function isAlive(pid) {
  try {
    return pid > 0 && process.kill(pid, 0)
  } catch (error) {
    return error.code === 'EPERM'
  }
}

function readText(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/** Node 24: the one that npm installed, or the one that runs this when it is new enough. */
function nodeBinary() {
  const installed = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
  if (existsSync(installed)) return installed
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath
  fail('Node 24 is missing: the npm package "node" has none for this platform. Install Node 24 and start again.')
}

/** Runs the entry in a process of its own; signals and the exit status pass through. */
function handOver(node, args) {
  const path = join(root, 'node_modules', '.bin') + delimiter + (process.env.PATH ?? '')
  const child = spawn(node, [...nodeFlags, ...args], {
    stdio: 'inherit',
    env: { ...nodeEnvironment(root), ...process.env, PATH: path },
  })
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGQUIT']) {
    // A terminal sends SIGINT and SIGQUIT to the whole group, so the child has it already.
    const fromTerminal = process.stdin.isTTY && (signal === 'SIGINT' || signal === 'SIGQUIT')
    process.on(signal, () => fromTerminal || child.kill(signal))
  }
  child.on('error', (error) => fail(`${node} cannot be started: ${error.message}`))
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code)
    for (const name of ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGQUIT']) process.removeAllListeners(name)
    process.kill(process.pid, signal)
  })
}

function fail(message) {
  console.error(message)
  process.exit(1)
}
