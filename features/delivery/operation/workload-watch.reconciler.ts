import { type KubeRef, refText } from '@quarterdeck/kernel'
import type { Cluster } from '@quarterdeck/kube'

/** Tells who waits for an object that it has changed. One watch for each cluster and kind, and none while nobody waits. */
export interface WorkloadWatch {
  /**
   * Calls `wake` for the target at every change after `resourceVersion`. False when it may have missed one: the watch
   * was running already, so read the object once more.
   */
  wait(cluster: Cluster, target: string, ref: KubeRef, resourceVersion: string): boolean
  /** The target waits for nothing any more. */
  forget(target: string): void
  /** How many objects are waited for. */
  readonly size: number
  close(): void
}

interface Running {
  stop: AbortController
  /** Targets by `refText`. */
  waiting: Map<string, Set<string>>
  idleTimer?: NodeJS.Timeout
}

// A deploy that follows within this time finds the watch open.
const LINGER_MS = 5_000
// A watch that the API server ends sooner than this is not opened again at once.
const SHORTEST_MS = 1_000

/** `wake` must not throw; it is called with the target. */
export function watchWorkloads(wake: (target: string) => void): WorkloadWatch {
  const running = new Map<string, Running>()

  async function run(id: string, watch: Running, cluster: Cluster, ref: KubeRef, from: string): Promise<void> {
    let resourceVersion = from
    try {
      for (let began = 0; !watch.stop.signal.aborted && performance.now() - began > SHORTEST_MS; ) {
        began = performance.now()
        const selection = { apiVersion: ref.apiVersion, kind: ref.kind, resourceVersion }
        for await (const event of cluster.watch(selection, { signal: watch.stop.signal })) {
          resourceVersion = event.object.metadata.resourceVersion ?? resourceVersion
          if (event.type !== 'BOOKMARK') wakeAll(watch.waiting.get(refText(refWithin(event.object))))
        }
      }
    } catch {
      // Expired, forbidden, unreachable or stopped: whoever still waits looks again by itself and opens a new one.
    }
    if (running.get(id) === watch) running.delete(id)
  }

  const wakeAll = (targets: Set<string> | undefined) => {
    for (const target of targets ?? []) wake(target)
  }

  return {
    wait(cluster, target, ref, resourceVersion) {
      const id = `${cluster.name} ${ref.apiVersion} ${ref.kind}`
      const found = running.get(id)
      const watch: Running = found ?? { stop: new AbortController(), waiting: new Map() }
      clearTimeout(watch.idleTimer)
      const targets = watch.waiting.get(refText(ref)) ?? new Set()
      const known = targets.has(target)
      watch.waiting.set(refText(ref), targets.add(target))
      if (!found) {
        running.set(id, watch)
        void run(id, watch, cluster, ref, resourceVersion)
      }
      return known || !found
    },
    forget(target) {
      for (const [id, watch] of running) {
        for (const [ref, targets] of watch.waiting) {
          targets.delete(target)
          if (targets.size === 0) watch.waiting.delete(ref)
        }
        if (watch.waiting.size > 0) continue
        clearTimeout(watch.idleTimer)
        watch.idleTimer = setTimeout(() => {
          watch.stop.abort()
          if (running.get(id) === watch) running.delete(id)
        }, LINGER_MS)
        watch.idleTimer.unref()
      }
    },
    get size() {
      return [...running.values()].reduce((sum, { waiting }) => sum + waiting.size, 0)
    },
    close() {
      for (const watch of running.values()) {
        clearTimeout(watch.idleTimer)
        watch.stop.abort()
      }
      running.clear()
    },
  }
}

const refWithin = ({
  kind,
  apiVersion,
  metadata,
}: {
  kind: string
  apiVersion: string
  metadata: { name: string; namespace?: string }
}): KubeRef => ({
  apiVersion,
  kind,
  name: metadata.name,
  ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
})
