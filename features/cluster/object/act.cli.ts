import { type CliContext, readInput, UsageError } from '@quarterdeck/client'
import type { Command } from 'commander'
import type { Change } from '../../delivery/operation/operation.contract.ts'
import { cordonNodes, drainNodes, evictPods, restartObjects, scaleObjects, uncordonNodes } from './act.contract.ts'
import { editObject, getEditable } from './edit.contract.ts'
import { type ChangeCommands, placeNamed } from './object.cli.ts'

interface Where {
  cluster?: string
  namespace?: string
}

interface Place {
  cluster: string
  namespace: string
}

/** qd edit, scale, restart, evict, cordon, uncordon and drain: acts on objects as they stand. */
export function actCommands<Asked extends { dryRun?: boolean }>(
  program: Command,
  context: CliContext,
  changes: ChangeCommands<Asked>,
): void {
  const placed = (usage: string, description: string) =>
    changes
      .withOptions(program.command(usage))
      .description(description)
      .option('--cluster <name>', 'of this cluster; where only one has them it need not be said')
  const namespaced = (usage: string, description: string) =>
    placed(usage, description).option('-n, --namespace <name>', 'of this namespace')
  const namesOf = (names: readonly string[]) => names.map((name) => ({ name }))

  /** Asks first, unless it is only a plan. */
  async function carryOut(question: string, options: Asked, change: () => Promise<Change>): Promise<void> {
    if (!options.dryRun && !(await context.confirm(question))) return
    await changes.finish(context, await change(), options)
  }

  namespaced(
    'edit <kind> <name>',
    'Edit an object as YAML in $EDITOR; --dry-run shows what the cluster would make of it',
  )
    .option('-f, --file <file>', 'the edited object, instead of an editor; - for stdin')
    .action(async (kind: string, name: string, options: Asked & Where & { file?: string }) => {
      const place = await placeNamed(context, kind, name, options)
      await edit(context, changes, { kind, name, place, options })
    })
  namespaced('scale <kind> <names...>', 'Set the replicas of workloads of one kind')
    .requiredOption('--replicas <count>', 'how many pods each')
    .action(async (kind: string, names: string[], options: Asked & Where & { replicas: string }) => {
      const replicas = countOf(options.replicas)
      const { cluster, namespace } = await placeOf(context, kind, names, options)
      const objects = namesOf(names).map((one) => ({ ...one, resource: kind }))
      const call = { params: { cluster }, query: changes.query(options), body: { namespace, objects, replicas } }
      await changes.finish(context, await context.client(scaleObjects, call), options)
    })
  namespaced('restart <kind> <names...>', 'Start all pods of workloads of one kind anew, some at a time').action(
    async (kind: string, names: string[], options: Asked & Where) => {
      const { cluster, namespace } = await placeOf(context, kind, names, options)
      const objects = namesOf(names).map((one) => ({ ...one, resource: kind }))
      const call = { params: { cluster }, query: changes.query(options), body: { namespace, objects } }
      await changes.finish(context, await context.client(restartObjects, call), options)
    },
  )
  namespaced('evict <pods...>', 'Move pods: end them as their PodDisruptionBudgets allow, to be made anew elsewhere')
    .option('--lost', 'also pods that nothing makes anew')
    .action(async (pods: string[], options: Asked & Where & { lost?: boolean }) => {
      const { cluster, namespace } = await placeOf(context, 'pods', pods, options)
      const body = { namespace, pods: namesOf(pods), lost: options.lost ?? false }
      await carryOut(`Evict ${pods.join(', ')} in ${namespace} on ${cluster}?`, options, () =>
        context.client(evictPods, { params: { cluster }, query: changes.query(options), body }),
      )
    })
  for (const [word, endpoint, description] of [
    ['cordon', cordonNodes, 'Let no new pods onto nodes'],
    ['uncordon', uncordonNodes, 'Let new pods onto nodes again; a drain that goes on ends'],
  ] as const) {
    placed(`${word} <nodes...>`, description).action(async (nodes: string[], options: Asked & Where) => {
      const { cluster } = await placeOf(context, 'nodes', nodes, options)
      const call = { params: { cluster }, query: changes.query(options), body: { nodes: namesOf(nodes) } }
      await changes.finish(context, await context.client(endpoint, call), options)
    })
  }
  placed('drain <nodes...>', 'Cordon nodes and evict their pods one by one; DaemonSets stay. Undo uncordons')
    .option('--lost', 'also pods that nothing makes anew')
    .action(async (nodes: string[], options: Asked & Where & { lost?: boolean }) => {
      const { cluster } = await placeOf(context, 'nodes', nodes, options)
      const body = { nodes: namesOf(nodes), lost: options.lost ?? false }
      await carryOut(`Drain ${nodes.join(', ')} on ${cluster}?`, options, () =>
        context.client(drainNodes, { params: { cluster }, query: changes.query(options), body }),
      )
    })
}

/** Where the first of them is. */
const placeOf = (context: CliContext, kind: string, [first = '']: string[], where: Where): Promise<Place> =>
  placeNamed(context, kind, first, where)

function countOf(text: string): number {
  const count = Number(text)
  if (/^\d{1,10}$/.test(text)) return count
  throw new UsageError('--replicas: a number, 0 or more')
}

interface Editing<Asked> {
  kind: string
  name: string
  place: Place
  options: Asked & { file?: string }
}

async function edit<Asked>(
  context: CliContext,
  changes: ChangeCommands<Asked>,
  { kind, name, place: { cluster, namespace }, options }: Editing<Asked>,
): Promise<void> {
  const params = { cluster, resource: kind, name }
  const found = await context.client(getEditable, { params, query: { namespace } }, { signal: context.signal })
  if (found.application !== undefined) {
    context.progress(`It belongs to application ${found.application}, whose next deployment has its own say`)
  }
  const yaml =
    options.file === undefined
      ? await context.editText(found.yaml, `${name}.yaml`)
      : await readInput(context, options.file)
  if (yaml === found.yaml) return context.progress('Nothing was changed')
  const { resourceVersion, digest } = found
  const change = await context.client(editObject, {
    params,
    query: changes.query(options),
    body: { namespace, yaml, resourceVersion, digest },
  })
  await changes.finish(context, change, options)
}
