import { spawn } from 'node:child_process'
import { delimiter, join, resolve } from 'node:path'

/** The checkout. */
export const root = resolve(import.meta.dirname, '..')

/** What a stage found; `skipped` says why it had nothing to do. */
export interface Outcome {
  passed: number
  failed: number
  skipped?: string
}

/** One part of `npm test`. `files` are what WORD is matched against; a stage without them runs only without WORD. */
export interface Stage {
  name: string
  run(word: string | undefined): Promise<Outcome>
}

/** How a command ended: `text` is stdout and stderr as they came; `timedOut` when it was ended for taking too long. */
export interface Ended {
  status: number
  text: string
  timedOut: boolean
}

export interface CommandOptions {
  /** Show the output while it comes; otherwise it is only collected. */
  show?: boolean
  /** 0 or absent: no limit. */
  timeoutSeconds?: number
  environment?: Record<string, string>
}

/** Runs a program of this checkout under Node 24's own folder first on PATH; never throws for a failing program. */
export function run(command: string, args: string[], options: CommandOptions = {}): Promise<Ended> {
  const { promise, resolve: end } = Promise.withResolvers<Ended>()
  const path = join(root, 'node_modules', '.bin') + delimiter + (process.env.PATH ?? '')
  const child = spawn(command, args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PATH: path, ...options.environment },
  })
  let text = ''
  let timedOut = false
  const timer = options.timeoutSeconds
    ? setTimeout(() => {
        timedOut = true
        child.kill('SIGTERM')
        setTimeout(() => child.kill('SIGKILL'), 20_000).unref()
      }, options.timeoutSeconds * 1000)
    : undefined
  const take = (chunk: Buffer) => {
    text += chunk
    if (options.show) process.stdout.write(chunk)
  }
  child.stdout.on('data', take)
  child.stderr.on('data', take)
  child.on('error', (error) => {
    text += `${command} cannot be started: ${error.message}\n`
  })
  child.on('close', (status) => {
    clearTimeout(timer)
    if (timedOut) text += `\n${command} took longer than ${options.timeoutSeconds} s and was ended\n`
    end({ status: status ?? 1, text, timedOut })
  })
  return promise
}

/** Node's own arguments for a script of this checkout. */
export const nodeScript = (path: string, ...args: string[]): string[] => [
  '--disable-warning=ExperimentalWarning',
  join(root, path),
  ...args,
]

/** A check that passes or fails as a whole; its output is shown when it fails. */
export function check(name: string, command: string, args: string[]): Stage {
  return {
    name,
    async run() {
      const { status, text } = await run(command, args, { timeoutSeconds: 300 })
      if (status === 0) return { passed: 1, failed: 0 }
      process.stdout.write(`\n── ${name} ──\n${text}\n`)
      return { passed: 0, failed: 1 }
    },
  }
}
