import { setTimeout as sleep } from 'node:timers/promises'
import { bind } from '@quarterdeck/http'
import { clusterForbidden, clusterUnreachable, type KubeObject, Name } from '@quarterdeck/kernel'
import { type Cluster, invalidKubeconfig } from '@quarterdeck/kube'
import { type Platform, startPlatform } from '@quarterdeck/testkit'
import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { rolloutOf } from '../../application/application/rollout.rules.ts'
import { changeMaker } from './change.routes.ts'
import { operationFailpoints } from './failpoints.rules.ts'
import {
  changeEndpoint,
  getOperation,
  listOperations,
  type Operation,
  type Plan,
  undoOperation,
  watchOperation,
} from './operation.contract.ts'
import { operationReconciler } from './operation.reconciler.ts'
import { operationRoutes } from './operation.routes.ts'
import { findBrokenAudit, listAudit } from './operation.store.ts'

/** A change of ConfigMaps and Deployments, as any feature may ask for one. */
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
    remove: z.boolean().default(false),
    deadlineSeconds: z.int().optional(),
  }),
})

let platform: Platform
/** Stands between the reconciler and the cluster; a test replaces calls to make them fail. */
let broken: Partial<Cluster> = {}
let connecting: (() => Promise<Cluster>) | undefined
let now: (() => Date) | undefined
const applied = new Map<string, KubeObject[]>()

beforeAll(async () => {
  platform = await startPlatform({
    routes(server, { db, store, clusters }) {
      const makeChange = changeMaker({ db, clusterOf: (name) => clusters.get(name), definitions: {} })
      operationRoutes(server, {
        db,
        listen: (channel, fn) => store.listen(channel, fn),
        undo: makeChange.undo,
        definitions: {},
      })
      bind(server, changeThing, ({ params, query, body, subject, idempotencyKey }) =>
        makeChange({ endpoint: changeThing.id, subject, params, query, body, idempotencyKey }, async () => {
          const key = `${params.namespace}/${params.name}`
          const before = applied.get(key) ?? []
          const desired = body.remove ? [] : [manifest(params, body)]
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
          const cluster = await (connecting?.() ?? clusters.get(name))
          return new Proxy(cluster, {
            get: (target, member) => Reflect.get(member in broken ? broken : target, member),
          })
        },
        rolloutOf,
        definitions: {},
        now: () => now?.() ?? new Date(),
      }),
    }),
  })
}, 60_000)
afterAll(() => platform?.close())

let namespace: string
beforeEach(async () => {
  namespace = await platform.namespace('op')
})
afterEach(async () => {
  delete process.env.QUARTERDECK_FAILPOINT
  broken = {}
  connecting = undefined
  now = undefined
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
const change = (name: string, body: Body, query: object = {}, key?: string) =>
  platform.client(changeThing, { params: { namespace, name }, query, body }, key ? { idempotencyKey: key } : {})
const get = (id: string) => platform.client(getOperation, { params: { operation: id } })

async function ended(answer: Operation | Plan): Promise<Operation> {
  if (answer.kind !== 'Operation') throw new Error('a plan was answered')
  for (;;) {
    const operation = await get(answer.id)
    if (operation.endTime) return operation
    await sleep(10)
  }
}
const accepted = (answer: Operation | Plan): Operation => {
  if (answer.kind !== 'Operation') throw new Error('a plan was answered')
  return answer
}
const configMap = (name: string) => platform.cluster.get({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name })
const deployment = (name: string) => ({ apiVersion: 'apps/v1', kind: 'Deployment', namespace, name })
const outcomes = async (id: string) => (await listAudit(platform.db, id)).map(({ outcome }) => outcome)
const counters = (generation: number, pods: number) => ({
  observedGeneration: generation,
  replicas: pods,
  updatedReplicas: pods,
  readyReplicas: pods,
  availableReplicas: pods,
})
const setStatus = (name: string, status: object) =>
  platform.cluster.patch(deployment(name), { status }, { subresource: 'status' })

test('a change is accepted, carried out and recorded as intent and result', async () => {
  const operation = await ended(await change('one', { values: { a: '1' } }, { reason: 'because' }))
  expect(operation).toMatchObject({ state: 'Succeeded', actor: 'tester', reason: 'because', undoable: true })
  expect((await configMap('one'))?.data).toEqual({ a: '1' })
  expect(await outcomes(operation.id)).toEqual(['intent', 'succeeded'])
  expect(operation.plan.changes[0]).toMatchObject({ action: 'create', fields: [{ path: 'data.a', after: '1' }] })
})

test('the audit trail cannot be altered, and where somebody does it all the same, it shows', async () => {
  const made = await Promise.all(['a', 'b', 'c', 'd'].map((name) => change(name, {})))
  for (const one of made) await ended(one)
  expect(await findBrokenAudit(platform.db)).toBeUndefined()
  const trail = platform.db.withTables<{ audit_event: { actor: string; sequence: number } }>()
  await expect(trail.updateTable('audit_event').set({ actor: 'nobody' }).execute()).rejects.toThrow('append-only')
  await expect(trail.deleteFrom('audit_event').execute()).rejects.toThrow('append-only')
  const forge = (statement: ReturnType<typeof sql>) =>
    platform.db.connection().execute(async (session) => {
      await sql`set session_replication_role = replica`.execute(session)
      await statement.execute(session)
      await sql`set session_replication_role = origin`.execute(session)
    })
  await forge(sql`update audit_event set actor = 'nobody' where sequence = 3`)
  expect(await findBrokenAudit(platform.db)).toBe(3)
  await forge(sql`update audit_event set actor = 'tester' where sequence = 3`)
  expect(await findBrokenAudit(platform.db)).toBeUndefined()
  await forge(sql`delete from audit_event where sequence = 2`)
  expect(await findBrokenAudit(platform.db)).toBe(3)
  await platform.reset()
})

test('the same key and request is one operation however often and at once it is sent; another request is refused', async () => {
  const key = `key-${namespace}`
  const answers = await Promise.all(Array.from({ length: 8 }, () => change('one', { values: { a: '1' } }, {}, key)))
  const ids = new Set(answers.map((answer) => accepted(answer).id))
  expect(ids.size).toBe(1)
  const operation = await ended(answers[0] as Operation)
  expect(accepted(await change('one', { values: { a: '1' } }, {}, key)).id).toBe(operation.id)
  expect((await platform.writes(namespace)).filter(({ name }) => name === 'one')).toHaveLength(1)
  await expect(change('one', { values: { a: '2' } }, {}, key)).rejects.toMatchObject({
    body: { type: '/problems/idempotency-key-reused', status: 422 },
  })
})

test('keys are forgotten after a week and not before', async () => {
  const age = (key: string, interval: string) =>
    sql`update idempotency_key set "createTime" = now() - ${interval}::interval where key = ${key}`.execute(platform.db)
  for (const key of ['old', 'young']) await ended(await change(key, {}, {}, `${key}-${namespace}`))
  await age(`old-${namespace}`, '8 days')
  await age(`young-${namespace}`, '6 days')
  now = () => new Date(Date.now() + 2 * 3_600_000)
  await platform.resync()
  const { rows } = await sql<{
    key: string
  }>`select key from idempotency_key where key like ${`%${namespace}`}`.execute(platform.db)
  expect(rows).toEqual([{ key: `young-${namespace}` }])
})

test('again changes nothing: carrying out what is done writes to neither cluster nor database', async () => {
  const operation = await ended(await change('one', { values: { a: '1' } }))
  const writes = await platform.writes(namespace)
  await platform.resync()
  await platform.resync()
  expect(await platform.writes(namespace)).toEqual(writes)
  expect(await get(operation.id)).toEqual(operation)
  const again = await ended(await change('one', { values: { a: '1' } }))
  expect(again).toMatchObject({ state: 'Succeeded', plan: { changes: [{ action: 'unchanged', fields: [] }] } })
})

test('a lost hint is repaired', async () => {
  platform.loseHints()
  const operation = accepted(await change('one', { values: { a: '1' } }))
  await platform.settle()
  expect((await get(operation.id)).state).toBe('Accepted')
  await platform.resync()
  expect((await get(operation.id)).state).toBe('Succeeded')
  await platform.reset()
})

test('a process that dies between apply and result leaves nothing to do twice', async () => {
  process.env.QUARTERDECK_FAILPOINT = `operation.apply.after:throw`
  const operation = await ended(await change('one', { values: { a: '1' } }))
  expect(operation.state).toBe('Succeeded')
  expect((await platform.writes(namespace)).filter(({ name }) => name === 'one')).toHaveLength(1)
  expect(await outcomes(operation.id)).toEqual(['intent', 'succeeded'])
})

test.each(operationFailpoints.filter((name) => !name.startsWith('operation.accept')))(
  'a process that dies at %s leaves an operation that ends exactly once',
  async (name) => {
    await ended(await change('one', { values: { a: '1' } }))
    process.env.QUARTERDECK_FAILPOINT = `${name}:throw:1:${namespace}`
    const operation = name.includes('remove')
      ? await ended(await change('one', { remove: true }))
      : await ended(await change('one', { values: { a: '2' } }))
    expect(operation.state).toBe('Succeeded')
    expect((await configMap('one'))?.data).toEqual(name.includes('remove') ? undefined : { a: '2' })
    expect(await outcomes(operation.id)).toEqual(['intent', 'succeeded'])
  },
)

test('a reply that was lost leaves the operation Unknown until the cluster is asked what became of it', async () => {
  let lost = 0
  broken = {
    async apply(object, options) {
      const answer = await platform.cluster.apply(object, options)
      if (options?.dryRun || lost++ > 0) return answer
      throw clusterUnreachable({ detail: 'Cluster test: the connection was cut', ambiguous: true })
    },
  }
  const seen: string[] = []
  const operation = accepted(await change('one', { values: { a: '1' } }))
  for await (const { state } of platform.client.lines(watchOperation, { params: { operation: operation.id } }))
    seen.push(state)
  expect(seen.at(-1)).toBe('Succeeded')
  expect(seen).toContain('Unknown')
  expect((await get(operation.id)).conditions).toContainEqual(
    expect.objectContaining({ type: 'OutcomeKnown', status: 'True' }),
  )
  expect((await platform.writes(namespace)).filter(({ name }) => name === 'one')).toHaveLength(1)
})

test('an unreachable cluster makes an operation wait, say so, and go on when it answers', async () => {
  const down = () => Promise.reject(clusterUnreachable({ detail: 'Cluster test: nothing listens there.' }))
  broken = { apply: down, get: down }
  const operation = accepted(await change('one', { values: { a: '1' } }))
  await platform.settle()
  const waiting = await get(operation.id)
  expect(waiting.state).toBe('Running')
  expect(waiting.conditions).toContainEqual(
    expect.objectContaining({ type: 'ClusterReachable', status: 'False', reason: 'ClusterUnreachable' }),
  )
  broken = {}
  expect((await ended(operation)).conditions).toContainEqual(
    expect.objectContaining({ type: 'ClusterReachable', status: 'True' }),
  )
})

test('a cluster whose credentials no longer work is told, asked ever less often, and worked on when they do', async () => {
  connecting = () => Promise.reject(invalidKubeconfig({ detail: 'users[0].user.client-certificate-data: expired.' }))
  const operation = accepted(await change('one', { values: { a: '1' } }))
  const pauses = await platform.settle()
  expect((await get(operation.id)).conditions).toMatchObject([
    { type: 'ClusterReachable', status: 'False', message: expect.stringContaining('expired') },
  ])
  now = () => new Date(Date.now() + 40_000)
  pauses.push(...(await platform.resync()))
  expect(pauses[0]).toBe(1)
  expect(pauses.at(-1)).toBeGreaterThan(9)
  connecting = undefined
  const refused = clusterForbidden({ detail: 'Cluster test does not accept the credentials.', credentials: 'refused' })
  broken = { apply: () => Promise.reject(refused), get: () => Promise.reject(refused) }
  await platform.resync()
  expect(await get(operation.id)).toMatchObject({ state: 'Running', conditions: [{ reason: 'ClusterRefuses' }] })
  broken = {}
  now = undefined
  await platform.resync()
  expect((await ended(operation)).state).toBe('Succeeded')
})

test('a cluster that refuses even to be read ends an operation that has changed nothing, and no other', async () => {
  const refuse = () => Promise.reject(clusterForbidden({ detail: 'Cluster test: the token has expired.' }))
  broken = { get: refuse }
  process.env.QUARTERDECK_FAILPOINT = `operation.apply.before:throw:1:${namespace}-refused`
  const first = await ended(await change('one', { values: { a: '1' } }))
  expect(first).toMatchObject({ state: 'Failed', undoable: false, conditions: [{ reason: 'ClusterForbidden' }] })
  expect(first.conditions[0]?.message).toMatch(/the token has expired.*Nothing was changed/)
  const second = accepted(await change('web', { replicas: 1 }))
  while (!(await get(second.id)).conditions.length) await sleep(10)
  expect(await get(second.id)).toMatchObject({ state: 'Running', conditions: [{ type: 'ClusterReachable' }] })
})

test('a newer operation of the same target overtakes one that waits, and both end once', async () => {
  const first = accepted(await change('web', { replicas: 1 }))
  await platform.settle()
  expect((await get(first.id)).state).toBe('Running')
  const second = accepted(await change('web', { replicas: 2 }))
  const overtaken = await ended(first)
  expect(overtaken).toMatchObject({
    state: 'Failed',
    conditions: [{ type: 'Succeeded', status: 'False', reason: 'Superseded' }],
  })
  expect(overtaken.conditions[0]?.message).toContain(second.id)
  await platform.settle()
  await setStatus('web', counters(2, 2))
  expect((await ended(second)).state).toBe('Succeeded')
  expect(await outcomes(first.id)).toEqual(['intent', 'failed'])
})

const undoOf = (operation: Operation, query: object = {}) =>
  platform.client(undoOperation, { params: { operation: operation.id }, query })

test('a delete or an undo takes away what an operation makes that had not got to it when it was planned', async () => {
  process.env.QUARTERDECK_FAILPOINT = 'operation.apply.before:delay:1500'
  accepted(await change('one', { values: { a: '1' } }))
  const removed = accepted(await change('one', { remove: true }))
  expect(removed.plan.changes).toMatchObject([{ action: 'unchanged' }])
  const first = await ended(removed)
  expect(first).toMatchObject({ state: 'Succeeded', conditions: [{ message: 'Done.' }] })
  expect(await configMap('one')).toBeUndefined()
  const undone = await ended(await undoOf(accepted(await change('two', { values: { a: '1' } }))))
  expect(undone.state).toBe('Succeeded')
  expect(await configMap('two')).toBeUndefined()
})

test('a delete takes away what was made between its plan and its acceptance', async () => {
  platform.loseHints()
  accepted(await change('one', { values: { a: '1' } }))
  process.env.QUARTERDECK_FAILPOINT = 'operation.accept.before-commit:delay:1500'
  const removing = change('one', { remove: true })
  await sleep(700)
  await platform.resync()
  expect(await configMap('one')).toBeDefined()
  const removed = accepted(await removing)
  await platform.resync()
  expect((await get(removed.id)).state).toBe('Succeeded')
  expect(await configMap('one')).toBeUndefined()
  await platform.reset()
})

test('an undo that failed does not stand in the way of undoing again, one that runs or succeeded does', async () => {
  const operation = accepted(await change('web', { replicas: 1, deadlineSeconds: 60 }))
  await platform.settle()
  await setStatus('web', counters(1, 1))
  await ended(operation)
  const changed = accepted(await change('web', { replicas: 2, deadlineSeconds: 60 }))
  await platform.settle()
  await setStatus('web', counters(2, 2))
  await ended(changed)
  const undo = accepted(await undoOf(changed))
  await platform.settle()
  await expect(undoOf(changed)).rejects.toMatchObject({ body: { type: '/problems/not-undoable' } })
  now = () => new Date(Date.now() + 61_000)
  await platform.resync()
  now = undefined
  expect((await get(undo.id)).state).toBe('Failed')
  expect(await get(changed.id)).toMatchObject({ undoable: true })
  const again = accepted(await undoOf(changed))
  await platform.settle()
  await setStatus('web', counters(3, 1))
  expect((await ended(again)).state).toBe('Succeeded')
  expect(await get(changed.id)).toMatchObject({ undoable: false, undoneBy: again.id })
})

test('of several undos of one operation at the same moment one is accepted', async () => {
  const operation = await ended(await change('one', { values: { a: '1' } }))
  process.env.QUARTERDECK_FAILPOINT = 'operation.accept.before-commit:delay:300'
  const undos = await Promise.allSettled([1, 2, 3, 4].map(() => undoOf(operation)))
  expect(undos.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  for (const undo of undos)
    if (undo.status === 'rejected') expect(undo.reason).toMatchObject({ body: { type: '/problems/not-undoable' } })
})

test('an operation that is overtaken before its answers were written down stays undoable', async () => {
  // Applied, and then it can neither look nor write.
  process.env.QUARTERDECK_FAILPOINT = `operation.apply.after:throw:1:${namespace}-doubt`
  broken = { get: () => Promise.reject(new Error('the process dies again')) }
  const first = accepted(await change('one', { values: { a: '1' } }))
  while (!(await configMap('one'))) await sleep(5)
  const second = accepted(await change('one', { values: { a: '2' } }))
  const overtaken = await ended(first)
  expect(overtaken).toMatchObject({ state: 'Failed', undoable: true })
  expect(overtaken.conditions).toContainEqual(expect.objectContaining({ type: 'OutcomeKnown', status: 'Unknown' }))
  broken = {}
  await ended(second)
  await ended(await undoOf(first))
  expect(await configMap('one')).toBeUndefined()
})

test('[DEL-18] the wait for a workload is told as it goes, and ends as soon as it is available', async () => {
  const operation = accepted(await change('web', { replicas: 2 }))
  const messages: string[] = []
  const watching = (async () => {
    for await (const { steps } of platform.client.lines(watchOperation, { params: { operation: operation.id } })) {
      messages.push(steps.find(({ name }) => name.startsWith('Wait'))?.message ?? '')
    }
  })()
  await platform.settle()
  await setStatus('web', {
    observedGeneration: 1,
    replicas: 2,
    updatedReplicas: 2,
    readyReplicas: 1,
    availableReplicas: 1,
  })
  while (!messages.includes('1 of 2 pods is ready.')) await sleep(5)
  await setStatus('web', counters(1, 2))
  await watching
  expect(messages.at(-1)).toBe('All 2 pods are ready.')
  expect((await get(operation.id)).state).toBe('Succeeded')
})

test('a workload that comes no nearer for its deadline fails with the reason that a pod gives', async () => {
  const operation = accepted(await change('web', { replicas: 1, deadlineSeconds: 60 }))
  await platform.settle()
  const container = { name: 'web', image: 'nowhere/hello:9', imageID: '', ready: false, restartCount: 0 }
  const waiting = { reason: 'ImagePullBackOff', message: 'Back-off pulling image "nowhere/hello:9": not found' }
  await platform.cluster.create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web-1', namespace, labels: { app: 'web' } },
    spec: { containers: [{ name: 'web', image: 'nowhere/hello:9' }] },
  })
  await platform.cluster.patch(
    { apiVersion: 'v1', kind: 'Pod', namespace, name: 'web-1' },
    { status: { containerStatuses: [{ ...container, state: { waiting } }] } },
    { subresource: 'status' },
  )
  await setStatus('web', { observedGeneration: 1, replicas: 1, updatedReplicas: 1 })
  const message = async () => (await get(operation.id)).steps.at(-1)?.message
  while (!(await message())?.includes('cannot be pulled')) await sleep(20)
  expect((await get(operation.id)).state).toBe('Running')
  now = () => new Date(Date.now() + 61_000)
  await platform.resync()
  const failed = await get(operation.id)
  expect(failed).toMatchObject({ state: 'Failed', conditions: [{ reason: 'ProgressDeadlineExceeded' }] })
  expect(failed.conditions[0]?.message).toContain(
    'The image nowhere/hello:9 cannot be pulled: the registry has no such image',
  )
  expect(failed.undoable).toBe(true)
})

test('a rollout that the cluster had given up before does not fail the operation that comes after it', async () => {
  const gaveUp = (lastUpdateTime: string) => ({
    conditions: [
      { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', lastUpdateTime, message: '' },
    ],
  })
  const failing = accepted(await change('web', { replicas: 1 }))
  await platform.settle()
  await setStatus('web', { observedGeneration: 1, replicas: 1, updatedReplicas: 1, ...gaveUp('2026-11-21T10:00:00Z') })
  const failed = await ended(failing)
  expect(failed).toMatchObject({ state: 'Failed', conditions: [{ reason: 'ProgressDeadlineExceeded' }] })
  const next = accepted(await change('web', { replicas: 2 }))
  await platform.settle()
  await setStatus('web', { observedGeneration: 2, replicas: 1 })
  await platform.settle()
  expect((await get(next.id)).state).toBe('Running')
  await setStatus('web', counters(2, 2))
  expect((await ended(next)).state).toBe('Succeeded')
  const third = accepted(await change('web', { replicas: 3 }))
  await platform.settle()
  await setStatus('web', { ...counters(3, 2), ...gaveUp('2026-11-21T11:00:00Z') })
  expect((await ended(third)).state).toBe('Failed')
})

test('what the cluster refuses after the plan ends the operation with cause, consequence and what to do', async () => {
  platform.loseHints()
  const operation = accepted(await change('one', { values: { a: '1' } }))
  await platform.cluster.apply(
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'one', namespace }, data: { a: '9' } },
    { fieldManager: 'kubectl' },
  )
  await platform.resync()
  const failed = await get(operation.id)
  expect(failed).toMatchObject({ state: 'Failed', undoable: false, conditions: [{ reason: 'FieldsManagedElsewhere' }] })
  expect(failed.conditions[0]?.message).toMatch(/\.data\.a by kubectl.*Nothing was changed\..*Plan it again/)
  expect((await configMap('one'))?.data).toEqual({ a: '9' })
  await platform.reset()
})

test('undo shows what others have changed since and takes it over only when forced', async () => {
  await ended(await change('one', { values: { a: '1' } }))
  const operation = await ended(await change('one', { values: { a: '2' } }))
  await platform.cluster.apply(
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'one', namespace }, data: { a: '3' } },
    { fieldManager: 'kubectl', force: true },
  )
  const undo = (query: object) => platform.client(undoOperation, { params: { operation: operation.id }, query })
  const plan = await undo({ dryRun: true })
  expect(plan.kind === 'Plan' && plan.changes[0]).toMatchObject({
    fields: [{ path: 'data.a', before: '3', after: '1' }],
    conflicts: [{ manager: 'kubectl', field: '.data.a' }],
  })
  await expect(undo({})).rejects.toMatchObject({ body: { type: '/problems/fields-managed-elsewhere', status: 409 } })
  expect((await ended(await undo({ force: true }))).state).toBe('Succeeded')
  expect((await configMap('one'))?.data).toEqual({ a: '1' })
})

test('undo of a creation leaves alone what somebody else has made anew under the name', async () => {
  const operation = await ended(await change('one', { values: { a: '1' } }))
  await platform.cluster.remove({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'one' })
  await platform.cluster.create({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'one', namespace },
    data: { theirs: 'yes' },
  })
  const undo = await ended(await platform.client(undoOperation, { params: { operation: operation.id }, query: {} }))
  expect(undo).toMatchObject({ state: 'Succeeded', plan: { changes: [{ action: 'unchanged' }] } })
  expect((await configMap('one'))?.data).toEqual({ theirs: 'yes' })
})

test('operations are listed newest first, page by page, and filtered by state', async () => {
  const made: string[] = []
  for (const value of ['1', '2', '3']) made.push((await ended(await change('one', { values: { value } }))).id)
  const pages: string[] = []
  let next: string | undefined
  do {
    const page = await platform.client(listOperations, { query: { limit: 2, ...(next ? { continue: next } : {}) } })
    pages.push(...page.items.map(({ id }) => id))
    next = page.continue
  } while (next && pages.length < 200)
  expect(pages.filter((id) => made.includes(id))).toEqual(made.toReversed())
  const running = await platform.client(listOperations, { query: { running: true } })
  expect(running.items.filter(({ id }) => made.includes(id))).toEqual([])
  await expect(platform.client(listOperations, { query: { continue: 'x' } })).rejects.toMatchObject({
    body: { status: 400 },
  })
  await expect(get('00000000-0000-4000-8000-000000000000')).rejects.toMatchObject({ body: { status: 404 } })
})

test('who may only look can neither change nor undo', async () => {
  const operation = await ended(await change('one', {}))
  const viewer = platform.as({ name: 'viewer', permissions: ['operation.list'] })
  expect((await viewer(getOperation, { params: { operation: operation.id } })).id).toBe(operation.id)
  await expect(viewer(undoOperation, { params: { operation: operation.id }, query: {} })).rejects.toMatchObject({
    body: { permission: 'operation.undo' },
  })
})
