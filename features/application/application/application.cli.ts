import { ageText, type CliContext, readInput, UsageError } from '@quarterdeck/client'
import { type Input, Name } from '@quarterdeck/kernel'
import type { Command } from 'commander'
import type { Change } from '../../delivery/operation/operation.contract.ts'
import {
  deleteApplication,
  deployApplication,
  getApplication,
  getApplicationYaml,
  listApplications,
  restartApplication,
  restartPod,
  scaleApplication,
  setApplicationImage,
} from './application.contract.ts'
import { nameOf, portName } from './proposal.rules.ts'

/** What all commands that change a cluster have in common; belongs to operations and is passed by apps/cli. */
export interface ChangeCommands<Options> {
  withOptions(command: Command): Command
  query(options: Options): { dryRun: boolean; force: boolean; reason?: string; planHash?: string }
  finish(context: CliContext, change: Change, options: Options): Promise<void>
}

interface Where {
  env?: string
}

interface DeployOptions extends Where {
  file?: string
  name?: string
  replicas?: string
  port?: string[]
  exposure?: string
  envVar?: string[]
  cpu?: string
  cpuLimit?: string
  memory?: string
  memoryLimit?: string
  create?: boolean
}

/** qd app deploy, list, get, yaml, scale, restart, set-image and delete. */
export function applicationCommands<Options>(
  program: Command,
  context: CliContext,
  changes: ChangeCommands<Options>,
): void {
  const app = program.command('app').description('Applications')
  const changing = (usage: string, description: string) =>
    changes.withOptions(app.command(usage)).description(description).option('--env <name>', 'environment')
  const one = (application: string, { env }: Where) => ({ environment: context.environment(env), application })
  reading(app, context, one)
  changing('deploy [image]', 'Deploy an image; what is not given is proposed from the image')
    .option('-f, --file <file>', 'file with the whole specification as YAML or JSON instead of an image; - for stdin')
    .option('--name <name>', 'name of the application; that of the image when absent')
    .option('--replicas <n>', 'how many pods')
    .option(
      '--port <port...>',
      '[name=]8080[:30080][/udp]: container port, perhaps port on the nodes; as the image exposes them when absent',
    )
    .option('--exposure <where>', 'none, cluster or node')
    .option('--env-var <variable...>', 'KEY=VALUE')
    .option('--cpu <quantity>', 'CPU that is reserved for each pod, such as 100m')
    .option('--cpu-limit <quantity>', 'CPU at most')
    .option('--memory <quantity>', 'memory that is reserved, such as 128Mi')
    .option('--memory-limit <quantity>', 'memory at most')
    .option('--create', 'refuse when the name is taken')
    .action(async (image: string | undefined, options: Options & DeployOptions) => {
      const spec = await specFrom(context, image, options)
      const application = options.name ?? Name.parse(nameOf(spec.image))
      const body = { ...spec, create: options.create ?? false }
      const call = { params: one(application, options), query: changes.query(options), body }
      await changes.finish(context, await context.client(deployApplication, call), options)
    })
  changing('scale <name> [replicas]', 'Set the number of pods')
    .option('--replicas <n>', 'how many pods, where it is not the second word')
    .action(async (name: string, word: string | undefined, options: Options & Where & { replicas?: string }) => {
      const replicas = word ?? options.replicas
      if (replicas === undefined) throw new UsageError('Say how many pods: qd app scale NAME 3')
      const call = { params: one(name, options), query: changes.query(options), body: { replicas: whole(replicas) } }
      await changes.finish(context, await context.client(scaleApplication, call), options)
    })
  changing('set-image <name> <image>', 'Roll to another image').action(
    async (name: string, image: string, options: Options & Where) => {
      const call = { params: one(name, options), query: changes.query(options), body: { image } }
      await changes.finish(context, await context.client(setApplicationImage, call), options)
    },
  )
  changing('restart <name>', 'Start all pods anew, some at a time')
    .option('--pod <name>', 'only this pod')
    .action(async (name: string, options: Options & Where & { pod?: string }) => {
      const { environment } = one(name, options)
      const query = changes.query(options)
      const change = options.pod
        ? await context.client(restartPod, { params: { environment, pod: options.pod }, query })
        : await context.client(restartApplication, { params: one(name, options), query })
      await changes.finish(context, change, options)
    })
  changing('delete <name>', 'Delete an application with everything made for it').action(
    async (name: string, options: Options & Where & { dryRun?: boolean }) => {
      const params = one(name, options)
      if (!options.dryRun && !(await context.confirm(`Delete ${name} from ${params.environment}?`))) return
      const call = { params, query: changes.query(options) }
      await changes.finish(context, await context.client(deleteApplication, call), options)
    },
  )
}

type One = (application: string, where: Where) => { environment: string; application: string }

function reading(app: Command, context: CliContext, one: One): void {
  app
    .command('list')
    .description('Applications of an environment')
    .option('--env <name>', 'environment')
    .action(async ({ env }: Where) =>
      context.print(await context.client(listApplications, { params: { environment: context.environment(env) } }), {
        name: ({ name }) => name,
        state: ({ state }) => state,
        ready: ({ readyReplicas, replicas }) => `${readyReplicas}/${replicas}`,
        restarts: ({ restarts }) => restarts,
        image: ({ image }) => image,
        address: ({ address }) => address?.url,
        changed: ({ changeTime }) => ageText(changeTime),
        message: ({ message }) => message,
      }),
    )
  app
    .command('get <name>')
    .description('One application with its pods')
    .option('--env <name>', 'environment')
    .action(async (name: string, where: Where) => {
      const found = await context.client(getApplication, { params: one(name, where) })
      if (context.output !== 'table') return context.print(found)
      context.print(found, {
        name: ({ name }) => name,
        state: ({ state }) => state,
        ready: ({ readyReplicas, replicas }) => `${readyReplicas}/${replicas}`,
        image: ({ image }) => image,
        address: ({ address }) => address?.url,
        message: ({ message }) => message,
      })
      const pods = found.replicaSets.flatMap(({ revision, pods }) => pods.map((pod) => ({ revision, ...pod })))
      context.print(pods, {
        pod: ({ name }) => name,
        revision: ({ revision }) => revision,
        phase: ({ phase }) => phase,
        ready: ({ ready }) => (ready ? 'yes' : 'no'),
        restarts: ({ restarts }) => restarts,
        node: ({ node }) => node,
        message: ({ message }) => message,
      })
    })
  app
    .command('yaml <name>')
    .description('The objects of an application as the cluster holds them')
    .option('--env <name>', 'environment')
    .option('--managed', 'with managedFields')
    .action(async (name: string, options: Where & { managed?: boolean }) => {
      const query = { managed: options.managed ?? false }
      const { yaml } = await context.client(getApplicationYaml, { params: one(name, options), query })
      await context.write(yaml)
    })
}

function whole(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new UsageError(`${text}: a whole number such as 3`)
}

type Body = Input<typeof deployApplication>['body']

/** The specification: of the image and its flags, or the whole as a file or stdin holds it. */
async function specFrom(context: CliContext, image: string | undefined, options: DeployOptions): Promise<Body> {
  const { file } = options
  if ((image === undefined) === (file === undefined))
    throw new UsageError('Give an image, or its whole specification with -f')
  if (file === undefined) return specOf(image ?? '', options)
  const spec = await parsed(await readInput(context, file))
  if (typeof spec?.image === 'string') return spec
  throw new UsageError(`-f ${file}: a specification as YAML or JSON, with at least "image"`)
}

/** YAML, and with it JSON; undefined when it is neither. */
async function parsed(text: string): Promise<Body | undefined> {
  const { parse } = await import('yaml')
  try {
    return parse(text, { maxAliasCount: 100 }) as Body
  } catch {
    return undefined
  }
}

function specOf(image: string, options: DeployOptions): Body {
  const { replicas, port, exposure, envVar, cpu, cpuLimit, memory, memoryLimit } = options
  if (exposure !== undefined && exposure !== 'none' && exposure !== 'cluster' && exposure !== 'node') {
    throw new UsageError('--exposure: none, cluster or node')
  }
  return {
    image,
    ...(replicas === undefined ? {} : { replicas: whole(replicas) }),
    ...(port === undefined ? {} : { ports: port.map(portOf) }),
    ...(exposure === undefined ? {} : { exposure }),
    ...(envVar === undefined ? {} : { variables: envVar.map(variableOf) }),
    ...(cpu === undefined ? {} : { cpuRequest: cpu }),
    ...(cpuLimit === undefined ? {} : { cpuLimit }),
    ...(memory === undefined ? {} : { memoryRequest: memory }),
    ...(memoryLimit === undefined ? {} : { memoryLimit }),
  }
}

function portOf(text: string): NonNullable<Body['ports']>[number] {
  const match = /^(?:([a-z0-9-]{1,15})=)?(\d{1,5})(?::(\d{5}))?(?:\/(tcp|udp|sctp))?$/i.exec(text)
  if (!match) throw new UsageError(`--port ${text}: [name=]8080[:30080][/udp]`)
  const containerPort = Number(match[2])
  const protocol = (match[4] ?? 'tcp').toUpperCase() as 'TCP' | 'UDP' | 'SCTP'
  return {
    name: match[1] ?? portName(containerPort, protocol),
    containerPort,
    protocol,
    ...(match[3] ? { nodePort: Number(match[3]) } : {}),
  }
}

function variableOf(text: string): { name: string; value: string } {
  const equals = text.indexOf('=')
  if (equals > 0) return { name: text.slice(0, equals), value: text.slice(equals + 1) }
  throw new UsageError(`--env-var ${text}: KEY=VALUE`)
}
