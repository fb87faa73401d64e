import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import {
  accepted,
  between,
  change,
  counters,
  ended,
  get,
  namespace,
  platform,
  setStatus,
  withThings,
} from '../../../test/platform/things.ts'
import { watchOperation } from './operation.contract.ts'

withThings()

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
  between.now = () => new Date(Date.now() + 61_000)
  await platform.resync()
  const failed = await get(operation.id)
  expect(failed).toMatchObject({ state: 'Failed', conditions: [{ reason: 'ProgressDeadlineExceeded' }] })
  expect(failed.conditions[0]?.message).toContain(
    'The image nowhere/hello:9 cannot be pulled: the registry has no such image',
  )
  expect(failed.undoable).toBe(true)
})

const gaveUp = (lastUpdateTime: string) => ({
  conditions: [
    { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', lastUpdateTime, message: '' },
  ],
})
/** Longer than the ten minutes that Kubernetes gives a rollout unless it is told otherwise. */
const LONG = 3_600
const later = () => {
  between.now = () => new Date(Date.now() + 700_000)
}

test('a rollout that the cluster had given up before does not fail the operation that comes after it', async () => {
  const failing = accepted(await change('web', { replicas: 1, deadlineSeconds: LONG }))
  await platform.settle()
  later()
  await setStatus('web', { observedGeneration: 1, replicas: 1, updatedReplicas: 1, ...gaveUp('2026-11-21T10:00:00Z') })
  const failed = await ended(failing)
  expect(failed).toMatchObject({ state: 'Failed', conditions: [{ reason: 'ProgressDeadlineExceeded' }] })
  between.now = () => new Date()
  const next = accepted(await change('web', { replicas: 2, deadlineSeconds: LONG }))
  await platform.settle()
  await setStatus('web', { observedGeneration: 2, replicas: 1 })
  await platform.settle()
  expect((await get(next.id)).state).toBe('Running')
  await setStatus('web', counters(2, 2))
  expect((await ended(next)).state).toBe('Succeeded')
  const third = accepted(await change('web', { replicas: 3, deadlineSeconds: LONG }))
  await platform.settle()
  later()
  await setStatus('web', { ...counters(3, 2), ...gaveUp('2026-11-21T11:00:00Z') })
  expect((await ended(third)).state).toBe('Failed')
})

test('a rollout that the cluster gives up before it has had its time is waited for', async () => {
  const undo = accepted(await change('web', { replicas: 1, deadlineSeconds: LONG }))
  await platform.settle()
  // Its clock began with the rollout before.
  await setStatus('web', { observedGeneration: 1, replicas: 1, updatedReplicas: 1, ...gaveUp('2026-11-21T10:00:00Z') })
  await platform.settle()
  expect((await get(undo.id)).state).toBe('Running')
  await setStatus('web', counters(1, 1))
  expect((await ended(undo)).state).toBe('Succeeded')
})
