import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { MissingPackage } from './host.ts'
import { LocalClusterError } from './local-cluster-error.ts'
import { type OnProgress, progressOf } from './progress.ts'

/**
 * Installs Debian packages with apt-get: first tells each of them with its reason, then installs all at once.
 * Throws HostPackagesMissing when this process may not, InstallFailed with apt-get's words when it fails.
 */
export async function installHostPackages(missing: readonly MissingPackage[], onProgress?: OnProgress): Promise<void> {
  if (missing.length === 0) return
  const names = missing.map((one) => one.name)
  const command = `apt-get install ${names.join(' ')}`
  if (process.getuid?.() !== 0) {
    throw new LocalClusterError(
      'HostPackagesMissing',
      `These Debian packages are missing: ${missing.map((one) => `${one.name} (${one.reason})`).join(', ')}.`,
      `Install them as root: ${command}`,
    )
  }
  for (const { name, reason } of missing) {
    onProgress?.({
      stage: 'host',
      component: name,
      state: 'waiting',
      detail: `will be installed: ${reason}`,
      elapsedSeconds: 0,
    })
  }
  const progress = progressOf(onProgress, 'host', 'debian-packages')
  progress.running(command)
  const install = () =>
    aptGet(['install', '--yes', '--no-install-recommends', ...names], (line) => progress.running(line))
  try {
    // A fresh machine has no package lists yet, or old ones that name files which are gone.
    await install().catch(async () => {
      await aptGet(['update'], (line) => progress.running(line))
      await install()
    })
  } catch (error) {
    progress.failed((error as Error).message)
    throw new LocalClusterError(
      'InstallFailed',
      `\`${command}\` failed: ${(error as Error).message}`,
      `Run \`${command}\` yourself, then start again.`,
    )
  }
  for (const { name, reason } of missing) {
    onProgress?.({
      stage: 'host',
      component: name,
      state: 'done',
      detail: `installed: ${reason}`,
      percent: 100,
      elapsedSeconds: 0,
    })
  }
  progress.done(`installed ${names.join(', ')}`)
}

function aptGet(args: string[], onLine: (line: string) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('apt-get', ['-o', 'DPkg::Lock::Timeout=300', ...args], {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LANG: 'C.UTF-8' },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const last: string[] = []
    for (const input of [child.stdout, child.stderr]) {
      createInterface({ input }).on('line', (line) => {
        last.push(line)
        if (last.length > 5) last.shift()
        onLine(line)
      })
    }
    child.on('error', reject)
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(last.join('\n') || `status ${code}`))))
  })
}
