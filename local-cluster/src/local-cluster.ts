import { existsSync, readdirSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { adminOf } from './await-object.ts'
import { applyMetricsServer, awaitMetricsServer, ensureKwok, ensureReal, ensureSimulated } from './bring-up.ts'
import { capLog, type Home, lastLines, logFileOf, runningComponents, stopComponent } from './component.ts'
import { apiServerUrl } from './control-plane-components.ts'
import type { BringUp } from './ensure-component.ts'
import { addFakeNodes, removeFakeNodes } from './fake-nodes.ts'
import { withLock } from './folder-lock.ts'
import { portsOf, readInstance, releaseIndex, writeInstance } from './instance.ts'
import { kubeconfigOf, writeWhole } from './kubeconfig.ts'
import { explained, LocalClusterError } from './local-cluster-error.ts'
import { obtain } from './obtain.ts'
import { checkHost, type LocalClusterOptions, preparedFor, toolsFor } from './prepare.ts'
import { progressOf } from './progress.ts'
import { type ClusterStatus, statusOf } from './status.ts'
import { takeDown } from './take-down.ts'
import { NODE_TOOLS } from './tool.ts'

/** What `up` answers when pods can run. */
export interface UpResult {
  /** From the call until ready. */
  upSeconds: number
  /** false when all of it ran already. */
  started: boolean
  /** Resolves when metrics-server answers too; never rejects: a failure is reported as progress. */
  extras: Promise<void>
}

/** A Kubernetes on this machine. Its methods may be called from several processes at once: they wait for each other. */
export interface LocalCluster {
  /** Brings up what does not run; repairs what a killed start left. Safe to repeat. Throws LocalClusterError. */
  up(): Promise<UpResult>
  /** The same as `up`: looks at what is there and starts or replaces what is not as it should be. */
  repair(): Promise<UpResult>
  /** Ends all processes, mounts and networks of this cluster and of no other; what it stores stays. */
  down(): Promise<void>
  /** `down`, then deletes the state folder. */
  reset(): Promise<void>
  status(): Promise<ClusterStatus>
  kubeconfigFile: string
  /** Such as `127.0.0.1:20005`; absent before the first `up` and where containers are simulated. */
  readonly registry: string | undefined
  /** The newest lines of a component's log. */
  logs(component: string, lines?: number): string
  /** Path of a component's log, to follow it. */
  logFile(component: string): string
  /** Adds nodes that KWOK plays; tainted where there is a real node. Answers their names. */
  addFakeNodes(count: number): Promise<string[]>
  /** Deletes all of them; answers how many there were. */
  removeFakeNodes(): Promise<number>
}

/** `cluster` below QUARTERDECK_HOME, whose default is /var/lib/quarterdeck for root and ~/.quarterdeck otherwise. */
export const defaultStateFolder = (): string =>
  join(
    process.env.QUARTERDECK_HOME ||
      (process.getuid?.() === 0 ? '/var/lib/quarterdeck' : join(homedir(), '.quarterdeck')),
    'cluster',
  )

/** Runs an act while no other process works on the same cluster. */
type Alone = <T>(act: () => Promise<T>) => Promise<T>

/** A cluster by its state folder; starts nothing. */
export function localCluster(options: LocalClusterOptions = {}): LocalCluster {
  const stateFolder = resolve(options.stateFolder ?? defaultStateFolder())
  const home: Home = { stateFolder }
  const lockFile = `${stateFolder}.lock`
  const kubeconfigFile = join(stateFolder, 'kubeconfig')
  const alone = <T>(act: () => Promise<T>): Promise<T> =>
    withLock(lockFile, act, (pid) =>
      progressOf(options.onProgress, 'host', 'lock').running(`process ${pid} is at work on this cluster; waiting`),
    )
  const up = () => bringUp(options, home, kubeconfigFile, alone)
  return {
    up,
    repair: up,
    down: () => alone(() => takeDown(home, readInstance(stateFolder))),
    reset: () => alone(() => reset(home)),
    status: () => statusOf(home, readInstance(stateFolder), kubeconfigFile),
    kubeconfigFile,
    get registry() {
      const instance = readInstance(stateFolder)
      return instance?.mode === 'node' ? `127.0.0.1:${portsOf(instance.index).registry}` : undefined
    },
    logs: (component, lines = 200) => lastLines(logFileOf(home, component), lines),
    logFile: (component) => logFileOf(home, component),
    addFakeNodes: (count) => alone(() => withFakeNodes(options, home, (up) => addFake(up, count))),
    removeFakeNodes: () =>
      alone(async () => {
        const up = await preparedFor(options, home, ['etcd', 'kubernetes'])
        const client = adminOf(up)
        const count = await removeFakeNodes(client).finally(() => client.close())
        await endKwok(up)
        return count
      }),
  }
}

async function bringUp(
  options: LocalClusterOptions,
  home: Home,
  kubeconfigFile: string,
  alone: Alone,
): Promise<UpResult> {
  const began = performance.now()
  try {
    const { mode, started } = await alone(async () => {
      const mode = await checkHost(options, home)
      const up = await preparedFor(options, home, toolsFor(mode, readInstance(home.stateFolder)))
      writeWhole(
        kubeconfigFile,
        kubeconfigOf(
          up.spec.identities.endpoint('admin', apiServerUrl(up.spec.ports)),
          options.name ?? up.instance.name,
        ),
      )
      const started = mode === 'node' ? await ensureReal(up) : await ensureSimulated(up)
      if (started) {
        up.instance.upSeconds = Math.round((performance.now() - began) / 100) / 10
        writeInstance(home.stateFolder, up.instance)
      }
      for (const log of readdirSync(join(home.stateFolder, 'logs')))
        if (log.endsWith('.log')) capLog(join(home.stateFolder, 'logs', log))
      return { mode, started }
    })
    const upSeconds = Math.round((performance.now() - began) / 100) / 10
    const wanted = mode === 'node' && (options.metrics ?? true)
    return {
      upSeconds,
      started,
      extras: wanted ? bringUpExtras(options, home, alone) : Promise.resolve(),
    }
  } catch (error) {
    throw explained(error, home.stateFolder)
  }
}

/** metrics-server takes minutes to build on a fresh machine, so it comes after everything that deploying needs. */
async function bringUpExtras(options: LocalClusterOptions, home: Home, alone: Alone): Promise<void> {
  const progress = progressOf(options.onProgress, 'addons', 'metrics-server')
  try {
    // Built and waited for without the lock, so that nobody's start or stop has to wait for this.
    await obtain(['metrics-server'], options)
    const up = await alone(async () => {
      if (!runningComponents(home).has('kube-apiserver')) return undefined
      const prepared = await preparedFor(options, home, NODE_TOOLS)
      await applyMetricsServer(prepared)
      return prepared
    })
    if (up) await awaitMetricsServer(up)
  } catch (error) {
    progress.failed((error as Error).message)
  }
}

async function withFakeNodes<T>(
  options: LocalClusterOptions,
  home: Home,
  act: (up: BringUp) => Promise<T>,
): Promise<T> {
  const up = await preparedFor(options, home, ['etcd', 'kubernetes', 'kwok'])
  up.instance.fakeNodes = true
  writeInstance(home.stateFolder, up.instance)
  await ensureKwok(up)
  return act(up)
}

/** Beside a real node KWOK runs only while there are fake ones. */
async function endKwok({ home, instance }: BringUp): Promise<void> {
  if (instance.mode === 'simulated') return
  const kwok = runningComponents(home, instance.components).get('kwok')
  if (kwok) await stopComponent(kwok)
  writeInstance(home.stateFolder, { ...instance, fakeNodes: false })
}

function addFake(up: BringUp, count: number): Promise<string[]> {
  const client = adminOf(up)
  return addFakeNodes(client, count, up.instance.mode === 'node').finally(() => client.close())
}

async function reset(home: Home): Promise<void> {
  const { stateFolder } = home
  const instance = readInstance(stateFolder)
  if (
    !instance &&
    existsSync(stateFolder) &&
    readdirSync(stateFolder).some((name) => !['logs', 'pki'].includes(name))
  ) {
    throw new LocalClusterError(
      'NotSupported',
      `${stateFolder} holds no local cluster, so it is not deleted.`,
      'Name the state folder of a local cluster.',
    )
  }
  await takeDown(home, instance)
  rmSync(stateFolder, { recursive: true, force: true })
  await releaseIndex(stateFolder)
}
