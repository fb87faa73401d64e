import { clusterUnreachable, isProblem, type KubeObject } from '@quarterdeck/kernel'
import { type OwnCluster, ownCluster } from '@quarterdeck/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { watchExpired } from './index.ts'

let own: OwnCluster
beforeAll(async () => {
  own = await ownCluster()
})
afterAll(() => own?.close())

const configMap = (name: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default' },
})
const all = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'default' }
const outcome = (answer: Promise<unknown>) =>
  answer.then(
    () => undefined,
    (error) => error,
  )

test('a frozen API server gives an answer within the timeout; a write may have arrived, a read or dry run has not', async () => {
  const { cluster, plane } = own
  await cluster.apply(configMap('one'))
  process.kill(plane.pid('kube-apiserver'), 'SIGSTOP')
  const timeoutSeconds = 1
  const failures = await Promise.all([
    outcome(cluster.apply(configMap('two'), { timeoutSeconds })),
    outcome(cluster.apply(configMap('two'), { timeoutSeconds, dryRun: true })),
    outcome(cluster.remove({ ...all, name: 'one' }, { timeoutSeconds, dryRun: true })),
    outcome(cluster.list(all, { timeoutSeconds })),
  ])
  process.kill(plane.pid('kube-apiserver'), 'SIGCONT')
  for (const failure of failures) expect(isProblem(failure, clusterUnreachable), String(failure)).toBe(true)
  expect(failures.map((failure) => failure.body.ambiguous)).toEqual([true, undefined, undefined, undefined])
  expect(failures[0].message).toContain('did not answer within 1 s')
})

test('a watch that falls silent is noticed', async () => {
  const { cluster, plane } = own
  const events = cluster.watch(all, { quietSeconds: 2 })
  await events.next()
  process.kill(plane.pid('kube-apiserver'), 'SIGSTOP')
  const failure = await outcome(
    (async () => {
      for await (const _ of events);
    })(),
  )
  process.kill(plane.pid('kube-apiserver'), 'SIGCONT')
  expect(isProblem(failure, clusterUnreachable), String(failure)).toBe(true)
})

test('after the API server was killed, watches end with a problem, calls work again, and an old version is expired', async () => {
  const { cluster, plane } = own
  const { resourceVersion } = await cluster.list(all)
  let seen = 0
  const follow = async (from: string) => {
    for await (const _ of cluster.watch({ ...all, resourceVersion: from })) seen++
  }
  const broken = outcome(follow(resourceVersion))
  for (let count = 0; count < 20; count++) await cluster.apply(configMap(`many-${count}`))
  await expect.poll(() => seen).toBeGreaterThan(0) // a watch that has not begun would be asked for again
  await plane.restart('kube-apiserver', { kill: true })
  const failure = await broken
  expect(isProblem(failure, clusterUnreachable), String(failure)).toBe(true)
  expect(await cluster.get({ ...all, name: 'many-19' })).toBeDefined()
  const expired = await outcome(follow('1'))
  expect(isProblem(expired, watchExpired), String(expired)).toBe(true)
})

test('while the API server is away a call is refused at once, without doubt about a write', async () => {
  const { cluster, plane } = own
  process.kill(plane.pid('kube-apiserver'), 'SIGKILL')
  const away = plane.restart('kube-apiserver', { kill: true, pauseSeconds: 3 })
  let failure = await outcome(cluster.apply(configMap('three')))
  while (failure?.body?.reason !== 'ECONNREFUSED') failure = await outcome(cluster.apply(configMap('three')))
  expect(failure.body.ambiguous).toBeUndefined()
  expect((await cluster.health()).message).toContain('nothing listens')
  await away
  expect((await cluster.apply(configMap('three'))).object.metadata.uid).toBeDefined()
})
