import { clusterForbidden, notFound } from '@quarterdeck/kernel'
import type { Cluster } from './cluster.ts'
import { connectCluster } from './connect-cluster.ts'

/** Connections by cluster name, each opened when first asked for. */
export interface Clusters {
  /**
   * Throws notFound when no cluster of this name is registered, invalidKubeconfig, and clusterForbidden while it must not
   * be used.
   */
  get(name: string): Promise<Cluster>
  /** The same, also while it must not be used: to look whether that is still so, and for nothing else. */
  getHeld(name: string): Promise<Cluster>
  /** Call it when the kubeconfig of a cluster changed or the cluster was removed; its connections end. */
  invalidate(name: string): Promise<void>
  /**
   * Ends the connections when they were opened with another revision than this one: another process may have changed
   * the registration.
   */
  refresh(name: string, revision: string): Promise<void>
  /** Ends all connections. */
  close(): Promise<void>
}

/** How the registry finds a cluster. */
export interface ClustersOptions {
  /** Undefined when there is no such cluster. Only asked once until invalidated. */
  load(name: string): Promise<LoadedCluster | undefined>
}

/** A registration as it is kept. */
export interface LoadedCluster {
  kubeconfig: string
  /** Absent: the kubeconfig's current context. */
  context?: string | undefined
  /** True: its credential plugin may be run on this machine. */
  allowPlugin?: boolean
  /** Another for every change, for `refresh`. */
  revision?: string
  /** Why it must not be used now, and what to do. */
  held?: string | undefined
}

interface Opened {
  cluster: Cluster
  held: string | undefined
  revision: string | undefined
}

/** An empty registry. A failed load is not kept. */
export function createClusters({ load }: ClustersOptions): Clusters {
  const known = new Map<string, Promise<Opened>>()

  async function open(name: string): Promise<Opened> {
    const found = await load(name)
    if (!found) throw notFound({ detail: `No cluster is registered as ${name}. qd cluster list shows those that are.` })
    const { kubeconfig, context, allowPlugin = false, revision, held } = found
    const cluster = connectCluster({ name, kubeconfig, allowPlugin, ...(context ? { context } : {}) })
    return { cluster, held, revision }
  }

  async function end(opened: Promise<Opened> | undefined): Promise<void> {
    const last = await opened?.catch(() => undefined)
    await last?.cluster.close()
  }

  async function invalidate(name: string): Promise<void> {
    const opening = known.get(name)
    known.delete(name)
    await end(opening)
  }

  function opened(name: string): Promise<Opened> {
    const opening = known.get(name) ?? open(name)
    known.set(name, opening)
    opening.catch(() => {
      if (known.get(name) === opening) known.delete(name)
    })
    return opening
  }

  return {
    async get(name) {
      const { cluster, held } = await opened(name)
      // As with credentials that are not taken: nothing was asked there, and what waits is tried again.
      if (held !== undefined) throw clusterForbidden({ detail: held, credentials: 'refused', reason: 'OtherCluster' })
      return cluster
    },
    getHeld: async (name) => (await opened(name)).cluster,
    invalidate,
    async refresh(name, revision) {
      const opening = known.get(name)
      const last = await opening?.catch(() => undefined)
      if (last && last.revision !== revision && known.get(name) === opening) await invalidate(name)
    },
    async close() {
      const all = [...known.values()]
      known.clear()
      await Promise.all(all.map(end))
    },
  }
}
