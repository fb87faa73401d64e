import { once } from 'node:events'
import type { KubeObject, Subject } from '@quarterdeck/kernel'
import { type Mirror, openMirror, parseFilter, parseSort } from '@quarterdeck/mirror'
import { type Platform, type PlatformParts, startPlatform } from '@quarterdeck/testkit'
import { afterAll, beforeAll } from 'vitest'
import WebSocket from 'ws'
import { rolloutOf } from '../../features/application/application/rollout.rules.ts'
import { readDocuments } from '../../features/application/manifest/document.routes.ts'
import type { ObjectReader } from '../../features/cluster/access/access.contract.ts'
import {
  LiveFrame,
  type LiveRequest,
  listKinds,
  listObjects,
  type ObjectPage,
  watchObjects,
} from '../../features/cluster/object/object.contract.ts'
import { objectRoutes } from '../../features/cluster/object/object.routes.ts'
import { changeMaker } from '../../features/delivery/operation/change.routes.ts'
import { operationReconciler } from '../../features/delivery/operation/operation.reconciler.ts'
import { operationRoutes } from '../../features/delivery/operation/operation.routes.ts'

/** The platform of this test file, with a mirror of its API server under the names `test` and `twin`. */
export let platform: Platform
export let mirror: Mirror
/** Of this test file. */
export let namespace: string
/** Where the server listens. */
export let url: string

/** Whoever is called so sees only what is in this file's namespace. */
export const LIMITED = 'limited'

const silent = { info: () => undefined, warn: () => undefined }

/** Gives this test file its platform; with `nodes` controllers run and pods become ready. */
export function withMirror({ nodes = false }: { nodes?: boolean } = {}): void {
  beforeAll(async () => {
    platform = await startPlatform({ routes, reconcilers, cluster: { nodes } })
    namespace = await platform.namespace('mirror')
    url = await platform.server.listen(0)
    for (const name of ['test', 'twin']) mirror.watch({ name, kubeconfig: platform.kubeconfig, revision: '1' })
    await until(async () => {
      const { clusters } = await platform.client(listKinds)
      return clusters.length === 2 && clusters.every(({ state }) => state === 'live')
    })
  }, 60_000)
  afterAll(async () => {
    await mirror?.close()
    await platform?.close()
  })
}

const reconcilers = ({ db, clusters }: PlatformParts) => ({
  operation: operationReconciler({ db, clusterOf: clusters.get, rolloutOf, definitions: {} }),
})

function routes(server: Platform['server'], { db, clusters, store }: PlatformParts): void {
  mirror = openMirror({ log: silent })
  const clusterOf = (name: string) => clusters.get(name === 'twin' ? 'test' : name)
  const makeChange = changeMaker({ db, clusterOf, definitions: {} })
  const opened = () => ({ mirror, parseFilter, parseSort })
  objectRoutes(server, {
    opened,
    readerOf,
    clusterOf,
    clusterAs: (_subject, name) => clusterOf(name),
    makeChange,
    scopeOf: () => ({}),
    readYaml: (yaml) => readDocuments(yaml).map(({ value }) => value),
  })
  operationRoutes(server, {
    db,
    listen: store.listen,
    undo: makeChange.undo,
    definitions: {},
    environmentsWith: () => undefined,
  })
}

const readerOf = ({ name }: Subject): ObjectReader =>
  name === LIMITED
    ? {
        ...{ key: LIMITED, generation: 1, knows: () => true },
        may: (_resource, _cluster, at) => at === namespace,
        allows: (_verb, object) => object.namespace === namespace,
      }
    : { key: '*', generation: 0, may: () => true, knows: () => true, allows: () => true }

/** Waits until it is so; the test's own time limit ends the wait. */
export async function until(isSo: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 20))
}

/** Makes an object in this file's namespace. */
export async function make(kind: string, name: string, rest: Record<string, unknown> = {}, apiVersion = 'v1') {
  const { metadata = {}, ...others } = rest as { metadata?: object }
  const made = { apiVersion, kind, metadata: { name, namespace, ...metadata }, ...others }
  return (await platform.cluster.create(made as unknown as KubeObject)).object
}

/** A pod that nobody runs. */
export const makePod = (name: string, { labels = {}, spec = {} }: { labels?: object; spec?: object } = {}) =>
  make('Pod', name, { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'web:1' }], ...spec } })

type ListQuery = Record<string, string>

/** A list of this file's namespace on cluster `test`. */
export const list = (resource: string, query: ListQuery = {}): Promise<ObjectPage> =>
  platform.client(listObjects, { params: { resource }, query: { cluster: 'test', namespace, ...query } })

/** A column of each row. */
export const cells = ({ columns, rows }: ObjectPage, column: string) =>
  rows.map(({ values }) => values[columns.indexOf(column)])

/** Names on the page. */
export const names = (page: ObjectPage) => cells(page, 'name') as string[]

/** The list once it has so many rows. */
export async function listOf(total: number, resource: string, query: ListQuery = {}): Promise<ObjectPage> {
  let page = await list(resource, query)
  await until(async () => {
    page = await list(resource, query)
    return page.total === total
  })
  return page
}

/** A live socket, as a browser has it. */
export interface LiveSocket {
  readonly socket: WebSocket
  /** All that came so far. */
  readonly frames: LiveFrame[]
  send(request: LiveRequest | object | string | Uint8Array): void
  /** The first frame that fits, of those that came or will. */
  frame<T extends LiveFrame['type']>(
    type: T,
    fits?: (frame: Extract<LiveFrame, { type: T }>) => boolean,
  ): Promise<Extract<LiveFrame, { type: T }>>
}

export async function live(token = 'tester'): Promise<LiveSocket> {
  const at = platform.client.socketUrl(watchObjects, {}).replace(/^ws:\/\/[^/]+/, url.replace('http', 'ws'))
  const socket = new WebSocket(at, { headers: { authorization: `Bearer ${token}` } })
  const frames: LiveFrame[] = []
  socket.on('message', (bytes) => frames.push(LiveFrame.parse(JSON.parse(String(bytes)))))
  await once(socket, 'open')
  return {
    socket,
    frames,
    send: (request) =>
      socket.send(typeof request === 'string' || request instanceof Uint8Array ? request : JSON.stringify(request)),
    async frame(type, fits = () => true) {
      const find = () => frames.find((frame) => frame.type === type && fits(frame as never))
      await until(() => find() !== undefined)
      return find() as never
    },
  }
}
