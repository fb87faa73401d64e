import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Client, createClient } from '@quarterdeck/client'
import { createServer, type Server, type ServerOptions } from '@quarterdeck/http'
import type { Subject } from '@quarterdeck/kernel'
import {
  type Cluster,
  type Clusters,
  connectCluster,
  createClusters,
  type KeyFile,
  openKeyFile,
} from '@quarterdeck/kube'
import { type Reconciler, type Reconcilers, runReconcilers } from '@quarterdeck/reconcile'
import { type Db, findMigrations, type Store } from '@quarterdeck/store'
import { type TestCluster, type TestClusterOptions, testCluster } from './cluster.ts'
import { testDatabase } from './database.ts'

/** What a feature's routes and reconcilers are given. */
export interface PlatformParts {
  readonly store: Store
  readonly db: Db
  /** Knows the cluster `test`. */
  readonly clusters: Clusters
  /** The cluster `test`; unreachable when the platform was started without one. */
  readonly cluster: Cluster
  /** Kubeconfig of the cluster `test`, YAML. */
  readonly kubeconfig: string
  readonly keyFile: KeyFile
  /** An empty folder that goes with the platform. */
  readonly stateFolder: string
}

export interface PlatformOptions {
  /** Binds endpoints; called once. */
  routes?: (server: Server, parts: PlatformParts) => void | Promise<void>
  /** By kind. Absent: none run. */
  reconcilers?: (parts: PlatformParts) => Record<string, Reconciler>
  /** Folders under which migrations are looked for: `[import.meta.dirname]` for one's own. Absent: all features'. */
  migrations?: readonly string[]
  /** Absent or true: the API server alone. An object: as testCluster has it. False: no cluster. */
  cluster?: boolean | TestClusterOptions
  /** Further settings of the HTTP server. */
  server?: Partial<ServerOptions>
}

/** A platform with a real HTTP server, a real PostgreSQL and a real API server. */
export interface Platform extends PlatformParts {
  /** As `tester`, who has every permission. */
  readonly client: Client
  /** As somebody else; `permissions` default to none. */
  as(subject: Partial<Subject>): Client
  /** Without any credential. */
  readonly anonymous: Client
  readonly server: Server
  /** A new namespace in the cluster `test`. */
  namespace(prefix?: string): Promise<string>
  /** See TestCluster. */
  writes: TestCluster['writes']
  /** Works off every hint that was committed; what the runs asked to wait for, in seconds. */
  settle(): Promise<number[]>
  /** Looks for work on both sides, as happens every minute, and works it off. */
  resync(): Promise<number[]>
  /** From now on hints do not arrive; resync still finds work. */
  loseHints(): void
  /** Empties the database and lets hints arrive again. Namespaces stay. */
  reset(): Promise<void>
  close(): Promise<void>
}

// Nothing listens at port 1.
const NOWHERE = `
clusters: [{ name: none, cluster: { server: 'http://127.0.0.1:1' } }]
users: [{ name: none, user: { token: none } }]
contexts: [{ name: none, context: { cluster: none, user: none } }]
current-context: none
`

/** Starts a platform of one's own; about 0.3 s when database and cluster of the run are up. */
export async function startPlatform(options: PlatformOptions = {}): Promise<Platform> {
  const wanted = options.cluster ?? true
  const [database, cluster] = await Promise.all([
    testDatabase(options.migrations === undefined ? {} : { migrations: options.migrations.flatMap(findMigrations) }),
    wanted === false ? undefined : testCluster(wanted === true ? {} : wanted),
  ])
  const stateFolder = mkdtempSync(join(tmpdir(), 'quarterdeck-platform-'))
  const parts = await partsOf(database.store, cluster, stateFolder)
  const subjects = new Map<string, Subject>([['tester', { name: 'tester', kind: 'user', permissions: ['*'] }]])
  const server = await createServer({
    authenticate: async ({ token }) => subjects.get(token ?? ''),
    logLevel: 'silent',
    rateLimit: { burst: 100_000, perSecond: 100_000 },
    checkAnswers: true,
    ...options.server,
  })
  await options.routes?.(server, parts)
  const running = startReconcilers(database.store, options.reconcilers?.(parts))
  const clientOf = (token?: string) =>
    createClient({ baseUrl: 'http://localhost', fetch: server.fetch, ...(token ? { token } : {}) })
  const noCluster = () => Promise.reject(new Error('This platform was started without a cluster'))
  return {
    ...parts,
    server,
    client: clientOf('tester'),
    anonymous: clientOf(),
    as(subject: Partial<Subject>) {
      const token = `subject-${subjects.size}`
      subjects.set(token, { name: 'somebody', kind: 'user', permissions: [], ...subject })
      return clientOf(token)
    },
    namespace: cluster?.namespace ?? noCluster,
    writes: cluster?.writes ?? noCluster,
    settle: () => running.reconcilers.settle(),
    async resync() {
      await running.reconcilers.resync()
      return running.reconcilers.settle()
    },
    loseHints: () => running.lose(true),
    async reset() {
      await running.reconcilers.settle()
      await database.reset()
      running.lose(false)
    },
    async close() {
      await server.close()
      await running.reconcilers.close({ drainMs: 2_000 })
      await parts.clusters.close()
      await Promise.all([database.close(), cluster?.close()])
      rmSync(stateFolder, { recursive: true, force: true })
    },
  }
}

async function partsOf(store: Store, cluster: TestCluster | undefined, stateFolder: string): Promise<PlatformParts> {
  const keyFile = await openKeyFile(join(stateFolder, 'key'), { sealedRows: 0 })
  const clusters = createClusters({
    load: async (name) => (name === 'test' && cluster ? { kubeconfig: cluster.kubeconfig } : undefined),
  })
  return {
    store,
    db: store.db,
    clusters,
    keyFile,
    stateFolder,
    cluster: cluster?.cluster ?? connectCluster({ name: 'none', kubeconfig: NOWHERE }),
    kubeconfig: cluster?.kubeconfig ?? '',
  }
}

/** The runner gets a store whose hints can be made to vanish; its own marks for settle still arrive. */
function startReconcilers(store: Store, reconcilers: Record<string, Reconciler> = {}) {
  let lost = false
  const listen: Store['listen'] = (channel, fn) =>
    store.listen(channel, (payload) => {
      if (lost && payload !== undefined && !payload.startsWith('settle ')) return
      fn(payload)
    })
  const running: Reconcilers = runReconcilers({
    store: { db: store.db, connect: () => store.connect(), listen },
    reconcilers,
    resyncSeconds: 3_600,
  })
  return {
    reconcilers: running,
    lose(on: boolean) {
      lost = on
    },
  }
}
