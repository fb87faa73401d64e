import { isProblem, type KubeObject, type KubeRef, notFound, refText } from '@quarterdeck/kernel'
import { z } from 'zod'
import type { Applied, CallOptions, Cluster, KubeList, LogsRequest, Selection, WriteOptions } from './cluster.ts'
import { type Answer, type Call, type Connection, connect, failureOf } from './connection.ts'
import { execInPod } from './exec.ts'
import { healthOf } from './health.ts'
import { identityHeaders } from './impersonation.ts'
import { type KubeconfigOptions, parseKubeconfig } from './kubeconfig.ts'
import { type NativeRequest, openNative, sendNative } from './native.ts'
import { groupPath, type Resource, type Resources, resourcesOf } from './resources.ts'
import { servedResources } from './served.ts'
import { openTunnel, type TunnelRequest } from './tunnel.ts'
import { watchEvents } from './watch.ts'

const PAGE_SIZE = 500
const WATCH_QUIET_SECONDS = 90 // a bookmark comes about every minute

const List = z.looseObject({
  metadata: z.looseObject({
    resourceVersion: z.string().default(''),
    continue: z.string().optional(),
    remainingItemCount: z.number().optional(),
  }),
  items: z.array(z.looseObject({})).nullable(),
})
const Version = z.looseObject({ gitVersion: z.string(), platform: z.string().default('') })

/**
 * A cluster by its kubeconfig. Opens no connection yet, so it answers at once; throws invalidKubeconfig.
 * `name` is what sentences call it.
 */
export function connectCluster({
  name,
  kubeconfig,
  ...options
}: { name: string; kubeconfig: string } & KubeconfigOptions): Cluster {
  const parsed = parseKubeconfig(kubeconfig, options)
  const connection = connect(name, parsed)
  return clusterOver({ name, warnings: parsed.warnings, registered: connection, resources: resourcesOf(connection) })
}

/** One cluster, whoever asks it. What kinds it has is the same for everybody. */
interface Known {
  name: string
  warnings: readonly string[]
  registered: Connection
  resources: Resources
}

function clusterOver(known: Known, connection = known.registered): Cluster {
  const { name, warnings, registered, resources } = known
  return {
    name,
    server: connection.server,
    warnings,
    as: (identity) => clusterOver(known, registered.as(identityHeaders(identity))),
    ...reading(connection, resources),
    ...writing(connection, resources),
    ...removing(connection, resources),
    ...streaming(connection, resources),
    resource: (apiVersion, kind) => resources.find(apiVersion, kind),
    served: (options = {}) => servedResources(connection, options.signal),
    close: () => connection.close(),
  }
}

function reading(connection: Connection, resources: Resources) {
  async function list(
    selection: Selection & { limit?: number; continue?: string | undefined },
    options: CallOptions = {},
  ): Promise<KubeList> {
    const resource = await resources.get(selection.apiVersion, selection.kind)
    const answer = await connection.call({
      path: collectionPath(resource, selection.namespace),
      query: { ...selectorsOf(selection), limit: selection.limit ?? PAGE_SIZE, continue: selection.continue },
      verb: 'list',
      what: whatOf(resource, selection.namespace),
      ...options,
    })
    const { metadata, items } = List.parse(answer.body)
    const { apiVersion, kind } = selection
    return {
      items: (items ?? []).map((item) => ({ apiVersion, kind, ...item }) as unknown as KubeObject),
      resourceVersion: metadata.resourceVersion,
      ...(metadata.continue ? { continue: metadata.continue } : {}),
      ...(metadata.remainingItemCount === undefined ? {} : { remaining: metadata.remainingItemCount }),
    }
  }
  return {
    list,
    async *listAll(selection: Selection, options: CallOptions = {}) {
      let from: string | undefined
      do {
        const page = await list({ ...selection, continue: from }, options)
        yield* page.items
        from = page.continue
      } while (from)
    },
    async get(ref: KubeRef, options: CallOptions = {}) {
      const resource = await resources.get(ref.apiVersion, ref.kind)
      const call = { path: objectPath(resource, ref), verb: 'get', what: refText(ref), ...options }
      const answer = await unlessMissing(connection.call(call))
      return answer?.body as KubeObject | undefined
    },
    async version(options: CallOptions = {}) {
      const call = { path: '/version', verb: 'get', what: '/version', timeoutSeconds: 10, ...options }
      const parsed = Version.safeParse((await connection.call(call)).body)
      if (parsed.success) return parsed.data
      throw notFound({ detail: `${connection.server} answers, but is not a Kubernetes API server. Check the address.` })
    },
    health: (options: CallOptions = {}) => healthOf(connection, options.signal),
    async nodeStats(node: string, options: CallOptions = {}) {
      const path = `/api/v1/nodes/${encodeURIComponent(node)}/proxy/stats/summary`
      return (
        await connection.call({ path, verb: 'get', what: `stats of Node ${node}`, timeoutSeconds: 10, ...options })
      ).body
    },
    async raw(path: string, options: CallOptions = {}) {
      return (await connection.call({ path, accept: '*/*', verb: 'get', what: path, ...options })).body
    },
  }
}

function writing(connection: Connection, resources: Resources) {
  async function write(
    resource: Resource,
    options: WriteOptions,
    call: Pick<Call, 'method' | 'path' | 'verb' | 'what'> & Partial<Call>,
  ): Promise<Applied> {
    const { dryRun, fieldManager = 'quarterdeck', signal, timeoutSeconds } = options
    const answer = await connection.call({
      ...call,
      query: { ...call.query, fieldManager, fieldValidation: 'Strict', ...(dryRun ? { dryRun: 'All' } : {}) },
      signal,
      ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
    })
    const { apiVersion, kind } = resource
    return { object: { apiVersion, kind, ...(answer.body as object) } as KubeObject, warnings: answer.warnings }
  }
  return {
    async apply(object: KubeObject, { force, ...options }: WriteOptions & { force?: boolean } = {}) {
      const resource = await resources.get(object.apiVersion, object.kind)
      const { managedFields: _, ...metadata } = object.metadata
      return write(resource, options, {
        method: 'PATCH',
        path: objectPath(resource, object.metadata),
        query: { force: force ?? false },
        contentType: 'application/apply-patch+yaml',
        body: { ...object, metadata },
        verb: 'patch',
        what: `${object.kind} ${placeOf(object.metadata)}`,
      })
    },
    async create(object: KubeObject, options: WriteOptions = {}) {
      const resource = await resources.get(object.apiVersion, object.kind)
      return write(resource, options, {
        method: 'POST',
        path: collectionPath(resource, object.metadata?.namespace),
        body: object,
        verb: 'create',
        what: `${object.kind} ${placeOf(object.metadata ?? { name: '' })}`.trim(),
      })
    },
    async patch(
      ref: KubeRef,
      patch: object,
      { subresource, ...options }: WriteOptions & { subresource?: string } = {},
    ) {
      const resource = await resources.get(ref.apiVersion, ref.kind)
      return write(resource, options, {
        method: 'PATCH',
        path: `${objectPath(resource, ref)}${subresource ? `/${encodeURIComponent(subresource)}` : ''}`,
        contentType: 'application/merge-patch+json',
        body: patch,
        verb: 'patch',
        what: `${subresource ? `${subresource} of ` : ''}${refText(ref)}`,
      })
    },
  }
}

function removing(connection: Connection, resources: Resources): Pick<Cluster, 'remove' | 'evict'> {
  return {
    async evict({ namespace, name }, { dryRun, uid, ...options } = {}) {
      const pod = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}`
      await connection.call({
        method: 'POST',
        path: `${pod}/eviction`,
        query: dryRun ? { dryRun: 'All' } : {},
        body: {
          apiVersion: 'policy/v1',
          kind: 'Eviction',
          metadata: { namespace, name },
          deleteOptions: {
            ...(dryRun ? { dryRun: ['All'] } : {}),
            ...(uid ? { preconditions: { uid } } : {}),
          },
        },
        verb: 'evict',
        what: `Pod ${namespace}/${name}`,
        ...options,
      })
    },
    async remove(ref, options = {}) {
      const resource = await resources.find(ref.apiVersion, ref.kind)
      if (!resource) return false
      const answer = await unlessMissing(
        connection.call({
          method: 'DELETE',
          path: objectPath(resource, ref),
          query: options.dryRun ? { dryRun: 'All' } : {},
          // With a body the API server does not look at the query.
          body: {
            ...(options.dryRun ? { dryRun: ['All'] } : {}),
            propagationPolicy: options.propagation ?? 'Background',
            ...(options.uid ? { preconditions: { uid: options.uid } } : {}),
          },
          verb: 'delete',
          what: refText(ref),
          signal: options.signal,
          ...(options.timeoutSeconds === undefined ? {} : { timeoutSeconds: options.timeoutSeconds }),
        }),
      )
      return answer !== undefined
    },
  }
}

function streaming(connection: Connection, resources: Resources) {
  return {
    async *watch(
      selection: Selection & { resourceVersion?: string },
      { signal, quietSeconds = WATCH_QUIET_SECONDS }: { signal?: AbortSignal; quietSeconds?: number } = {},
    ) {
      const resource = await resources.get(selection.apiVersion, selection.kind)
      const what = whatOf(resource, selection.namespace)
      const body = await connection.stream({
        path: collectionPath(resource, selection.namespace),
        query: {
          ...selectorsOf(selection),
          watch: true,
          allowWatchBookmarks: true,
          resourceVersion: selection.resourceVersion,
        },
        verb: 'watch',
        what,
        quietSeconds,
        signal,
      })
      const attempt = {
        cluster: connection.cluster,
        server: connection.server,
        write: false,
        timeoutSeconds: quietSeconds,
      }
      try {
        yield* watchEvents(body, connection.cluster, what)
      } catch (error) {
        throw failureOf(error, attempt, signal)
      } finally {
        body.on('error', () => {}).destroy()
      }
    },
    logs: ({ namespace, pod, signal, ...query }: LogsRequest) =>
      connection.stream({
        path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/log`,
        query,
        accept: '*/*',
        verb: 'read the log of',
        what: `Pod ${namespace}/${pod}`,
        timeoutSeconds: 15,
        quietSeconds: query.follow ? 0 : 60,
        signal,
      }),
    exec: (request: Parameters<Cluster['exec']>[0]) => execInPod(connection, request),
    native: (request: NativeRequest) => sendNative(connection, request),
    nativeSocket: (request: Parameters<Cluster['nativeSocket']>[0]) => openNative(connection, request),
    nativeTunnel: (request: TunnelRequest) => openTunnel(connection, request),
  }
}

/** Undefined for 404. */
async function unlessMissing(answer: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await answer
  } catch (error) {
    if (isProblem(error, notFound)) return undefined
    throw error
  }
}

const selectorsOf = ({ labelSelector, fieldSelector }: Selection) => ({ labelSelector, fieldSelector })
const placeOf = ({ namespace, name }: { namespace?: string; name: string }) =>
  namespace ? `${namespace}/${name}` : name
const whatOf = ({ plural }: Resource, namespace: string | undefined) =>
  namespace ? `${plural} in ${namespace}` : plural

function collectionPath({ apiVersion, plural, namespaced }: Resource, namespace: string | undefined): string {
  const inside = namespaced && namespace ? `/namespaces/${encodeURIComponent(namespace)}` : ''
  return `${groupPath(apiVersion)}${inside}/${plural}`
}

function objectPath(resource: Resource, { namespace, name }: { namespace?: string | undefined; name: string }): string {
  if (name === '' || name === '.' || name === '..') throw notFound({ detail: `${resource.kind} needs a name` })
  if (resource.namespaced && !namespace) throw notFound({ detail: `${resource.kind} ${name} needs a namespace` })
  return `${collectionPath(resource, namespace)}/${encodeURIComponent(name)}`
}
