import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { UsageError } from '@quarterdeck/client'
import { z } from 'zod'

const Settings = z.object({
  server: z.string().optional(),
  user: z.string().optional(),
  token: z.string().optional(),
  environment: z.string().optional(),
})
export type Settings = z.infer<typeof Settings>

const fileOf = (env: NodeJS.ProcessEnv) =>
  join(env.XDG_CONFIG_HOME || join(homedir(), '.config'), 'quarterdeck', 'config.json')

/** What earlier commands kept; nothing when there is no file. Throws UsageError when the file is not ours. */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const file = fileOf(env)
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw new UsageError(`${file} cannot be read: ${(error as Error).message}`)
  }
  try {
    return Settings.parse(JSON.parse(text))
  } catch {
    throw new UsageError(`${file} is not what qd writes; remove it and run qd login`)
  }
}

/** Replaces the file in one step; readable by its owner alone, since it holds a token. */
export function writeSettings(env: NodeJS.ProcessEnv, settings: Settings): void {
  const file = fileOf(env)
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const next = `${file}.${process.pid}`
  writeFileSync(next, `${JSON.stringify(settings, null, 2)}\n`, { mode: 0o600 })
  renameSync(next, file)
}
