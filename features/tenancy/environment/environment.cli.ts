import { ageText, type CliContext, UsageError } from '@quarterdeck/client'
import type { Command } from 'commander'
import type { Change } from '../../delivery/operation/operation.contract.ts'
import {
  createEnvironment,
  deleteEnvironment,
  getEnvironment,
  listEnvironments,
  Stage,
} from './environment.contract.ts'

/** What all commands that change a cluster have in common; belongs to operations and is passed by apps/cli. */
export interface ChangeCommands<Options> {
  withOptions(command: Command): Command
  query(options: Options): { dryRun: boolean; force: boolean; reason?: string; planHash?: string }
  finish(context: CliContext, change: Change, options: Options): Promise<void>
}

interface CreateOptions {
  cluster: string
  stage: string
  namespace?: string
  title?: string
}

/** qd env list, get, create, delete and use. */
export function environmentCommands<Options>(
  program: Command,
  context: CliContext,
  changes: ChangeCommands<Options>,
): void {
  const env = program.command('env').description('Environments: namespaces with a stage')
  env
    .command('list')
    .description('Environments with stage and cluster')
    .action(async () => context.print(await context.client(listEnvironments), columns))
  env
    .command('get <name>')
    .description('One environment')
    .action(async (name: string) =>
      context.print(await context.client(getEnvironment, { params: { environment: name } })),
    )
  env
    .command('use <name>')
    .description('Use it where no --env is given')
    .action(async (name: string) => {
      await context.client(getEnvironment, { params: { environment: name } })
      context.useEnvironment(name)
      context.progress(`${name} is used where no --env is given`)
    })
  changes
    .withOptions(env.command('create <name>'))
    .description('Make an environment')
    .requiredOption('--cluster <name>', 'on which cluster')
    .requiredOption('--stage <stage>', 'dev, test, pre or prod')
    .option('--namespace <name>', 'the same as the environment when absent')
    .option('--title <text>', 'what people call it')
    .action(async (name: string, options: Options & CreateOptions) => {
      const { cluster, namespace, title } = options
      const stage = Stage.safeParse(options.stage)
      if (!stage.success) throw new UsageError(`--stage: one of ${Stage.options.join(', ')}`)
      const body = { cluster, stage: stage.data, ...(namespace ? { namespace } : {}), ...(title ? { title } : {}) }
      const call = { params: { environment: name }, query: changes.query(options), body }
      await changes.finish(context, await context.client(createEnvironment, call), options)
    })
  changes
    .withOptions(env.command('delete <name>'))
    .description('Delete an environment and its namespace')
    .action(async (name: string, options: Options & { dryRun?: boolean }) => {
      if (!options.dryRun && !(await context.confirm(`Delete environment ${name} with all that is in its namespace?`)))
        return
      const call = { params: { environment: name }, query: changes.query(options) }
      await changes.finish(context, await context.client(deleteEnvironment, call), options)
    })
}

const columns = {
  name: ({ name }: { name: string }) => name,
  stage: ({ stage }: { stage: string }) => stage,
  cluster: ({ cluster }: { cluster: string }) => cluster,
  namespace: ({ namespace }: { namespace: string }) => namespace,
  applications: ({ applications }: { applications: number }) => applications,
  state: ({ state }: { state: string }) => state,
  age: ({ createTime }: { createTime: string }) => ageText(createTime),
}
