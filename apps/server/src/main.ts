import { enableCompileCache } from 'node:module'
import { ConfigError, hideSecrets, readConfig, usage } from './config.ts'

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
    hideSecrets(process.env)
    const { run } = await import('./run.ts')
    return await run(config)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    console.error(error.message)
    return 2
  }
}
