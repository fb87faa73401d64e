import type { Readable } from 'node:stream'
import type { KubeObject, KubeRef } from '@quarterdeck/kernel'
import type { Exec, ExecRequest } from './exec.ts'
import type { ClusterHealth } from './health.ts'
import type { ClusterIdentity } from './impersonation.ts'
import type { NativeAnswer, NativeRequest, NativeSocket } from './native.ts'
import type { Resource } from './resources.ts'
import type { ServedResource } from './served.ts'
import type { NativeTunnel, TunnelRequest } from './tunnel.ts'
import type { WatchEvent } from './watch.ts'

/** Every call ends by itself and can be ended by the caller. */
export interface CallOptions {
  signal?: AbortSignal | undefined
  /** Default 30. */
  timeoutSeconds?: number
}

/** Which objects. */
export interface Selection {
  apiVersion: string
  kind: string
  /** Absent: all namespaces, or a cluster-scoped kind. */
  namespace?: string | undefined
  /** As kubectl's -l: `app=shop,tier!=db`. */
  labelSelector?: string | undefined
  /** As kubectl's --field-selector: `involvedObject.uid=…`. */
  fieldSelector?: string | undefined
}

/** One page of a list, straight from the API server. */
export interface KubeList {
  items: KubeObject[]
  /** Where a watch can begin that misses nothing. */
  resourceVersion: string
  /** Absent on the last page. */
  continue?: string
  /** How many come after this page; absent when the API server does not say. */
  remaining?: number
}

/** What a write did, or would do. */
export interface Applied {
  /** The object as the API server made it, managedFields included. */
  object: KubeObject
  /** What the API server wanted to be said: deprecated versions, unknown fields, pod security. */
  warnings: string[]
}

export interface WriteOptions extends CallOptions {
  /** True: the API server goes all the way but stores nothing. */
  dryRun?: boolean | undefined
  /** Default quarterdeck. */
  fieldManager?: string
}

export interface LogsRequest {
  namespace: string
  pod: string
  /** Absent: the only container, or the one named by the default-container annotation. */
  container?: string | undefined
  follow?: boolean | undefined
  /** The run before the last restart. */
  previous?: boolean | undefined
  tailLines?: number | undefined
  sinceSeconds?: number | undefined
  /** RFC 3339; the API server cuts it to whole seconds. Not together with sinceSeconds. */
  sinceTime?: string | undefined
  /** Each line begins with RFC 3339 time and a space. */
  timestamps?: boolean | undefined
  limitBytes?: number | undefined
  signal?: AbortSignal | undefined
}

/**
 * One cluster's API server. Every call may throw clusterUnreachable (with `ambiguous: true` when a write may have
 * arrived), clusterForbidden, tooManyRequests and, where said, more. Nothing is cached but the kinds.
 */
export interface Cluster {
  readonly name: string
  /** Address of the API server. */
  readonly server: string
  /** What should be known about the kubeconfig it was connected with. */
  readonly warnings: readonly string[]
  /**
   * The same cluster as somebody: every request says so, and the API server judges. Goes over the impersonator's
   * credential; throws clusterForbidden for an identity that cannot be sent, and at the first request while the cluster
   * has no impersonator.
   */
  as(identity: ClusterIdentity): Cluster
  /** Undefined when there is no such object. */
  get(ref: KubeRef, options?: CallOptions): Promise<KubeObject | undefined>
  /** One page; `limit` defaults to 500. Throws watchExpired when `continue` is too old. */
  list(
    selection: Selection & { limit?: number; continue?: string | undefined },
    options?: CallOptions,
  ): Promise<KubeList>
  /** All pages, one object after the other. */
  listAll(selection: Selection, options?: CallOptions): AsyncGenerator<KubeObject>
  /** Server-side apply. Throws rejectedByCluster, or clusterConflict with `conflicts` unless `force`. */
  apply(object: KubeObject, options?: WriteOptions & { force?: boolean }): Promise<Applied>
  /** Creates, or asks a review such as SelfSubjectAccessReview. Throws conflict when it is there already. */
  create(object: KubeObject, options?: WriteOptions): Promise<Applied>
  /** A merge patch of an object or of its subresource (`scale`, `resize`, `status`). */
  patch(ref: KubeRef, patch: object, options?: WriteOptions & { subresource?: string }): Promise<Applied>
  /**
   * Ends a pod as long as its PodDisruptionBudgets allow it. Throws heldBack when one does not allow it now, notFound,
   * and with `uid` clusterConflict when another pod has that name. The pod stays while it ends its work.
   */
  evict(
    pod: { namespace: string; name: string },
    options?: CallOptions & { dryRun?: boolean; uid?: string | undefined },
  ): Promise<void>
  /**
   * Removes; done when it is not there. With `uid`, only that very object, else clusterConflict. Answers false when
   * there was nothing to remove. The object may stay for a while: finalizers, graceful shutdown.
   */
  remove(
    ref: KubeRef,
    options?: WriteOptions & { uid?: string | undefined; propagation?: 'Background' | 'Foreground' | 'Orphan' },
  ): Promise<boolean>
  /**
   * Changes from `resourceVersion` on, or the present objects as ADDED and then changes. Ends when the API server
   * ends it; throws watchExpired when the version is too old, clusterUnreachable when it falls silent for 90 s.
   */
  watch(
    selection: Selection & { resourceVersion?: string },
    options?: { signal?: AbortSignal; quietSeconds?: number },
  ): AsyncGenerator<WatchEvent>
  /** The bytes as they come; reading slowly slows the source. Throws rejectedByCluster while there is no log. */
  logs(request: LogsRequest): Promise<Readable>
  /** A command in a container. Throws rejectedByCluster when it cannot be started there. */
  exec(request: ExecRequest): Promise<Exec>
  /** A request as somebody wrote it, with our credentials and nothing of theirs. Refusals are answers, too. */
  native(request: NativeRequest): Promise<NativeAnswer>
  /** A WebSocket of the API server: exec, attach. Throws when it does not accept it. */
  nativeSocket(request: { path: string; query: string; protocol: string; signal: AbortSignal }): Promise<NativeSocket>
  /** An upgraded connection of the API server as bytes: port-forward, SPDY. Throws when it does not accept it. */
  nativeTunnel(request: TunnelRequest): Promise<NativeTunnel>
  /** The API server's version, as /version says it. */
  version(options?: CallOptions): Promise<{ gitVersion: string; platform: string }>
  /** The API server's own checks and how long they took. Never throws: what fails is in the answer. */
  health(options?: CallOptions): Promise<ClusterHealth>
  /** What a node's kubelet measures of itself and its pods (stats/summary). */
  nodeStats(node: string, options?: CallOptions): Promise<unknown>
  /** Any path of the API server as text or parsed JSON, for what has no call of its own. */
  raw(path: string, options?: CallOptions): Promise<unknown>
  /** How the API server calls a kind; undefined when it has no such kind. */
  resource(apiVersion: string, kind: string): Promise<Resource | undefined>
  /** Everything that it serves, as RBAC names it. */
  served(options?: CallOptions): Promise<ServedResource[]>
  /** Ends all connections, also of those that it is used as. Of one that it is used as: does nothing. */
  close(): Promise<void>
}
