import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { obtain } from '@quarterdeck/local-cluster'

/** What a run of kubectl ended with; `status` 0 when it went well. */
export interface KubectlResult {
  status: number
  stdout: string
  stderr: string
}

/** One that goes on until it is stopped or ends by itself. */
export interface RunningKubectl {
  /** What it has printed. */
  readonly stdout: string
  readonly stderr: string
  /** Its status; resolves when it has ended. */
  readonly ended: Promise<number>
  stop(): Promise<void>
}

/** kubectl of the cluster's own version with one kubeconfig. */
export interface Kubectl {
  /** Runs it to its end, at most 30 s, with this on its stdin. */
  run(args: string[], stdin?: string, environment?: Record<string, string>): Promise<KubectlResult>
  /** Starts what goes on: port-forward. */
  start(args: string[], environment?: Record<string, string>): RunningKubectl
  /** Deletes the kubeconfig. */
  close(): void
}

export async function kubectlWith(kubeconfig: string): Promise<Kubectl> {
  return programWith((await obtain(['kubernetes'])).executable('kubectl'), kubeconfig)
}

/** helm with one kubeconfig; like kubectl otherwise. Built with Go when it is not there yet (some minutes). */
export async function helmWith(kubeconfig: string): Promise<Kubectl> {
  return programWith((await obtain(['helm'])).executable('helm'), kubeconfig)
}

function programWith(program: string, kubeconfig: string): Kubectl {
  const folder = mkdtempSync(join(tmpdir(), 'quarterdeck-kubectl-'))
  const file = join(folder, 'kubeconfig')
  writeFileSync(file, kubeconfig, { mode: 0o600 })
  const options = { encoding: 'utf8' as const, timeout: 30_000, env: { HOME: folder, PATH: process.env.PATH } }
  return {
    run: (args, stdin = '', environment = {}) =>
      new Promise((resolve) => {
        const settings = { ...options, env: { ...options.env, ...environment } }
        const child = execFile(program, ['--kubeconfig', file, ...args], settings, (error, stdout, stderr) => {
          resolve({ status: error ? Number(error.code) || 1 : 0, stdout, stderr })
        })
        child.stdin?.on('error', () => {})
        child.stdin?.end(stdin)
      }),
    start(args, environment = {}) {
      const env = { ...options.env, ...environment }
      const child = spawn(program, ['--kubeconfig', file, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
      const said = { stdout: '', stderr: '' }
      for (const stream of ['stdout', 'stderr'] as const) {
        child[stream].setEncoding('utf8').on('data', (part: string) => {
          said[stream] += part
        })
      }
      const ended = once(child, 'close').then(([status]) => Number(status ?? 1))
      return {
        get stdout() {
          return said.stdout
        },
        get stderr() {
          return said.stderr
        },
        ended,
        async stop() {
          child.kill()
          await ended
        },
      }
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  }
}
