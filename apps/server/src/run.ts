import { setTimeout as sleep } from 'node:timers/promises'
import { namedRegistries } from '@quarterdeck/registry'
import { type App, createApp } from './app.ts'
import { buildConsole } from './build-console.ts'
import { type Config, ConfigError } from './config.ts'
import { explain } from './start-error.ts'

/** A stop that takes longer than this is cut short; what was accepted is in the store and goes on at the next start. */
const STOP_MS = 20_000

/** Starts the platform and keeps it until a signal. The exit status when it did not start. */
export async function run(config: Config): Promise<number | undefined> {
  // Whoever reads our output may go away.
  process.stdout.on('error', () => {})
  process.stderr.on('error', () => {})
  const registries = await namedRegistries(process.env).catch((error: Error) => {
    throw new ConfigError(error.message)
  })
  let app: App
  try {
    app = await createApp({ config, registries, say: (sentence) => console.log(sentence) })
  } catch (error) {
    console.error(explain(error) ?? error)
    return 1
  }
  if (config.consoleFolder === undefined) buildConsole((line) => console.log(line))
  let stopping = false
  async function stop(status: number) {
    if (stopping) return process.exit(status)
    stopping = true
    await Promise.race([app.close().catch((error: unknown) => console.error(error)), sleep(STOP_MS)])
    process.exit(status)
  }
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (!stopping) console.log('Stopping; the cluster and what runs on it go on')
      void stop(0)
    })
  }
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error: unknown) => {
      app.server.fastify.log.fatal({ err: error, event }, 'a fault of the program; stopping')
      console.error(error)
      void stop(1)
    })
  }
  return undefined
}
