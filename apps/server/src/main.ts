import { enableCompileCache } from 'node:module'
import { ConfigError, readConfig, SECRET_VARIABLES, usage } from './config.ts'

// What follows is imported only now, so that compiled code of the last start is used for it.
enableCompileCache()
process.exitCode = await main(process.argv.slice(2))

/** The exit status, or undefined while the server runs. */
async function main(args: readonly string[]): Promise<number | undefined> {
  try {
    const config = readConfig(args, process.env)
    if (config === 'help') {
      console.log(usage)
      return 0
    }
    for (const name of SECRET_VARIABLES) delete process.env[name]
    const { run } = await import('./run.ts')
    return await run(config)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    console.error(error.message)
    return 2
  }
}
