import { type CliContext, readInput, UsageError } from '@quarterdeck/client'
import type { Command } from 'commander'
import type { Change } from '../../delivery/operation/operation.contract.ts'
import { applyManifests } from './manifest.contract.ts'

/** What all commands that change a cluster have in common; belongs to operations and is passed by apps/cli. */
export interface ChangeCommands<Options> {
  withOptions(command: Command): Command
  query(options: Options): { dryRun: boolean; force: boolean; reason?: string; planHash?: string }
  finish(context: CliContext, change: Change, options: Options): Promise<void>
}

interface ApplyOptions {
  file: string
  name: string
  env?: string
}

/** qd app apply; stands beside the other commands of `app`, which must be there already. */
export function manifestCommands<Options>(
  program: Command,
  context: CliContext,
  changes: ChangeCommands<Options>,
): void {
  const app = program.commands.find((command) => command.name() === 'app') ?? program.command('app')
  changes
    .withOptions(app.command('apply'))
    .description('Make an application from YAML, or bring one to it; what is no longer in the YAML is deleted')
    .requiredOption('-f, --file <file>', 'the YAML, - for stdin')
    .requiredOption('--name <name>', 'name of the application')
    .option('--env <name>', 'environment')
    .action(async ({ file, name, env, ...options }: Options & ApplyOptions) => {
      const yaml = await readInput(context, file)
      if (yaml.trim() === '') throw new UsageError(`${file} is empty`)
      const params = { environment: context.environment(env), application: name }
      const query = changes.query(options as Options)
      const change = await context.client(applyManifests, { params, query, body: { yaml } })
      await changes.finish(context, change, options as Options)
    })
}
