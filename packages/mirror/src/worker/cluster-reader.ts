import { setTimeout as sleep } from 'node:timers/promises'
import { parseKubeconfig, transportOf } from '@quarterdeck/kube'
import type { FromReader, RelistCause, WatchCluster } from '../batch.ts'
import { resourceOf } from '../kind.ts'
import { Backoff } from './backoff.ts'
import { textOf } from './connection/answer.ts'
import { Connection } from './connection/connection.ts'
import { CustomKinds } from './discover/custom-kinds.ts'
import { type Discovered, discover } from './discover/discover.ts'
import type { ObjectSink } from './object-sink.ts'
import type { Timings } from './reader-options.ts'
import { Reflector } from './reflect/reflector.ts'
import { Slots } from './reflect/slots.ts'
import type { ListStrategy, Server } from './reflect/source.ts'
import type { Standing } from './reflect/target.ts'
import type { ServedKind } from './served-kind.ts'

/** Where the rows go. */
export interface ReaderTables {
  /** Opens the kind's table if need be. Asked again for each new list. */
  sink(cluster: number, kind: ServedKind): ObjectSink
  /** Where restored rows stand; 0 when there are none. */
  standing(cluster: number, resource: string): number
  state(cluster: number, resource: string, standing: Standing): void
  /** Removes the rows of one kind, or of all. */
  drop(cluster: number, resource?: string): void
  table(resource: string): number | undefined
  flush(): void
}

/** What outlives a reader when the same cluster is read with another kubeconfig. */
export interface ClusterMemory {
  /** uid of the namespace kube-system; '' when it is not known. */
  identity: string
  /** Revisions by resource. */
  revisions: Map<string, number>
}

export interface ClusterReaderOptions {
  cluster: WatchCluster
  tables: ReaderTables
  timings: Timings
  strategy: ListStrategy
  post(message: FromReader): void
  /** Whether a namespace of this uid was among the restored rows; undefined when none were restored. */
  restoredNamespace(uid: string): boolean | undefined
  memory?: ClusterMemory
  onChange(reader: KindReader): void
}

/** One kind that is being read. */
export interface KindReader {
  readonly cluster: number
  readonly resource: string
  readonly reflector: Reflector
}

// What somebody looks at first.
const FIRST = [
  'pods',
  'namespaces',
  'nodes',
  'deployments.apps',
  'services',
  'events',
  'customresourcedefinitions.apiextensions.k8s.io',
  'statefulsets.apps',
  'daemonsets.apps',
  'jobs.batch',
  'cronjobs.batch',
  'ingresses.networking.k8s.io',
  'replicasets.apps',
  'configmaps',
  'persistentvolumeclaims',
]
const LISTENED = new Set(['customresourcedefinitions.apiextensions.k8s.io', 'apiservices.apiregistration.k8s.io'])
// Each waits until the server's cache has caught up with its store, a tenth of a second, while it does nothing.
const SHORT_LISTS = 16
// Until the first pods have come only so many: each of the others would delay them.
const FIRST_LISTS = 3
const FIRST_ALONE = 500 // milliseconds; the others do not wait longer
const LONG_LISTS = 2
const WHOLE_LISTS_SINCE = 34 // minor version
const ALIVE_EVERY = 5_000 // milliseconds
const ALL_AGAIN = 3_000 // milliseconds; each kind notices the same
/** What is served may show only a while after the definition did. In multiples of the first pause. */
const LOOK_AGAIN = [1, 4, 20]

/** Reads one cluster: connects, finds out what it serves, and keeps a reflector for each kind. */
export class ClusterReader {
  readonly #options: ClusterReaderOptions
  readonly #ending = new AbortController()
  readonly #kinds = new Map<string, KindReader & { mark: string }>()
  readonly #custom = new CustomKinds(() => this.#lookAgain())
  #server: (Server & { connection: Connection }) | undefined
  #identity: string
  #definitionsKnown = false
  #wake = new AbortController()
  #looks: NodeJS.Timeout[] = []
  #firstAlone: NodeJS.Timeout | undefined
  #toldAlive = 0
  #ignoreRestored = false
  #listedAnew = Number.NEGATIVE_INFINITY

  constructor(options: ClusterReaderOptions) {
    this.#options = options
    this.#identity = options.memory?.identity ?? ''
  }

  /** Runs until `close`. Never rejects. */
  async run(): Promise<void> {
    const server = this.#connect()
    if (!server) return
    const { signal } = this.#ending
    const { timings } = this.#options
    const backoff = new Backoff(timings)
    while (!signal.aborted) {
      this.#wake = new AbortController()
      let pause = timings.rediscoverAtLeast * (0.75 + Math.random() / 2)
      try {
        await this.#learn(server, signal)
        backoff.reset()
      } catch (error) {
        if (signal.aborted) return
        this.#tell('stale', (error as Error).message)
        pause = backoff.next()
      }
      const woken = AbortSignal.any([signal, this.#wake.signal])
      await sleep(pause, undefined, { signal: woken }).catch(() => {})
    }
  }

  /** Ends the reading; rows stay. */
  close(): ClusterMemory {
    this.#ending.abort(new Error('the cluster is not read any more'))
    for (const timer of this.#looks) clearTimeout(timer)
    clearTimeout(this.#firstAlone)
    const revisions = new Map<string, number>()
    for (const { resource, reflector } of this.#kinds.values()) {
      revisions.set(resource, reflector.standing.revision)
      reflector.close()
    }
    this.#server?.connection.close()
    return { identity: this.#identity, revisions }
  }

  /** The table of a kind was replaced. */
  readAnew(resource: string): void {
    this.#kinds.get(resource)?.reflector.readAnew('table-replaced', 'its table was replaced')
  }

  #connect(): (Server & { connection: Connection }) | undefined {
    const { cluster, timings, strategy } = this.#options
    const { name, kubeconfig, context, allowPlugin } = cluster
    this.#tell('syncing', '')
    try {
      const options = { ...(context ? { context } : {}), ...(allowPlugin ? { allowPlugin } : {}) }
      const transport = transportOf(name, parseKubeconfig(kubeconfig, options))
      const connection = new Connection(transport, timings, {
        onUp: (first) => {
          if (!first) this.#wake.abort()
        },
        onDown: (message) => {
          this.#tell('stale', message)
          for (const { reflector } of this.#kinds.values()) reflector.unreachable(message)
        },
        onAlive: () => {
          if (this.#server && this.#kinds.size > 0 && Date.now() - this.#toldAlive > ALIVE_EVERY) this.#tell('live', '')
        },
      })
      const lists = { shortLists: new Slots(FIRST_LISTS), longLists: new Slots(LONG_LISTS) }
      this.#server = { connection, wholeLists: false, streams: true, strategy, ...lists }
    } catch (error) {
      this.#tell('stale', (error as Error).message)
    }
    return this.#server
  }

  async #learn(server: Server & { connection: Connection }, signal: AbortSignal): Promise<void> {
    const { minor } = (await getJson(server, '/version', signal)) as { minor?: string }
    server.wholeLists = Number.parseInt(minor ?? '', 10) >= WHOLE_LISTS_SINCE
    await this.#checkIdentity(server, signal)
    const discovered = await discover(server.connection, signal)
    this.#apply(server, discovered)
    for (const { reflector } of this.#kinds.values()) reflector.wake()
    this.#tell('live', '')
  }

  /** A cluster may have been built anew behind the same address: then nothing of what is known holds. */
  async #checkIdentity(server: Server, signal: AbortSignal): Promise<void> {
    const answer = await getJson(server, '/api/v1/namespaces/kube-system', signal).catch((error) => {
      if (!(error instanceof Error && 'status' in error)) throw error
      return undefined // may not be read, or is not there
    })
    const uid = String((answer as { metadata?: { uid?: string } } | undefined)?.metadata?.uid ?? '')
    if (uid === '') return
    const before = this.#identity
    this.#identity = uid
    const same = before === '' ? this.#options.restoredNamespace(uid) !== false : before === uid
    if (same) return
    this.#ignoreRestored = true
    this.#listAllAnew('', 'another cluster answers at this address')
  }

  /**
   * What is known of one kind may be so old, or the server so far on, that its revisions alone do not tell; they all count
   * from the same store.
   */
  #listAllAnew(except: string, why: string): void {
    if (performance.now() - this.#listedAnew < ALL_AGAIN) return
    this.#listedAnew = performance.now()
    for (const { resource, reflector } of this.#kinds.values()) {
      if (resource !== except) reflector.readAnew('backwards', why)
    }
  }

  #apply(server: Server, { kinds, silentGroups }: Discovered): void {
    const served = new Set<string>()
    const definitions = kinds.some((kind) => LISTENED.has(resourceOf(kind.plural, kind.group)))
    const byUrgency = kinds
      .map((kind) => ({ kind, resource: resourceOf(kind.plural, kind.group) }))
      .map((one) => ({ ...one, urgency: urgencyOf(one.resource) }))
      .sort((a, b) => a.urgency - b.urgency)
    for (const { kind, resource, urgency } of byUrgency) {
      served.add(resource)
      // Their columns are not known before the definitions are.
      if (kind.custom && definitions && !this.#definitionsKnown) continue
      this.#open(server, { ...kind, printerColumns: this.#custom.columnsOf(resource, kind.version) }, urgency)
    }
    const pods = served.has('pods') ? FIRST_ALONE : 0
    this.#firstAlone ??= setTimeout(() => server.shortLists.widen(SHORT_LISTS), pods)
    for (const [resource, { reflector }] of this.#kinds) {
      if (!served.has(resource) && !silentGroups.has(groupOf(resource))) this.#drop(resource, reflector)
    }
  }

  #open(server: Server, kind: ServedKind, urgency: number): void {
    const resource = resourceOf(kind.plural, kind.group)
    const mark = JSON.stringify(kind)
    const open = this.#kinds.get(resource)
    if (open?.mark === mark) return
    open?.reflector.close()
    const { cluster, tables, memory, post } = this.#options
    const listened = LISTENED.has(resource)
    const sink = () => {
      const plain = tables.sink(cluster.cluster, kind)
      return listened ? this.#custom.listening(kind.kind, plain) : plain
    }
    sink()
    const known = memory?.revisions.get(resource) ?? tables.standing(cluster.cluster, resource)
    const reflector = new Reflector(server, {
      kind,
      urgency,
      sink,
      restoredRevision: open || listened || this.#ignoreRestored ? 0 : known,
      onChange: () => {
        this.#options.onChange(reader)
        const { loaded, state } = reflector.standing
        if (resource === 'pods' && (loaded > 0 || state !== 'syncing')) server.shortLists.widen(SHORT_LISTS)
        if (listened && kind.plural === 'customresourcedefinitions') this.#definitionsRead(reflector.standing)
      },
      onBackwards: () => this.#listAllAnew(resource, 'the store of the cluster was restored'),
      onUnknown: () => this.#lookAgain(),
      note: (level: 'info' | 'warn', message: string, relist?: RelistCause) =>
        post({ type: 'note', level, cluster: cluster.cluster, resource, message, ...(relist ? { relist } : {}) }),
    })
    const reader = { cluster: cluster.cluster, resource, reflector, mark }
    this.#kinds.set(resource, reader)
    // Said at once, so that a cluster does not count as live while a kind of it waits for its turn.
    this.#options.onChange(reader)
    void reflector.run()
  }

  #definitionsRead({ state }: Standing): void {
    if (this.#definitionsKnown || state === 'syncing') return
    this.#definitionsKnown = true
    this.#wake.abort()
  }

  #drop(resource: string, reflector: Reflector): void {
    reflector.close()
    this.#kinds.delete(resource)
    const { cluster, tables, post } = this.#options
    const table = tables.table(resource)
    tables.drop(cluster.cluster, resource)
    tables.flush()
    if (table !== undefined) post({ type: 'dropped', cluster: cluster.cluster, table })
  }

  /** Asks again what is served, soon and a few times. */
  #lookAgain(): void {
    for (const timer of this.#looks) clearTimeout(timer)
    const { rediscover } = this.#options.timings
    this.#looks = LOOK_AGAIN.map((times) => setTimeout(() => this.#wake.abort(), times * rediscover))
  }

  #tell(state: 'syncing' | 'live' | 'stale', message: string): void {
    const now = Date.now()
    if (state === 'live') this.#toldAlive = now
    const { cluster, post } = this.#options
    post({ type: 'cluster', cluster: cluster.cluster, state, message, heardTime: this.#toldAlive })
  }
}

async function getJson({ connection }: Server, path: string, signal: AbortSignal): Promise<unknown> {
  const answer = await connection.ask({ path, accept: 'application/json', verb: 'get', what: path }, signal)
  return JSON.parse(await textOf(answer, connection.timings.answer, signal))
}

function urgencyOf(resource: string): number {
  const place = FIRST.indexOf(resource)
  return place < 0 ? FIRST.length : place
}

function groupOf(resource: string): string {
  const dot = resource.indexOf('.')
  return dot < 0 ? '' : resource.slice(dot + 1)
}
