import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Argument, type Command, InvalidArgumentError, Option } from 'commander'
import { stringify } from 'yaml'
import { writeArchive } from './archive.ts'
import { defaultStateFolder, type LocalCluster, localCluster } from './local-cluster.ts'
import { LocalClusterError } from './local-cluster-error.ts'
import type { ProgressEvent } from './progress.ts'
import type { ClusterStatus } from './status.ts'
import { TOOL_NAMES, type ToolName } from './tool.ts'

interface Options {
  home?: string
  name?: string
  output?: 'table' | 'json' | 'yaml'
}

/** Adds `local` with its subcommands. Exit status 1 for a problem, told on stderr with its cure; 2 for wrong usage. */
export function localCommands(program: Command): void {
  const local = program.command('local').description('A Kubernetes on this machine')
  const add = (words: string, description: string) =>
    local
      .command(words)
      .description(description)
      .option('--home <folder>', 'folder that holds everything; else QUARTERDECK_HOME')
      .option('--name <name>', 'which of several clusters in that folder', 'local')

  add('up', 'Bring up what does not run, and repair what is broken')
    .addOption(
      new Option('--mode <mode>', 'real or simulated containers; decided by the first start').choices([
        'node',
        'simulated',
      ]),
    )
    .option('--no-metrics', 'without metrics-server')
    .action(guarded(up))
  add('status', 'What runs').action(guarded(status))
  add('down', 'End it; what it stores stays').action(guarded((command) => clusterOf(command).down()))
  add('reset', 'End it and delete all that it stores').option('-y, --yes', 'do not ask').action(guarded(reset))
  add('kubeconfig', 'Print the administrator’s kubeconfig').action(guarded(kubeconfig))
  add('logs', 'Print a component’s log')
    .argument('<component>', 'such as kube-apiserver, kubelet or containerd')
    .option('-n, --lines <count>', 'newest lines', positive, 200)
    .option('-f, --follow', 'go on as lines are added')
    .action(guarded(logs))
  add('add-fake-nodes', 'Add nodes that KWOK plays')
    .argument('<count>', 'how many more', positive)
    .action(guarded(addFakeNodes))
  add('remove-fake-nodes', 'Delete all nodes that KWOK plays').action(guarded(removeFakeNodes))
  add('archive', 'Write the programs with their checksums, for QUARTERDECK_BINARIES on other machines')
    .argument('<file>', 'ends in .tar or .tar.gz; anything else is a folder')
    .addArgument(new Argument('[tools...]', 'absent means all').choices(TOOL_NAMES))
    .action(guarded(archive))
}

function positive(text: string): number {
  const count = Number(text)
  if (Number.isInteger(count) && count > 0 && count <= 10_000) return count
  throw new InvalidArgumentError('It must be a whole number from 1 to 10000.')
}

/** Commander hands over arguments, then options, then the command; ours want the command and the arguments. */
const guarded =
  (act: (command: Command, ...args: string[]) => unknown) =>
  async (...given: unknown[]): Promise<void> => {
    const command = given.at(-1) as Command
    try {
      await act(command, ...(given.slice(0, -2) as string[]))
    } catch (error) {
      if (!(error instanceof LocalClusterError)) throw error
      if (command.optsWithGlobals<Options>().output === 'json') {
        const { reason, message, cure } = error
        process.stdout.write(`${JSON.stringify({ reason, message, cure }, undefined, 2)}\n`)
      }
      process.stderr.write(`${error.message}\n${error.cure}\n`)
      process.exitCode = 1
    }
  }

/** The state folder that --home and --name mean. */
export function stateFolderOf(home?: string, name = 'local'): string {
  const first = home === undefined ? defaultStateFolder() : join(resolve(home), 'cluster')
  return name === 'local' ? first : `${first}-${name}`
}

function clusterOf(command: Command, more: { mode?: 'node' | 'simulated'; metrics?: boolean } = {}): LocalCluster {
  const { home, name } = command.optsWithGlobals<Options>()
  return localCluster({
    stateFolder: stateFolderOf(home, name),
    ...(name ? { name } : {}),
    ...more,
    onProgress: progressLines(),
  })
}

const SYMBOLS = { waiting: ' ', running: '…', done: '✓', failed: '✗' }

/** Progress on stderr: on a terminal the running line is replaced, elsewhere it is told every ten seconds. */
function progressLines(): (event: ProgressEvent) => void {
  const toldAt = new Map<string, number>()
  let open = false
  return ({ component, stage, state, detail, percent, elapsedSeconds }) => {
    const line = `${SYMBOLS[state]} ${stage} ${component}: ${detail.split('\n')[0]}${percent !== undefined && state === 'running' ? ` ${percent} %` : ''} (${elapsedSeconds} s)`
    if (process.stderr.isTTY) {
      process.stderr.write(
        `${open ? '\r\x1b[2K' : ''}${line.slice(0, (process.stderr.columns || 80) - 1)}${state === 'running' ? '' : '\n'}`,
      )
      open = state === 'running'
      return
    }
    const now = performance.now()
    if (state === 'running' && now - (toldAt.get(component) ?? Number.NEGATIVE_INFINITY) < 10_000) return
    toldAt.set(component, now)
    process.stderr.write(`${line}\n`)
  }
}

async function up(command: Command): Promise<void> {
  const cluster = clusterOf(command, command.opts())
  const { upSeconds, started, extras } = await cluster.up()
  process.stderr.write(started ? `Ready after ${upSeconds} s.\n` : 'It runs already.\n')
  await extras
  await show(cluster, command)
}

const status = (command: Command) => show(clusterOf(command), command)

async function show(cluster: LocalCluster, command: Command): Promise<void> {
  const seen = await cluster.status()
  const { output } = command.optsWithGlobals<Options>()
  if (output === 'json') process.stdout.write(`${JSON.stringify(seen, undefined, 2)}\n`)
  else process.stdout.write(output === 'yaml' ? stringify(seen) : tableOf(seen))
}

function tableOf(seen: ClusterStatus): string {
  const facts: [string, string | undefined][] = [
    ['State', seen.state],
    ['Version', seen.version],
    ['API server', seen.url],
    ['Kubeconfig', seen.state === 'Absent' ? undefined : seen.kubeconfigFile],
    ['Registry', seen.registry],
    [
      'Containers',
      seen.mode === undefined
        ? undefined
        : seen.mode === 'node'
          ? 'real'
          : 'simulated: logs, exec and addresses do not work',
    ],
    ['Node address', seen.nodeAddress && `${seen.nodeAddress}, ports ${seen.nodePorts?.join('–')}`],
    [
      'Nodes',
      seen.nodes.length ? `${seen.nodes.filter((node) => node.ready).length} of ${seen.nodes.length} ready` : undefined,
    ],
  ]
  const lines = facts.flatMap(([label, value]) => (value === undefined ? [] : [`${label.padEnd(14)}${value}`]))
  const components = seen.components.map(({ component, running, pid, readySeconds }) =>
    `${component.padEnd(26)}${(running ? `process ${pid}` : 'does not run').padEnd(18)}${readySeconds === undefined ? '' : `ready after ${readySeconds} s`}`.trimEnd(),
  )
  return `${[...lines, ...(components.length ? ['', ...components] : [])].join('\n')}\n`
}

async function reset(command: Command): Promise<void> {
  const { home, name, yes } = command.optsWithGlobals<Options & { yes?: boolean }>()
  const stateFolder = stateFolderOf(home, name)
  if (!yes) {
    throw new LocalClusterError(
      'NotSupported',
      `This deletes the cluster in ${stateFolder} with all that runs and is stored in it.`,
      'Say --yes if you mean it.',
    )
  }
  await clusterOf(command).reset()
}

function kubeconfig(command: Command): void {
  const { kubeconfigFile } = clusterOf(command)
  if (!existsSync(kubeconfigFile)) {
    throw new LocalClusterError('NotSupported', 'There is no local cluster yet.', 'Bring it up: qd local up')
  }
  process.stdout.write(readFileSync(kubeconfigFile, 'utf8'))
}

function logs(command: Command, component: string): Promise<void> | void {
  const { lines, follow } = command.opts<{ lines: number; follow?: boolean }>()
  const cluster = clusterOf(command)
  const file = cluster.logFile(component)
  if (!/^[a-z-]+$/.test(component) || !existsSync(file)) {
    throw new LocalClusterError(
      'NotSupported',
      `There is no log of ${component}.`,
      '`qd local status` lists the components.',
    )
  }
  if (!follow) {
    process.stdout.write(`${cluster.logs(component, lines)}\n`)
    return
  }
  return new Promise((done) => {
    spawn('tail', ['-n', String(lines), '-F', file], { stdio: ['ignore', 'inherit', 'ignore'] }).on('close', () =>
      done(),
    )
  })
}

async function addFakeNodes(command: Command, count: unknown): Promise<void> {
  const names = await clusterOf(command).addFakeNodes(count as number)
  process.stdout.write(`${names.join('\n')}\n`)
}

async function removeFakeNodes(command: Command): Promise<void> {
  process.stderr.write(`${await clusterOf(command).removeFakeNodes()} deleted\n`)
}

async function archive(_command: Command, file: string, tools: unknown): Promise<void> {
  const named = tools as ToolName[]
  const paths = await writeArchive({ file, ...(named.length ? { tools: named } : {}), onProgress: progressLines() })
  process.stdout.write(`${paths.join('\n')}\n`)
}
