import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { nameFrom } from '@quarterdeck/kernel'
import { type Clusters, connectCluster, type KeyFile, parseKubeconfig, readKubeconfigFile } from '@quarterdeck/kube'
import type { LocalCluster } from '@quarterdeck/local-cluster'
import { hint } from '@quarterdeck/reconcile'
import { type Db, transaction } from '@quarterdeck/store'
import {
  type ClusterRow,
  findCluster,
  findKubeconfig,
  type Registration,
  saveCluster,
} from '../../../features/cluster/cluster/cluster.store.ts'
import { recordAct } from './parts.ts'
import type { SetupProgress } from './setup-progress.ts'

/** The cluster that the platform was started with: the one of a kubeconfig, or one that it brings up itself. */
export interface OwnCluster {
  readonly origin: 'kubeconfig' | 'local'
  /** Looks at it, brings it up or repairs it, and registers it. Answers its name. Throws what a person can act on. */
  ensure(): Promise<string>
  /** The registry that its nodes pull from, such as `127.0.0.1:20005`; only of a cluster of ours with real nodes. */
  registry(): string | undefined
}

export interface OwnClusterOptions {
  db: Db
  clusters: Clusters
  keyFile: KeyFile
  progress: SetupProgress
}

/** As it is registered. */
interface Registered {
  name: string
  kubeconfig: string
}

/**
 * The cluster of a kubeconfig file. It is registered, and asked at each look whether it answers; what is written to it
 * is the first environment's namespace, when there is no environment yet. A file that has changed is taken anew; while
 * a changed file cannot be used, what it held before goes on.
 */
export function clusterOfKubeconfig(path: string, options: OwnClusterOptions): OwnCluster {
  const { clusters, progress } = options
  let registered: Registered | undefined
  const answers = async ({ name }: Registered) => (await clusters.get(name)).version()

  async function ensure(): Promise<string> {
    const before = registered
    if (before === undefined) return begin()
    try {
      const now = await registerFile(path, options, before)
      await answers(now)
      registered = now
    } catch (error) {
      await answers(before).catch(() => {
        throw error
      })
    }
    return registered?.name ?? ''
  }
  async function begin(): Promise<string> {
    let name = ''
    await progress.step('control-plane', 'cluster', async () => {
      const now = await registerFile(path, options, undefined)
      await answers(now)
      registered = now
      name = now.name
      progress.mode = 'node'
      return `${name} at ${(await clusters.get(name)).server}`
    })
    return name
  }
  return { origin: 'kubeconfig', ensure, registry: () => undefined }
}

/** Registers what the file says now, once the cluster has answered to it. Only here a credential plugin is allowed. */
async function registerFile(path: string, options: OwnClusterOptions, known: Registered | undefined) {
  const kubeconfig = await readKubeconfigFile(path)
  if (known?.kubeconfig === kubeconfig) return known
  const { contextName, server, plugin } = parseKubeconfig(kubeconfig, { allowPlugin: true })
  const sameServer = (row: ClusterRow) => row.server === server
  const before = known && (await findCluster(options.db, known.name))
  const name =
    before && sameServer(before) ? before.name : await freeName(options, nameFrom(contextName) ?? 'cluster', sameServer)
  const allowPlugin = plugin !== undefined
  const wanted = { name, title: contextName, origin: 'kubeconfig' as const, simulated: false, server, kubeconfig }
  await register(options, { ...wanted, allowPlugin }, async () => {
    const cluster = connectCluster({ name, kubeconfig, allowPlugin })
    await cluster.version().finally(() => cluster.close())
  })
  return { name, kubeconfig }
}

/** The cluster below the home folder. It goes on when the server stops. */
export function clusterOfThisMachine(home: string, options: OwnClusterOptions): OwnCluster {
  const { progress } = options
  let local: LocalCluster | undefined
  let registered: Registered | undefined
  async function open() {
    // Only now: who brings a cluster of his own needs none of it.
    const { localCluster } = await import('@quarterdeck/local-cluster')
    return localCluster({ stateFolder: join(home, 'cluster'), onProgress: (event) => progress.local(event) })
  }
  return {
    origin: 'local',
    async ensure() {
      local ??= await open()
      if (!progress.healthy || (await local.status()).state !== 'Running') {
        progress.healthy = false
        await local.up()
      }
      registered = await registerLocal(local, options, registered)
      return registered.name
    },
    registry: () => local?.registry,
  }
}

/** Does nothing when what is there is `known`. */
async function registerLocal(local: LocalCluster, options: OwnClusterOptions, known: Registered | undefined) {
  const kubeconfig = readFileSync(local.kubeconfigFile, 'utf8')
  if (known?.kubeconfig === kubeconfig) return known
  const simulated = local.registry === undefined
  options.progress.mode = simulated ? 'simulated' : 'node'
  const { server } = parseKubeconfig(kubeconfig)
  const name = await freeName(options, 'local', ({ origin }) => origin === 'local')
  // After `qd local reset` it is another one, and still the cluster of this machine.
  await register(options, { name, title: 'This machine', origin: 'local', simulated, server, kubeconfig, uid: null })
  return { name, kubeconfig }
}

/**
 * The wanted name, or with a number behind it when that is another cluster's: its environments must not come to point
 * to this one.
 */
async function freeName(
  { db, progress }: OwnClusterOptions,
  wanted: string,
  isThisOne: (row: ClusterRow) => boolean,
): Promise<string> {
  for (let number = 1; ; number++) {
    const name = number === 1 ? wanted : `${wanted.slice(0, 58)}-${number}`
    const row = await findCluster(db, name)
    if (row && !isThisOne(row)) continue
    if (number > 1) progress.remark(`Another cluster is registered as ${wanted}, so this one is registered as ${name}.`)
    return name
  }
}

/** Registers the cluster unless exactly this is registered; `tryOut` comes first and may throw. */
async function register(
  { db, keyFile, clusters }: OwnClusterOptions,
  wanted: Registration,
  tryOut: () => Promise<void> = async () => {},
): Promise<void> {
  const { name, kubeconfig, simulated, server, allowPlugin = false } = wanted
  const [row, known] = await Promise.all([
    findCluster(db, name),
    // A text that was sealed with another key is replaced as well.
    findKubeconfig(db, keyFile, name).catch(() => undefined),
  ])
  if (known?.kubeconfig === kubeconfig && known.allowPlugin === allowPlugin && row?.simulated === simulated) return
  await tryOut()
  await transaction(db, async (tx) => {
    await saveCluster(tx, keyFile, wanted, { replace: true })
    await hint(tx, 'cluster', name)
    await hint(tx, 'identity', name)
    const detail = `By the start of the server; API server ${server}`
    await recordAct(tx, {
      actor: 'operator',
      act: 'cluster.register',
      what: `cluster ${name}`,
      outcome: 'succeeded',
      detail,
    })
  })
  await clusters.invalidate(name)
}
