import { ageText, type CliContext, type LocalTerminal, UsageError } from '@quarterdeck/client'
import { formatBytes, formatCores } from '@quarterdeck/kernel'
import type { Command } from 'commander'
import {
  type ClusterSummary,
  getCluster,
  listClusters,
  listNodes,
  type NodeSummary,
  registerCluster,
  removeCluster,
} from './cluster.contract.ts'

const MAX_CHARACTERS = 200_000 // as the endpoint takes
const TOO_LONG = () =>
  new UsageError(
    'A kubeconfig has at most 200 kB; kubectl config view --raw --flatten --minify prints the part that counts',
  )

interface AddOptions {
  kubeconfig?: string
  context?: string
  title?: string
  replace?: boolean
  otherCluster?: boolean
  environments?: string
}

const ofTwo = (used: string, whole: string) => `${used} / ${whole}`
const columns = {
  name: (one: ClusterSummary) => one.name,
  state: (one: ClusterSummary) => one.state,
  version: (one: ClusterSummary) => one.version,
  nodes: ({ capacity }: ClusterSummary) => capacity && ofTwo(`${capacity.readyNodes}`, `${capacity.nodes}`),
  cpu: ({ capacity }: ClusterSummary) =>
    capacity && ofTwo(formatCores(capacity.cpuRequestedCores), formatCores(capacity.cpuCores)),
  memory: ({ capacity }: ClusterSummary) =>
    capacity && ofTwo(formatBytes(capacity.memoryRequestedBytes), formatBytes(capacity.memoryBytes)),
  environments: (one: ClusterSummary) => one.environments,
  seen: (one: ClusterSummary) => ageText(one.observeTime),
  message: (one: ClusterSummary) => one.message,
}
const nodeColumns = {
  name: (one: NodeSummary) => one.name,
  ready: (one: NodeSummary) => (one.ready ? (one.schedulable ? 'yes' : 'cordoned') : 'no'),
  roles: (one: NodeSummary) => one.roles.join(','),
  kind: (one: NodeSummary) => one.kind,
  address: (one: NodeSummary) => one.address,
  pods: ({ capacity }: NodeSummary) => ofTwo(`${capacity.pods}`, `${capacity.podLimit}`),
  cpu: ({ capacity }: NodeSummary) => ofTwo(formatCores(capacity.cpuRequestedCores), formatCores(capacity.cpuCores)),
  memory: ({ capacity }: NodeSummary) =>
    ofTwo(formatBytes(capacity.memoryRequestedBytes), formatBytes(capacity.memoryBytes)),
  version: (one: NodeSummary) => one.version,
  age: (one: NodeSummary) => ageText(one.createTime),
  message: (one: NodeSummary) => one.message,
}

/** qd cluster list, get, nodes, add and remove. */
export function clusterCommands(program: Command, context: CliContext): void {
  const cluster = program.command('cluster').description('Clusters that applications run on')
  cluster
    .command('list')
    .description('Clusters with state, version and capacity')
    .action(async () => context.print(await context.client(listClusters), columns))
  cluster
    .command('get <name>')
    .description('One cluster with the health of its control plane')
    .action(async (name: string) => context.print(await context.client(getCluster, { params: { cluster: name } })))
  cluster
    .command('nodes <name>')
    .description(
      'Nodes with capacity, health and how many pods are on them; qd get pods --filter node:NAME lists those',
    )
    .action(async (name: string) => {
      const page = await context.client(listNodes, { params: { cluster: name } })
      if (page.message !== '') context.progress(page.message)
      context.print(page, nodeColumns)
    })
  cluster
    .command('add <name>')
    .description(
      'Register a cluster by its kubeconfig: a file, or stdin: kubectl config view --raw --flatten --minify | qd cluster add NAME',
    )
    .option('--kubeconfig <file>', 'file with the kubeconfig; stdin when absent')
    .option('--context <context>', 'which context of the kubeconfig; its current one when absent')
    .option('--title <title>', 'what people call it')
    .option('--replace', 'give a cluster of this name a new kubeconfig')
    .option('--other-cluster', 'with --replace: the name is that of another cluster from now on')
    .option('--environments <names>', 'with --other-cluster: those that are to be on the other one, with commas')
    .action(async (name: string, { kubeconfig: file, environments, ...options }: AddOptions) => {
      const kubeconfig = file === undefined ? await readInput(context.terminal) : await context.readFile(file)
      if (kubeconfig.length > MAX_CHARACTERS) throw TOO_LONG()
      const detail = await context.client(registerCluster, {
        params: { cluster: name },
        body: { kubeconfig, ...options, ...(environments ? { environments: environments.split(',') } : {}) },
      })
      for (const warning of detail.warnings) context.progress(`Warning: ${warning}`)
      context.print([detail], columns)
    })
  cluster
    .command('remove <name>')
    .description('Forget a cluster; nothing on it is touched')
    .action(async (name: string) => {
      if (!(await context.confirm(`Forget the cluster ${name}?`))) return
      await context.client(removeCluster, { params: { cluster: name } })
      context.progress(`${name} is forgotten; what runs on it goes on`)
    })
}

/** All of stdin, when it is a pipe or a file. */
function readInput(terminal: LocalTerminal): Promise<string> {
  if (terminal.interactive) throw new UsageError('Give the kubeconfig: qd cluster add NAME --kubeconfig FILE')
  return new Promise((resolve, reject) => {
    const decoder = new TextDecoder()
    let text = ''
    terminal.onInput((bytes) => {
      text += decoder.decode(bytes, { stream: true })
      if (text.length > MAX_CHARACTERS) reject(TOO_LONG())
    })
    terminal.onEnd(() => resolve(text))
  })
}
