import type { KubeObject } from '@quarterdeck/kernel'
import { expect, test } from 'vitest'
import { driftOf } from './drift.rules.ts'
import { othersThan } from './manifest.rules.ts'
import { podTrouble } from './pod.rules.ts'
import { rolloutOf } from './rollout.rules.ts'
import { stateOf } from './status.rules.ts'
import { addressesOf, eventsOf, nodesSeenFrom, walk } from './walk.rules.ts'

const pod = (status: object, more: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'shop-1', uid: 'p1', creationTimestamp: '2026-11-21T10:00:00Z', ...more },
  spec: { nodeName: 'node-1', containers: [{ name: 'shop', image: 'hello:1' }] },
  status,
})
const withContainer = (state: object, more: object = {}) =>
  pod({ containerStatuses: [{ name: 'shop', image: 'hello:1', ready: false, restartCount: 0, state, ...more }] })
const why = (of: KubeObject, events: KubeObject[] = []) => podTrouble(of, events)?.message

test.each([
  [
    'an image that is not there',
    withContainer({
      waiting: {
        reason: 'ImagePullBackOff',
        message:
          'Back-off pulling image "hello:1": ErrImagePull: rpc error: code = NotFound desc = failed to pull: not found',
      },
    }),
    'The image hello:1 cannot be pulled: the registry has no such image; check name and tag.',
  ],
  [
    'a registry that wants a sign-in',
    withContainer({ waiting: { reason: 'ErrImagePull', message: 'unexpected status: 401 Unauthorized' } }),
    'The image hello:1 cannot be pulled: the registry wants a sign-in.',
  ],
  [
    'a container that ends again and again',
    withContainer(
      { waiting: { reason: 'CrashLoopBackOff' } },
      {
        restartCount: 3,
        lastState: {
          terminated: { exitCode: 1, startedAt: '2026-11-21T10:00:00Z', finishedAt: '2026-11-21T10:00:03Z' },
        },
      },
    ),
    'Container shop ends with code 1 3 s after its start; see its log.',
  ],
  [
    'a program that is not in the image',
    withContainer(
      { waiting: { reason: 'CrashLoopBackOff' } },
      {
        restartCount: 1,
        lastState: {
          terminated: {
            exitCode: 128,
            reason: 'StartError',
            message:
              'failed to create containerd task: runc create failed: unable to start container process: exec: "/no/such": stat /no/such: no such file or directory',
            startedAt: '1970-01-01T00:00:00Z',
            finishedAt: '2026-11-21T10:00:03Z',
          },
        },
      },
    ),
    'Container shop cannot be started: "/no/such": stat /no/such: no such file or directory. Correct its command or its image.',
  ],
  [
    'a container that takes too much memory',
    withContainer({ terminated: { exitCode: 137, reason: 'OOMKilled' } }),
    'Container shop was killed because it took more memory than its limit; raise memoryLimit or find what takes it.',
  ],
  [
    'a pod that no node takes',
    pod({
      conditions: [
        {
          type: 'PodScheduled',
          status: 'False',
          message: '0/3 nodes are available: 3 Insufficient cpu. preemption: 0/3 nodes',
        },
      ],
    }),
    'No node takes it: 0/3 nodes are available: 3 Insufficient cpu. Ask for less CPU or memory, or add nodes.',
  ],
  [
    'a missing configuration',
    withContainer({
      waiting: {
        reason: 'CreateContainerConfigError',
        message: 'container has runAsNonRoot and image will run as root',
      },
    }),
    'Container shop cannot be started: container has runAsNonRoot and image will run as root.',
  ],
])('%s is told in one sentence', (_, of, message) => {
  expect(why(of)).toBe(message)
})

test('a running container that is not ready says what its probe said last', () => {
  const event = (message: string, time: string): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: time },
    reason: 'Unhealthy',
    message,
    lastTimestamp: time,
    involvedObject: { uid: 'p1' },
  })
  const running = withContainer({ running: {} })
  expect(why(running)).toBe('It runs and is not ready yet.')
  expect(
    why(running, [
      event('Readiness probe failed: HTTP probe failed with statuscode: 503', '2'),
      event('Readiness probe failed: old', '1'),
    ]),
  ).toBe('Its readiness probe fails: HTTP probe failed with statuscode: 503.')
})

test('a pod that is ready, or on its way out, has no trouble', () => {
  expect(podTrouble(pod({ conditions: [{ type: 'Ready', status: 'True' }] }))).toBeUndefined()
  expect(podTrouble(pod({}, { deletionTimestamp: '2026-11-21T10:00:00Z' }))).toBeUndefined()
})

const deployment = (status: object, replicas = 3): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'shop', generation: 2, uid: 'd1', annotations: { 'deployment.kubernetes.io/revision': '2' } },
  spec: { replicas },
  status,
})
const all = (pods: number) => ({
  observedGeneration: 2,
  replicas: pods,
  updatedReplicas: pods,
  readyReplicas: pods,
  availableReplicas: pods,
})
const rollout = (of: KubeObject, pods: KubeObject[] = []) => rolloutOf(of, { pods, events: [] })

test('a rollout is over when every pod is new and available and no old one is left', () => {
  expect(rollout(deployment(all(3)))).toMatchObject({ available: true, message: 'All 3 pods are ready.' })
  expect(rollout(deployment({ ...all(3), observedGeneration: 1 })).available).toBe(false)
  expect(rollout(deployment({ ...all(3), updatedReplicas: 2 }))).toMatchObject({
    available: false,
    message: '2 of 3 pods are of the new version.',
  })
  expect(rollout(deployment({ ...all(3), replicas: 4 }))).toMatchObject({
    available: false,
    message: '1 pod more than wanted is still to end.',
  })
  expect(rollout(deployment({ observedGeneration: 2 }, 0))).toMatchObject({ available: true })
})

test('a rollout that waits says which pod is in the way, and the stuck one before the slow one', () => {
  const slow = {
    ...withContainer({ running: {} }),
    metadata: { name: 'shop-slow', uid: 's', creationTimestamp: '2026-11-21T11:00:00Z' },
  }
  const stuck = withContainer({ waiting: { reason: 'ErrImagePull', message: 'not found' } })
  expect(rollout(deployment({ ...all(3), availableReplicas: 1 }), [slow, stuck]).message).toBe(
    '1 of 3 pods is ready. shop-1: The image hello:1 cannot be pulled: the registry has no such image; check name and tag.',
  )
})

test('a quota that stops pods from being made is told with its figures', () => {
  const message = 'pods "shop-2" is forbidden: exceeded quota: team, requested: pods=1, used: pods=3, limited: pods=3'
  const status = { ...all(3), updatedReplicas: 0, conditions: [{ type: 'ReplicaFailure', status: 'True', message }] }
  expect(rollout(deployment(status)).message).toContain(
    'quota team allows pods=3, pods=3 is used and one more pod needs pods=1',
  )
})

const settled = { deleting: false, changing: false }
const state = (of: KubeObject | undefined, known = settled, pods: KubeObject[] = []) =>
  stateOf({ deployment: of, pods, events: [] }, known).state

test('[CLU-15] one word says how wanted and actual compare', () => {
  const stuck = [withContainer({ waiting: { reason: 'ErrImagePull', message: 'not found' } })]
  expect(state(deployment(all(3)))).toBe('Healthy')
  expect(state(deployment({ observedGeneration: 2 }, 0))).toBe('Stopped')
  expect(state(deployment({ ...all(3), availableReplicas: 2 }))).toBe('Degraded')
  expect(state(deployment({ ...all(3), availableReplicas: 0 }), { ...settled, changing: true })).toBe('Progressing')
  expect(state(deployment({ ...all(3), availableReplicas: 0 }), settled, stuck)).toBe('Failed')
  expect(state(deployment({ ...all(3), availableReplicas: 2 }), settled, stuck)).toBe('Degraded')
  expect(state(deployment(all(3)), { ...settled, deleting: true })).toBe('Deleting')
  expect(state(undefined)).toBe('Failed')
  expect(state(undefined, { ...settled, changing: true })).toBe('Progressing')
})

test('drift is what was declared and is otherwise now; what was never declared and other spellings do not count', () => {
  const declared: KubeObject = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'shop' },
    spec: {
      replicas: 1,
      template: { spec: { containers: [{ name: 'shop', image: 'a:1', resources: { requests: { cpu: '0.5' } } }] } },
    },
  }
  const live = (replicas: number, image: string): KubeObject => ({
    ...declared,
    spec: {
      replicas,
      paused: false,
      template: {
        spec: {
          containers: [
            { name: 'sidecar', image: 'b' },
            { name: 'shop', image, resources: { requests: { cpu: '500m' } } },
          ],
        },
      },
    },
  })
  expect(driftOf([declared], [live(1, 'a:1')])).toEqual([])
  expect(driftOf([declared], [live(4, 'a:2')])).toEqual([
    'Deployment replicas is 4 instead of 1',
    'Deployment template.spec.containers[shop].image is "a:2" instead of "a:1"',
  ])
  expect(driftOf([declared], [])).toEqual(['Deployment shop is gone'])
})

test('the walk puts pods under their ReplicaSet, newest revision first', () => {
  const replicaSet = (uid: string, revision: string): KubeObject => ({
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `shop-${uid}`,
      uid,
      creationTimestamp: '2026-11-21T10:00:00Z',
      annotations: { 'deployment.kubernetes.io/revision': revision },
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop', uid: 'd1' }],
    },
    spec: { replicas: 1, template: { spec: { containers: [{ name: 'shop', image: `hello:${revision}` }] } } },
  })
  const owned = pod(
    { phase: 'Running' },
    { ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'x', uid: 'r2' }] },
  )
  const walked = walk(deployment(all(1)), [replicaSet('r1', '1'), replicaSet('r2', '2')], [owned], [])
  expect(walked.map(({ name, current, pods }) => [name, current, pods.length])).toEqual([
    ['shop-r2', true, 1],
    ['shop-r1', false, 0],
  ])
})

test('addresses are a port on each node and the name inside the cluster', () => {
  const service: KubeObject = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'shop', namespace: 'dev' },
    spec: { ports: [{ name: 'http', port: 80, nodePort: 30080 }] },
  }
  expect(addressesOf(service, ['10.0.0.1', 'fd00::1'])).toEqual([
    { url: 'http://10.0.0.1:30080', kind: 'node', answers: false },
    { url: 'http://[fd00::1]:30080', kind: 'node', answers: false },
    { url: 'http://shop.dev.svc:80', kind: 'cluster', answers: null },
  ])
})

test('an address on loopback is shown only to who asks from this machine', () => {
  const nodes = ['127.0.0.1', '10.0.0.1']
  for (const peer of ['127.0.0.1', '::1', '::ffff:127.0.0.1']) expect(nodesSeenFrom(peer, nodes)).toEqual(nodes)
  expect(nodesSeenFrom('10.0.0.9', nodes)).toEqual(['10.0.0.1'])
})

test('an object of another environment on the same namespace is as little ours as one without our label', () => {
  const labelled = (labels: Record<string, string>) => ({ ...pod({}), metadata: { name: 'shop', labels } })
  const ours = { 'app.kubernetes.io/managed-by': 'quarterdeck', 'quarterdeck.dev/environment': 'dev' }
  expect(othersThan(labelled(ours), 'dev')).toBeUndefined()
  expect(othersThan(labelled(ours), 'test')).toBe('belongs to environment dev')
  expect(othersThan(labelled({}), 'dev')).toBe('was not made by Quarterdeck')
})

test('events of other objects are left out and times are in milliseconds', () => {
  const event = (uid: string, time: string): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: uid },
    involvedObject: { kind: 'Pod', apiVersion: 'v1', name: 'x', uid },
    eventTime: time,
  })
  const events = eventsOf(
    [event('p1', '2026-11-21T10:00:00.123456Z'), event('other', '2026-11-21T10:00:00Z')],
    [pod({})],
  )
  expect(events).toMatchObject([{ lastTime: '2026-11-21T10:00:00.123Z' }])
})
