import { notFound } from '@quarterdeck/kernel'
import type { Cluster } from './cluster.ts'
import { connectCluster } from './connect-cluster.ts'

/** Connections by cluster name, each opened when first asked for. */
export interface Clusters {
  /** Throws notFound when no cluster of this name is registered, and invalidKubeconfig. */
  get(name: string): Promise<Cluster>
  /** Call it when the kubeconfig of a cluster changed or the cluster was removed; its connections end. */
  invalidate(name: string): Promise<void>
  /** Ends all connections. */
  close(): Promise<void>
}

/** How the registry finds a cluster. */
export interface ClustersOptions {
  /** The kubeconfig and its context; undefined when there is no such cluster. Only asked once until invalidated. */
  load(name: string): Promise<{ kubeconfig: string; context?: string | undefined } | undefined>
  /** Credential plugins that the operator of this server allows. Default none. */
  plugins?: readonly string[]
}

/** An empty registry. A failed load is not kept. */
export function createClusters({ load, plugins }: ClustersOptions): Clusters {
  const held = new Map<string, Promise<Cluster>>()

  async function open(name: string): Promise<Cluster> {
    const found = await load(name)
    if (!found) throw notFound({ detail: `No cluster is registered as ${name}. qd cluster list shows those that are.` })
    return connectCluster({
      name,
      kubeconfig: found.kubeconfig,
      ...(found.context ? { context: found.context } : {}),
      ...(plugins ? { plugins } : {}),
    })
  }

  async function end(opened: Promise<Cluster> | undefined): Promise<void> {
    const cluster = await opened?.catch(() => undefined)
    await cluster?.close()
  }

  return {
    get(name) {
      const opened = held.get(name) ?? open(name)
      held.set(name, opened)
      opened.catch(() => {
        if (held.get(name) === opened) held.delete(name)
      })
      return opened
    },
    async invalidate(name) {
      const opened = held.get(name)
      held.delete(name)
      await end(opened)
    },
    async close() {
      const all = [...held.values()]
      held.clear()
      await Promise.all(all.map(end))
    },
  }
}
