import { notFound } from '@quarterdeck/kernel'
import type { Cluster } from './cluster.ts'
import { connectCluster } from './connect-cluster.ts'

/** Connections by cluster name, each opened when first asked for. */
export interface Clusters {
  /** Throws notFound when no cluster of this name is registered, and invalidKubeconfig. */
  get(name: string): Promise<Cluster>
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
}

interface Opened {
  cluster: Cluster
  revision: string | undefined
}

/** An empty registry. A failed load is not kept. */
export function createClusters({ load }: ClustersOptions): Clusters {
  const held = new Map<string, Promise<Opened>>()

  async function open(name: string): Promise<Opened> {
    const found = await load(name)
    if (!found) throw notFound({ detail: `No cluster is registered as ${name}. qd cluster list shows those that are.` })
    const { kubeconfig, context, allowPlugin = false, revision } = found
    const cluster = connectCluster({ name, kubeconfig, allowPlugin, ...(context ? { context } : {}) })
    return { cluster, revision }
  }

  async function end(opened: Promise<Opened> | undefined): Promise<void> {
    const held = await opened?.catch(() => undefined)
    await held?.cluster.close()
  }

  async function invalidate(name: string): Promise<void> {
    const opened = held.get(name)
    held.delete(name)
    await end(opened)
  }

  return {
    get(name) {
      const opened = held.get(name) ?? open(name)
      held.set(name, opened)
      opened.catch(() => {
        if (held.get(name) === opened) held.delete(name)
      })
      return opened.then(({ cluster }) => cluster)
    },
    invalidate,
    async refresh(name, revision) {
      const opened = held.get(name)
      const known = await opened?.catch(() => undefined)
      if (known && known.revision !== revision && held.get(name) === opened) await invalidate(name)
    },
    async close() {
      const all = [...held.values()]
      held.clear()
      await Promise.all(all.map(end))
    },
  }
}
