import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { nameFrom } from '@quarterdeck/kernel'
import { type Clusters, type KeyFile, parseKubeconfig, readKubeconfigFile } from '@quarterdeck/kube'
import { type LocalCluster, localCluster } from '@quarterdeck/local-cluster'
import { hint } from '@quarterdeck/reconcile'
import type { Db } from '@quarterdeck/store'
import {
  findCluster,
  findKubeconfig,
  type Registration,
  saveCluster,
} from '../../../features/cluster/cluster/cluster.store.ts'
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

/** The cluster of a kubeconfig file. Nothing on it is changed; it is only registered. */
export function clusterOfKubeconfig(path: string, options: OwnClusterOptions): OwnCluster {
  let registered: string | undefined
  async function ensure() {
    if (registered) return registered
    await options.progress.step('control-plane', 'cluster', async () => {
      const kubeconfig = await readKubeconfigFile(path)
      const { contextName, server } = parseKubeconfig(kubeconfig)
      const name = nameFrom(contextName) ?? 'cluster'
      await register(options, { name, title: contextName, origin: 'kubeconfig', simulated: false, server, kubeconfig })
      await (await options.clusters.get(name)).version()
      options.progress.mode = 'node'
      registered = name
      return `${contextName} at ${server}`
    })
    return registered ?? ''
  }
  return { origin: 'kubeconfig', ensure, registry: () => undefined }
}

/** The cluster below the home folder. It goes on when the server stops. */
export function clusterOfThisMachine(home: string, options: OwnClusterOptions): OwnCluster {
  const { progress } = options
  const local = localCluster({ stateFolder: join(home, 'cluster'), onProgress: (event) => progress.local(event) })
  let registered: string | undefined
  return {
    origin: 'local',
    async ensure() {
      if (!progress.healthy || (await local.status()).state !== 'Running') {
        progress.healthy = false
        await local.up()
      }
      registered = await registerLocal(local, options, registered)
      return 'local'
    },
    registry: () => local.registry,
  }
}

/** Answers the kubeconfig that is registered now; does nothing when it is `known`. */
async function registerLocal(local: LocalCluster, options: OwnClusterOptions, known: string | undefined) {
  const kubeconfig = readFileSync(local.kubeconfigFile, 'utf8')
  if (kubeconfig === known) return known
  const simulated = local.registry === undefined
  options.progress.mode = simulated ? 'simulated' : 'node'
  const { server } = parseKubeconfig(kubeconfig)
  await register(options, { name: 'local', title: 'This machine', origin: 'local', simulated, server, kubeconfig })
  return kubeconfig
}

/** Registers the cluster unless exactly this is registered. */
async function register({ db, keyFile, clusters }: OwnClusterOptions, wanted: Registration): Promise<void> {
  const [row, known] = await Promise.all([
    findCluster(db, wanted.name),
    // A text that was sealed with another key is replaced as well.
    findKubeconfig(db, keyFile, wanted.name).catch(() => undefined),
  ])
  if (known?.kubeconfig === wanted.kubeconfig && row?.simulated === wanted.simulated) return
  await saveCluster(db, keyFile, wanted, { replace: true })
  await clusters.invalidate(wanted.name)
  await hint(db, 'cluster', wanted.name)
}
