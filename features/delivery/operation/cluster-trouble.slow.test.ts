import { setTimeout as sleep } from 'node:timers/promises'
import { clusterForbidden, clusterUnreachable } from '@quarterdeck/kernel'
import { invalidKubeconfig } from '@quarterdeck/kube'
import { expect, test } from 'vitest'
import {
  accepted,
  between,
  change,
  ended,
  get,
  namespace,
  platform,
  withThings,
} from '../../../test/platform/things.ts'
import { watchOperation } from './operation.contract.ts'

withThings()

test('a reply that was lost leaves the operation Unknown until the cluster is asked what became of it', async () => {
  let lost = 0
  between.broken = {
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
  between.broken = { apply: down, get: down }
  const operation = accepted(await change('one', { values: { a: '1' } }))
  await platform.settle()
  const waiting = await get(operation.id)
  expect(waiting.state).toBe('Running')
  expect(waiting.conditions).toContainEqual(
    expect.objectContaining({ type: 'ClusterReachable', status: 'False', reason: 'ClusterUnreachable' }),
  )
  between.broken = {}
  expect((await ended(operation)).conditions).toContainEqual(
    expect.objectContaining({ type: 'ClusterReachable', status: 'True' }),
  )
})

test('a cluster whose credentials no longer work is told, asked ever less often, and worked on when they do', async () => {
  between.connecting = () =>
    Promise.reject(invalidKubeconfig({ detail: 'users[0].user.client-certificate-data: expired.' }))
  const operation = accepted(await change('one', { values: { a: '1' } }))
  const pauses = await platform.settle()
  expect((await get(operation.id)).conditions).toMatchObject([
    { type: 'ClusterReachable', status: 'False', message: expect.stringContaining('expired') },
  ])
  between.now = () => new Date(Date.now() + 40_000)
  pauses.push(...(await platform.resync()))
  expect(pauses[0]).toBe(1)
  expect(pauses.at(-1)).toBeGreaterThan(9)
  between.connecting = undefined
  const refused = clusterForbidden({ detail: 'Cluster test does not accept the credentials.', credentials: 'refused' })
  between.broken = { apply: () => Promise.reject(refused), get: () => Promise.reject(refused) }
  await platform.resync()
  expect(await get(operation.id)).toMatchObject({ state: 'Running', conditions: [{ reason: 'ClusterRefuses' }] })
  between.broken = {}
  between.now = undefined
  await platform.resync()
  expect((await ended(operation)).state).toBe('Succeeded')
})

test('a cluster that refuses even to be read ends an operation that has changed nothing, and no other', async () => {
  const refuse = () => Promise.reject(clusterForbidden({ detail: 'Cluster test: the token has expired.' }))
  between.broken = { get: refuse }
  process.env.QUARTERDECK_FAILPOINT = `operation.apply.before:throw:1:${namespace}-refused`
  const first = await ended(await change('one', { values: { a: '1' } }))
  expect(first).toMatchObject({ state: 'Failed', undoable: false, conditions: [{ reason: 'ClusterForbidden' }] })
  expect(first.conditions[0]?.message).toMatch(/the token has expired.*Nothing was changed/)
  const second = accepted(await change('web', { replicas: 1 }))
  while (!(await get(second.id)).conditions.length) await sleep(10)
  expect(await get(second.id)).toMatchObject({ state: 'Running', conditions: [{ type: 'ClusterReachable' }] })
})

test('an API server that does not know a role yet is asked again; one that never learns of it ends the operation', async () => {
  const unknownRole = clusterForbidden({
    detail: 'Cluster test does not allow you to get it: RBAC: role.rbac.authorization.k8s.io "x" not found.',
  })
  between.broken = { apply: () => Promise.reject(unknownRole), get: () => Promise.reject(unknownRole) }
  const soon = accepted(await change('one', { values: { a: '1' } }))
  await platform.settle()
  expect(await get(soon.id)).toMatchObject({ state: 'Running' })
  expect((await get(soon.id)).conditions).toContainEqual(
    expect.objectContaining({ type: 'RightsKnown', status: 'False' }),
  )
  between.broken = {}
  const done = await ended(soon)
  expect(done.state).toBe('Succeeded')
  expect(done.conditions).toContainEqual(expect.objectContaining({ type: 'RightsKnown', status: 'True' }))

  between.broken = { apply: () => Promise.reject(unknownRole), get: () => Promise.reject(unknownRole) }
  const never = accepted(await change('one', { values: { a: '2' } }))
  await platform.settle()
  between.now = () => new Date(Date.now() + 21_000)
  await platform.resync()
  expect(await get(never.id)).toMatchObject({ state: 'Failed' })
  between.now = undefined
  between.broken = {}
})
