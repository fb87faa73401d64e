import { ageText, type CliContext, UsageError } from '@quarterdeck/client'
import type { Command } from 'commander'
import type { Change } from '../../delivery/operation/operation.contract.ts'
import { quotaFrom } from '../tenant/quota.contract.ts'
import {
  createEnvironment,
  deleteEnvironment,
  getEnvironment,
  Isolation,
  listEnvironments,
  PodSecurity,
  Stage,
  updateEnvironment,
} from './environment.contract.ts'
import { limitsFrom } from './environment.rules.ts'

/** What all commands that change a cluster have in common; belongs to operations and is passed by apps/cli. */
export interface ChangeCommands<Options> {
  withOptions(command: Command): Command
  query(options: Options): { dryRun: boolean; force: boolean; reason?: string; planHash?: string }
  finish(context: CliContext, change: Change, options: Options): Promise<void>
}

interface PlaceOptions {
  stage?: string
  title?: string
  project?: string
  quota?: string
  limits?: string
  isolation?: string
  podSecurity?: string
}
interface CreateOptions extends PlaceOptions {
  cluster: string
  stage: string
  namespace?: string
}

const withPlace = (command: Command): Command =>
  command
    .option('--project <name>', 'in which project')
    .option('--title <text>', 'what people call it')
    .option('--quota <amounts>', 'cpuRequest=4,memoryRequest=8Gi,pods=20 …; none for no limit')
    .option('--limits <amounts>', 'of each container: request.cpu=100m,limit.memory=512Mi,most.cpu=2 …; none')
    .option('--isolation <kind>', Isolation.options.join(', '))
    .option('--pod-security <level>', PodSecurity.options.join(', '))

type Parsed<Value> = { success: true; data: Value } | { success: false; error: { issues: { message: string }[] } }

/** The option's value under its own name; nothing where it was not given. Throws UsageError. */
function given<Key extends string, Value>(key: Key, text: string | undefined, parse: (text: string) => Parsed<Value>) {
  if (text === undefined) return {} as { [Name in Key]?: Value }
  const parsed = parse(text)
  const option = key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  if (!parsed.success) throw new UsageError(`--${option}: ${parsed.error.issues[0]?.message ?? 'not understood'}`)
  return { [key]: parsed.data } as { [Name in Key]?: Value }
}

const placeOf = ({ title, project, quota, limits, isolation, podSecurity }: PlaceOptions) => ({
  ...(title === undefined ? {} : { title }),
  ...(project === undefined ? {} : { project }),
  ...given('quota', quota, quotaFrom),
  ...given('limits', limits, limitsFrom),
  ...given('isolation', isolation, (text) => Isolation.safeParse(text)),
  ...given('podSecurity', podSecurity, (text) => PodSecurity.safeParse(text)),
})

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
    .option('--project <name>', 'only those of this project')
    .action(async ({ project }: { project?: string }) =>
      context.print(
        await context.client(listEnvironments, { query: project === undefined ? {} : { project } }),
        columns,
      ),
    )
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
  withPlace(changes.withOptions(env.command('create <name>')))
    .description('Make an environment: a namespace with stage, quota, limits, isolation and an executor')
    .requiredOption('--cluster <name>', 'on which cluster')
    .requiredOption('--stage <stage>', 'dev, test, pre or prod')
    .option('--namespace <name>', 'the same as the environment when absent')
    .action(async (name: string, options: Options & CreateOptions) => {
      const { cluster, namespace } = options
      const body = { cluster, stage: stageOf(options.stage), ...(namespace ? { namespace } : {}), ...placeOf(options) }
      const call = { params: { environment: name }, query: changes.query(options), body }
      await changes.finish(context, await context.client(createEnvironment, call), options)
    })
  withPlace(changes.withOptions(env.command('update <name>')))
    .description('Change an environment; without options it is brought up to date and what is missing put back')
    .option('--stage <stage>', 'dev, test, pre or prod')
    .action(async (name: string, options: Options & PlaceOptions) => {
      const body = { ...(options.stage === undefined ? {} : { stage: stageOf(options.stage) }), ...placeOf(options) }
      const call = { params: { environment: name }, query: changes.query(options), body }
      await changes.finish(context, await context.client(updateEnvironment, call), options)
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

function stageOf(text: string): Stage {
  const stage = Stage.safeParse(text)
  if (stage.success) return stage.data
  throw new UsageError(`--stage: one of ${Stage.options.join(', ')}`)
}

const columns = {
  project: ({ project }: { project: string }) => project,
  name: ({ name }: { name: string }) => name,
  stage: ({ stage }: { stage: string }) => stage,
  cluster: ({ cluster }: { cluster: string }) => cluster,
  namespace: ({ namespace }: { namespace: string }) => namespace,
  applications: ({ applications }: { applications: number }) => applications,
  state: ({ state }: { state: string }) => state,
  age: ({ createTime }: { createTime: string }) => ageText(createTime),
}
