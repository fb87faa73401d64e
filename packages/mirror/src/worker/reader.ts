import type { FromReader, Restore, WatchCluster } from '../batch.ts'
import { ClusterReader, type KindReader, type ReaderTables } from './cluster-reader.ts'
import { TIMINGS, type Timings } from './reader-options.ts'
import type { ListStrategy } from './reflect/source.ts'

export interface OpenReaderOptions {
  tables: ReaderTables
  post(message: FromReader): void
  timings?: Partial<Timings> | undefined
  /** For tests. */
  strategy?: ListStrategy
}

/** All clusters that are read. */
export interface Reader {
  watch(cluster: WatchCluster): void
  forget(cluster: number): void
  /** Before the clusters are watched, and after the tables have it. */
  restored(message: Restore): void
  /** The table of a kind was replaced: these clusters list it again. */
  readAnew(resource: string, clusters: number[]): void
  close(): void
}

/** Opens nothing until the first `watch`. */
export function openReader({ tables, post, strategy = 'cheapest', ...options }: OpenReaderOptions): Reader {
  const timings = { ...TIMINGS, ...options.timings }
  const clusters = new Map<number, ClusterReader>()
  const namespaces = new Map<number, Set<string>>()
  const changed = new Set<KindReader>()
  let timer: NodeJS.Timeout | undefined

  function tell(): void {
    timer = undefined
    for (const { cluster, resource, reflector } of changed) {
      if (!reflector.closed) tables.state(cluster, resource, reflector.standing)
    }
    changed.clear()
    tables.flush()
  }

  function end(cluster: number) {
    const memory = clusters.get(cluster)?.close()
    clusters.delete(cluster)
    return memory
  }

  return {
    watch(cluster) {
      const memory = end(cluster.cluster)
      const reader = new ClusterReader({
        cluster,
        tables,
        timings,
        strategy,
        post,
        restoredNamespace: (uid) => namespaces.get(cluster.cluster)?.has(uid),
        ...(memory ? { memory } : {}),
        onChange: (one) => {
          if (clusters.get(cluster.cluster) !== reader) return
          changed.add(one)
          timer ??= setTimeout(tell, timings.flush)
        },
      })
      clusters.set(cluster.cluster, reader)
      void reader.run()
    },
    forget(cluster) {
      end(cluster)
      namespaces.delete(cluster)
      tables.drop(cluster)
      tables.flush()
    },
    restored({ spec, clusters: owners, uids }) {
      if (spec.resource !== 'namespaces') return
      owners.forEach((cluster, row) => {
        const known = namespaces.get(cluster) ?? new Set()
        namespaces.set(cluster, known.add(uidText(uids.subarray(row * 4, row * 4 + 4))))
      })
    },
    readAnew(resource, ofClusters) {
      for (const cluster of ofClusters) clusters.get(cluster)?.readAnew(resource)
    },
    close() {
      clearTimeout(timer)
      for (const cluster of [...clusters.keys()]) end(cluster)
    },
  }
}

/** 8-4-4-4-12 of the four words of a uid. */
function uidText(words: Uint32Array): string {
  const digits = [...words].map((word) => word.toString(16).padStart(8, '0')).join('')
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}
