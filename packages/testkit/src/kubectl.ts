import { execFile } from 'node:child_process'
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

/** kubectl of the cluster's own version with one kubeconfig. */
export interface Kubectl {
  /** Runs it to its end, at most 30 s, with this on its stdin. */
  run(args: string[], stdin?: string): Promise<KubectlResult>
  /** Deletes the kubeconfig. */
  close(): void
}

export async function kubectlWith(kubeconfig: string): Promise<Kubectl> {
  const program = (await obtain(['kubernetes'])).executable('kubectl')
  const folder = mkdtempSync(join(tmpdir(), 'quarterdeck-kubectl-'))
  const file = join(folder, 'kubeconfig')
  writeFileSync(file, kubeconfig, { mode: 0o600 })
  const options = { encoding: 'utf8' as const, timeout: 30_000, env: { HOME: folder, PATH: process.env.PATH } }
  return {
    run: (args, stdin = '') =>
      new Promise((resolve) => {
        const child = execFile(program, ['--kubeconfig', file, ...args], options, (error, stdout, stderr) => {
          resolve({ status: error ? Number(error.code) || 1 : 0, stdout, stderr })
        })
        child.stdin?.on('error', () => {})
        child.stdin?.end(stdin)
      }),
    close: () => rmSync(folder, { recursive: true, force: true }),
  }
}
