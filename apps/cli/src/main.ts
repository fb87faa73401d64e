import type { OutputFormat } from '@quarterdeck/client'
import { outcomeOf } from './exit.ts'
import { createProgram } from './program.ts'

const interrupted = new AbortController()
process.once('SIGINT', () => {
  interrupted.abort()
  // A second Ctrl+C ends us whatever we wait for.
  process.once('SIGINT', () => process.exit(130))
})
// A reader that has gone (`qd logs | head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

let format: OutputFormat = 'table'
try {
  const program = await createProgram(process.argv, process.env, interrupted.signal)
  program.hook('preAction', () => {
    format = program.opts<{ output: OutputFormat }>().output
  })
  await program.parseAsync(process.argv)
} catch (error) {
  const { status, text } = outcomeOf(error, format)
  process.stderr.write(text)
  process.exitCode = interrupted.signal.aborted ? 130 : status
}
