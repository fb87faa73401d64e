import { readFileSync } from 'node:fs'
import { Argument, Command, Option } from 'commander'
import { completionScript } from './completion.ts'
import { createContext } from './context.ts'
import { commands } from './features.ts'

const version = () =>
  (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }).version

/** The local cluster's commands are loaded only when they are asked for: they bring much along. */
async function addLocal(program: Command, argv: readonly string[]): Promise<void> {
  const wanted = argv.slice(2).find((word) => !word.startsWith('-'))
  if (wanted !== 'local' && wanted !== 'completion') {
    program.command('local').description('A Kubernetes on this machine: up, status, down, reset, kubeconfig, logs')
    return
  }
  const { localCommands } = await import('@quarterdeck/local-cluster')
  localCommands(program)
}

/** All commands of qd. `signal` is aborted by Ctrl+C. */
export async function createProgram(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<Command> {
  const program = new Command('qd')
    .description('Runs applications on Kubernetes. Each command has --help.')
    .addOption(
      new Option('-o, --output <format>', 'form of the result').choices(['table', 'json', 'yaml']).default('table'),
    )
    .option('--server <url>', 'server to talk to; else QUARTERDECK_SERVER, else the one of qd login')
    .option('-y, --yes', 'do not ask')
    .showHelpAfterError('Add --help to see how it is used.')
    .exitOverride()
  const context = createContext(program, env, signal)
  for (const add of commands) add(program, context)
  await addLocal(program, argv)
  program
    .command('completion')
    .description('Print a completion script: source <(qd completion bash)')
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish']))
    .action((shell: 'bash' | 'zsh' | 'fish') => context.write(completionScript(program, shell)))
  program
    .command('version')
    .description('Version of qd')
    .action(() => context.print({ version: version() }))
  inheritExit(program)
  return program
}

/** Subcommands end as the program does; commander copies this only to commands made after it was set. */
function inheritExit(command: Command): void {
  for (const child of command.commands) {
    child.exitOverride()
    inheritExit(child)
  }
}
