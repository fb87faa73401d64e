import { fork } from 'node:child_process'
import { join } from 'node:path'
import type {
  ClusterState,
  KindSpec,
  ListQuery,
  Mirror,
  MirroredCluster,
  MirrorMetrics,
  Page,
  SearchHits,
} from '@quarterdeck/mirror'
import { nodeEnvironment, nodeFlags } from '../../scripts/node-options.mjs'
import { root } from '../../scripts/stage.ts'

type SearchQuery = Parameters<Mirror['search']>[0]

/** What a mirror in a process of its own can be asked. */
export type MirrorQuestion =
  | { act: 'open'; snapshotFolder?: string }
  | { act: 'watch'; clusters: MirroredCluster[] }
  | { act: 'forget'; cluster: string }
  | { act: 'synced'; clusters: string[] }
  | { act: 'list'; query: ListQuery; namespaces?: readonly string[] }
  | { act: 'search'; query: SearchQuery; namespaces?: readonly string[] }
  | { act: 'kinds' | 'clusters' | 'metrics' | 'memory' | 'close' }
  /** Milliseconds of each of `count` pages as bytes, the queries in turn. */
  | { act: 'time'; queries: ListQuery[]; namespaces?: readonly string[]; count: number }

export interface Ask {
  id: number
  question: MirrorQuestion
}

/** How a first reading went, in milliseconds since it was asked for. */
export interface Synced {
  /** The first page that had something on it, how many pods were known then and how far the mirror said it was. */
  firstPageMs: number
  firstPageTotal: number
  firstPagePercent: number
  /** Every pod there, and a sorted page of them answered. */
  podsMs: number
  /** Every kind there. */
  allMs: number
  objects: number
}

/** A mirror in a process of its own. */
export interface MirrorProcess {
  readonly pid: number
  open(snapshotFolder?: string): Promise<void>
  watch(clusters: MirroredCluster[]): Promise<void>
  forget(cluster: string): Promise<void>
  synced(clusters: string[]): Promise<Synced>
  list(query: ListQuery, namespaces?: readonly string[]): Promise<Page>
  search(query: SearchQuery, namespaces?: readonly string[]): Promise<SearchHits>
  kinds(): Promise<KindSpec[]>
  clusters(): Promise<ClusterState[]>
  metrics(): Promise<MirrorMetrics>
  /** After a collection of garbage. */
  memory(): Promise<NodeJS.MemoryUsage>
  time(queries: ListQuery[], count: number, namespaces?: readonly string[]): Promise<number[]>
  /** SIGKILL. */
  kill(): Promise<void>
  /** Writes the snapshot and ends. */
  close(): Promise<void>
}

export interface MirrorProcessOptions {
  /** Folder for a CPU profile of each thread, written when the process is closed. */
  profileFolder?: string
}

/** Starts the process; nothing is read yet. It ends with this one. */
export function mirrorProcess({ profileFolder }: MirrorProcessOptions = {}): MirrorProcess {
  const profile = profileFolder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileFolder}`]
  const child = fork(join(import.meta.dirname, 'mirror.process.ts'), {
    execArgv: [...nodeFlags, '--expose-gc', ...profile],
    env: { ...nodeEnvironment(root), ...process.env },
    serialization: 'advanced',
  })
  const waiting = new Map<number, PromiseWithResolvers<unknown>>()
  let last = 0
  child.on('message', ({ id, value, error }: { id: number; value?: unknown; error?: string }) => {
    const one = waiting.get(id)
    waiting.delete(id)
    if (error === undefined) one?.resolve(value)
    else one?.reject(new Error(error))
  })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  void ended.then(() => {
    for (const one of waiting.values()) one.reject(new Error('The mirror process has ended'))
  })
  function ask<T>(question: MirrorQuestion): Promise<T> {
    const one = Promise.withResolvers<T>()
    const id = ++last
    waiting.set(id, one as PromiseWithResolvers<unknown>)
    child.send({ id, question } satisfies Ask)
    return one.promise
  }
  const within = (namespaces: readonly string[] | undefined) => (namespaces ? { namespaces } : {})
  return {
    pid: child.pid ?? 0,
    open: (snapshotFolder) => ask({ act: 'open', ...(snapshotFolder === undefined ? {} : { snapshotFolder }) }),
    watch: (clusters) => ask({ act: 'watch', clusters }),
    forget: (cluster) => ask({ act: 'forget', cluster }),
    synced: (clusters) => ask({ act: 'synced', clusters }),
    list: (query, namespaces) => ask({ act: 'list', query, ...within(namespaces) }),
    search: (query, namespaces) => ask({ act: 'search', query, ...within(namespaces) }),
    kinds: () => ask({ act: 'kinds' }),
    clusters: () => ask({ act: 'clusters' }),
    metrics: () => ask({ act: 'metrics' }),
    memory: () => ask({ act: 'memory' }),
    time: (queries, count, namespaces) => ask({ act: 'time', queries, count, ...within(namespaces) }),
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
    async close() {
      await ask({ act: 'close' })
      child.disconnect()
      await ended
    },
  }
}
