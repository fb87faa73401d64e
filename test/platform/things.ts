import { setTimeout as sleep } from 'node:timers/promises'
import { bind } from '@quarterdeck/http'
import { type KubeObject, Name } from '@quarterdeck/kernel'
import type { Cluster } from '@quarterdeck/kube'
import { type Platform, startPlatform } from '@quarterdeck/testkit'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import { z } from 'zod'
import { rolloutOf } from '../../features/application/application/rollout.rules.ts'
import { changeMaker } from '../../features/delivery/operation/change.routes.ts'
import {
  changeEndpoint,
  getOperation,
  type Operation,
  type Plan,
  undoOperation,
} from '../../features/delivery/operation/operation.contract.ts'
import { operationReconciler } from '../../features/delivery/operation/operation.reconciler.ts'
import { operationRoutes } from '../../features/delivery/operation/operation.routes.ts'
import { listAudit } from '../../features/delivery/operation/operation.store.ts'

/** A change of a ConfigMap, or of a Deployment with a Service where it is asked for, as any feature may ask for one. */
const changeThing = changeEndpoint({
  id: 'thing.change',
  method: 'PUT',
  path: '/things/:namespace/:name',
  permission: 'thing.change',
  summary: 'Change a thing',
  params: z.object({ namespace: Name, name: Name }),
  body: z.object({
    values: z.record(z.string(), z.string()).optional(),
    replicas: z.int().optional(),
    service: z.boolean().default(false),
    remove: z.boolean().default(false),
    deadlineSeconds: z.int().optional(),
  }),
})

/** Stands between the reconciler and the world; a test sets it to make calls fail or time pass. */
export const between: {
  broken: Partial<Cluster>
  connecting?: (() => Promise<Cluster>) | undefined
  now?: (() => Date) | undefined
} = { broken: {} }

/** The platform of this test file. */
export let platform: Platform
/** Of this test alone. */
export let namespace: string

const applied = new Map<string, KubeObject[]>()

/** Gives this test file its platform, and each test its namespace. */
export function withThings(): void {
  beforeAll(async () => {
    platform = await startThings()
    // The first look at all keys is over, so that it does not cut a test's pause short.
    await platform.settle()
  }, 60_000)
  afterAll(() => platform?.close())
  beforeEach(async () => {
    namespace = await platform.namespace('op')
  })
  afterEach(() => {
    delete process.env.QUARTERDECK_FAILPOINT
    between.broken = {}
    between.connecting = undefined
    between.now = undefined
  })
}

const startThings = () =>
  startPlatform({
    routes(server, { db, store, clusters }) {
      const makeChange = changeMaker({ db, clusterOf: (name) => clusters.get(name), definitions: {} })
      operationRoutes(server, {
        db,
        listen: (channel, fn) => store.listen(channel, fn),
        undo: makeChange.undo,
        definitions: {},
        environmentsWith: () => undefined,
      })
      bind(server, changeThing, ({ params, query, body, subject, idempotencyKey }) =>
        makeChange({ endpoint: changeThing.id, subject, params, query, body, idempotencyKey }, async () => {
          const key = `${params.namespace}/${params.name}`
          const before = applied.get(key) ?? []
          const desired = body.remove ? [] : manifestsOf(params, body)
          if (!query.dryRun) applied.set(key, desired)
          return {
            type: changeThing.id,
            summary: `Change ${params.name}`,
            target: { cluster: 'test', namespace: params.namespace, what: `thing/${params.name}` },
            desired,
            removed: body.remove
              ? before.map(({ apiVersion, kind, metadata }) => ({
                  apiVersion,
                  kind,
                  name: metadata.name,
                  namespace: params.namespace,
                }))
              : [],
            before,
            ...(body.deadlineSeconds === undefined ? {} : { deadlineSeconds: body.deadlineSeconds }),
          }
        }),
      )
    },
    reconcilers: ({ db, clusters }) => ({
      operation: operationReconciler({
        db,
        async clusterOf(name) {
          const cluster = await (between.connecting?.() ?? clusters.get(name))
          return new Proxy(cluster, {
            get: (target, member) => Reflect.get(member in between.broken ? between.broken : target, member),
          })
        },
        rolloutOf,
        definitions: {},
        now: () => between.now?.() ?? new Date(),
      }),
    }),
  })

const manifestsOf = (params: { namespace: string; name: string }, body: z.output<typeof changeThing.body>) =>
  body.service ? [serviceOf(params), manifest(params, body)] : [manifest(params, body)]

const serviceOf = ({ namespace, name }: { namespace: string; name: string }): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace },
  spec: { selector: { app: name }, ports: [{ port: 80 }] },
})

function manifest(
  { namespace, name }: { namespace: string; name: string },
  body: { values?: Record<string, string>; replicas?: number },
): KubeObject {
  if (body.replicas === undefined)
    return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data: body.values ?? {} }
  const labels = { app: name }
  const template = { metadata: { labels }, spec: { containers: [{ name, image: 'hello:1' }] } }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: { replicas: body.replicas, selector: { matchLabels: labels }, template },
  }
}

type Body = z.input<typeof changeThing.body>
/** Asks for a change of the thing of this name. */
export const change = (name: string, body: Body, query: object = {}, key?: string) =>
  platform.client(changeThing, { params: { namespace, name }, query, body }, key ? { idempotencyKey: key } : {})
/** An operation as it is now. */
export const get = (id: string) => platform.client(getOperation, { params: { operation: id } })

/** Waits for its end. */
export async function ended(answer: Operation | Plan): Promise<Operation> {
  if (answer.kind !== 'Operation') throw new Error('a plan was answered')
  for (;;) {
    const operation = await get(answer.id)
    if (operation.endTime) return operation
    await sleep(10)
  }
}
/** For what cannot be a plan. */
export const accepted = (answer: Operation | Plan): Operation => {
  if (answer.kind !== 'Operation') throw new Error('a plan was answered')
  return answer
}
/** Asks to take an operation back. */
export const undoOf = (operation: Operation, query: object = {}) =>
  platform.client(undoOperation, { params: { operation: operation.id }, query })
/** As the cluster has it. */
export const configMap = (name: string) =>
  platform.cluster.get({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name })
/** Where the Deployment of this name is. */
export const deployment = (name: string) => ({ apiVersion: 'apps/v1', kind: 'Deployment', namespace, name })
/** Of its records in the audit trail, oldest first. */
export const outcomes = async (id: string) => (await listAudit(platform.db, id)).map(({ outcome }) => outcome)
/** The status of a Deployment that is all there. */
export const counters = (generation: number, pods: number) => ({
  observedGeneration: generation,
  replicas: pods,
  updatedReplicas: pods,
  readyReplicas: pods,
  availableReplicas: pods,
})
/** What a controller would write. */
export const setStatus = (name: string, status: object) =>
  platform.cluster.patch(deployment(name), { status }, { subresource: 'status' })
