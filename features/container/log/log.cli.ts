import { type CliContext, UsageError } from '@quarterdeck/client'
import type { Command } from 'commander'
import { type LogFrame, readLogs } from './log.contract.ts'
import { printable, secondsOf } from './log.rules.ts'

interface Options {
  env?: string
  follow?: boolean
  previous?: boolean
  tail: string
  since?: string
  search?: string
  pod?: string
  container?: string
  timestamps?: boolean
  prefix: boolean
}

export function logCommands(program: Command, context: CliContext): void {
  program
    .command('logs <application>')
    .description('Logs of all pods of an application, in the order of time')
    .option('--env <name>', 'environment')
    .option('-f, --follow', 'go on with what is written from now on')
    .option('--previous', 'of the containers before their last restart')
    .option('--tail <lines>', 'how many of the last lines', '500')
    .option('--since <time>', 'only the last 90s, 10m, 2h, 1d')
    .option('--search <text>', 'only lines that hold this text, upper and lower case alike')
    .option('--pod <name>', 'only this pod')
    .option('--container <name>', 'only containers of this name')
    .option('--timestamps', 'begin each line with its time')
    .option('--no-prefix', 'leave out pod and container before each line')
    .action(async (application: string, options: Options) => {
      const frames = context.client.lines(
        readLogs,
        { params: { environment: context.environment(options.env), application }, query: queryOf(options) },
        { signal: context.signal },
      )
      const shown = shower(context, options)
      for await (const frame of frames) await shown(frame)
    })
}

function queryOf(options: Options) {
  const { tail, since, follow = false, previous = false, search, pod, container } = options
  const tailLines = Number(tail)
  if (!/^\d{1,6}$/.test(tail)) throw new UsageError('--tail: a number of lines, 0 to 100000')
  const sinceSeconds = since === undefined ? undefined : secondsOf(since)
  if (since !== undefined && sinceSeconds === undefined)
    throw new UsageError('--since: a time such as 90s, 10m, 2h or 1d')
  return { follow, previous, tailLines, sinceSeconds, search, pod, container }
}

/** Lines to stdout, remarks to stderr; with -o json a JSON line each. */
function shower(context: CliContext, { timestamps, prefix }: Options): (frame: LogFrame) => Promise<void> | void {
  if (context.output !== 'table') return (frame) => context.write(`${JSON.stringify(frame)}\n`)
  // What goes into a file or another program stays as it was written.
  const clean = context.terminal.interactive ? printable : (text: string) => text
  return (frame) => {
    if ('note' in frame) return context.progress(printable(`--- ${frame.pod ? `${frame.pod}: ` : ''}${frame.note}`))
    const { time, pod, container, text } = frame
    return context.write(`${timestamps ? `${time} ` : ''}${prefix ? `${pod}/${container} ` : ''}${clean(text)}\n`)
  }
}
