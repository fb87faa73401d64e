import { setTimeout as sleep } from 'node:timers/promises'
import { isProblem, type KubeObject } from '@quarterdeck/kernel'
import { type Cluster, watchExpired } from '@quarterdeck/kube'
import type { Bindings, RbacKind } from './bindings.rules.ts'
import { RBAC_KINDS } from './bindings.rules.ts'

export interface FollowBindingsOptions {
  /** The cluster as it is registered now. */
  cluster(): Promise<Cluster>
  bindings: Bindings
  /** Objects that do not count. */
  except(object: KubeObject): boolean
  /** Called after something was taken in. */
  changed(): void
  warn(error: unknown, message: string): void
}

const API = 'rbac.authorization.k8s.io/v1'
/** A watch that ends sooner than this is as one that failed. */
const SHORT_MS = 1_000
const FIRST_WAIT_MS = 200
const LONGEST_WAIT_MS = 15_000
const PAGE = 500

/** Keeps roles and bindings of one cluster as they are there. What was known stays in force while nothing is heard. */
export class BindingsFollower {
  readonly #options: FollowBindingsOptions
  readonly #end = new AbortController()
  readonly #unread = new Set<RbacKind>(RBAC_KINDS)

  constructor(options: FollowBindingsOptions) {
    this.#options = options
    for (const kind of RBAC_KINDS) void this.#follow(kind)
  }

  /** Everything has been read once. */
  get read(): boolean {
    return this.#unread.size === 0
  }

  end(): void {
    this.#end.abort()
  }

  async #follow(kind: RbacKind): Promise<void> {
    const { signal } = this.#end
    let source: Cluster | undefined
    let revision: string | undefined
    let wait = FIRST_WAIT_MS
    while (!signal.aborted) {
      try {
        const cluster = await this.#options.cluster()
        // Revisions of another API server mean nothing here.
        if (cluster !== source) revision = undefined
        source = cluster
        revision ??= await this.#list(cluster, kind)
        const from = { apiVersion: API, kind, resourceVersion: revision }
        const began = performance.now()
        for await (const { type, object } of cluster.watch(from, { signal })) {
          revision = object.metadata.resourceVersion ?? revision
          wait = FIRST_WAIT_MS
          if (type !== 'BOOKMARK') this.#take(kind, type === 'DELETED', object)
        }
        if (performance.now() - began < SHORT_MS) throw new Error('the watch ends at once, again and again')
      } catch (error) {
        if (signal.aborted) return
        if (isProblem(error, watchExpired)) revision = undefined
        else if (wait > FIRST_WAIT_MS) this.#options.warn(error, `${kind}s cannot be followed; it is tried again`)
        await sleep(wait, undefined, { signal, ref: false }).catch(() => undefined)
        wait = Math.min(wait * 2, LONGEST_WAIT_MS)
      }
    }
  }

  async #list(cluster: Cluster, kind: RbacKind): Promise<string> {
    const { signal } = this.#end
    const objects: KubeObject[] = []
    let next: string | undefined
    let revision = ''
    do {
      const page = await cluster.list({ apiVersion: API, kind, limit: PAGE, continue: next }, { signal })
      objects.push(...page.items.filter((object) => !this.#options.except(object)))
      next = page.continue
      revision = page.resourceVersion
    } while (next !== undefined)
    if (signal.aborted) return revision
    this.#options.bindings.replace(kind, objects)
    this.#unread.delete(kind)
    this.#options.changed()
    return revision
  }

  #take(kind: RbacKind, gone: boolean, object: KubeObject): void {
    const { bindings, except, changed } = this.#options
    if (this.#end.signal.aborted) return
    const before = bindings.revision
    if (gone || except(object)) bindings.remove(kind, object.metadata)
    else bindings.put(kind, object)
    if (bindings.revision !== before) changed()
  }
}
