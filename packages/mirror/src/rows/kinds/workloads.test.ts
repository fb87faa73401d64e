import { expect, test } from 'vitest'
import { ownValues, rowOf } from '../row-of.ts'
import { kindOf } from './kind-of.ts'

const kind = (plural: string, group = 'apps') =>
  kindOf({ group, version: 'v1', kind: plural, plural, shortNames: [], namespaced: true, custom: false })

const template = {
  spec: {
    containers: [{ image: 'example.org/shop:1' }, { image: 'example.org/proxy:2' }],
    initContainers: [{ image: 'example.org/shop:1' }],
    nodeSelector: { disk: 'fast' },
  },
}
const selector = { matchLabels: { app: 'shop' } }
const images = ['example.org/shop:1', 'example.org/proxy:2']
const at = (time: string) => Date.parse(time) / 1000
const condition = (type: string, status: string, reason = '') => ({ type, status, reason })

test('common columns are those of the metadata', () => {
  const metadata = {
    namespace: 'shop',
    name: 'web',
    uid: '0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0ff',
    resourceVersion: '123456789012',
    generation: 3,
    creationTimestamp: '2026-11-20T10:00:00Z',
    deletionTimestamp: '2026-11-21T10:00:00Z',
    labels: { b: '2', a: '1', 'app.kubernetes.io/part-of': 'trade', 'app.kubernetes.io/name': 'web' },
    ownerReferences: [
      { kind: 'Beside', name: 'x' },
      { kind: 'Application', name: 'trade', controller: true },
    ],
  }
  expect(rowOf(kind('widgets', 'example.org'), { metadata })).toEqual({
    cluster: 1,
    uid: '0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0ff',
    revision: 123_456_789_012,
    namespace: 'shop',
    name: 'web',
    created: at('2026-11-20T10:00:00Z'),
    deleted: at('2026-11-21T10:00:00Z'),
    generation: 3,
    labels: ['a=1', 'app.kubernetes.io/name=web', 'app.kubernetes.io/part-of=trade', 'b=2'],
    owner: 'Application/trade',
    application: 'trade',
    status: 'Terminating',
  })
})

test('a Deployment', () => {
  const object = {
    metadata: { generation: 2 },
    spec: { replicas: 3, strategy: { type: 'RollingUpdate' }, selector, template },
    status: { observedGeneration: 2, replicas: 3, updatedReplicas: 3, readyReplicas: 3, availableReplicas: 3 },
  }
  expect(ownValues(kind('deployments'), object)).toEqual({
    status: 'Available',
    ready: 3,
    replicas: 3,
    upToDate: 3,
    available: 3,
    images,
    strategy: 'RollingUpdate',
    selector: ['app=shop'],
  })
})

const three = { observedGeneration: 2, replicas: 3, updatedReplicas: 3, readyReplicas: 3, availableReplicas: 3 }
test.each([
  ['Available', {}, {}],
  ['Progressing', {}, { observedGeneration: 1 }],
  ['Progressing', {}, { updatedReplicas: 1 }],
  ['Progressing', {}, { replicas: 4 }],
  ['Progressing', {}, { availableReplicas: 2, conditions: [condition('Available', 'True')] }],
  ['Unavailable', {}, { availableReplicas: 1, conditions: [condition('Available', 'False')] }],
  ['ProgressDeadlineExceeded', {}, { conditions: [condition('Progressing', 'False', 'ProgressDeadlineExceeded')] }],
  ['ReplicaFailure', {}, { conditions: [condition('ReplicaFailure', 'True')] }],
  ['Paused', { paused: true }, {}],
  ['ScaledDown', { replicas: 0 }, { replicas: 0 }],
  ['Progressing', { replicas: 0 }, { replicas: 1 }],
])('the status %s of a Deployment with the spec %j and the status %j', (expected, spec, status) => {
  const object = {
    metadata: { generation: 2 },
    spec: { replicas: 3, ...spec },
    status: { ...three, ...status },
  }
  expect(rowOf(kind('deployments'), object).status).toBe(expected)
})

test('a StatefulSet', () => {
  const status = {
    observedGeneration: 1,
    replicas: 2,
    readyReplicas: 1,
    updatedReplicas: 1,
    currentRevision: 'a',
    updateRevision: 'b',
  }
  const object = { metadata: { generation: 1 }, spec: { replicas: 2, serviceName: 'db', selector, template }, status }
  expect(ownValues(kind('statefulsets'), object)).toEqual({
    status: 'Progressing',
    ready: 1,
    replicas: 2,
    upToDate: 1,
    images,
    service: 'db',
    selector: ['app=shop'],
  })
  const rolled = { ...object, status: { ...status, readyReplicas: 2, currentRevision: 'b' } }
  expect(rowOf(kind('statefulsets'), rolled).status).toBe('Available')
})

test('a DaemonSet', () => {
  const status = {
    desiredNumberScheduled: 3,
    currentNumberScheduled: 3,
    numberReady: 2,
    numberAvailable: 2,
    updatedNumberScheduled: 3,
  }
  const object = { spec: { selector, template }, status }
  expect(ownValues(kind('daemonsets'), object)).toEqual({
    status: 'Progressing',
    ready: 2,
    replicas: 3,
    current: 3,
    upToDate: 3,
    available: 2,
    images,
    nodeSelector: ['disk=fast'],
    selector: ['app=shop'],
  })
  expect(rowOf(kind('daemonsets'), { ...object, status: { ...status, numberAvailable: 3 } }).status).toBe('Available')
})

test('a ReplicaSet of an old version, and one that cannot make its pods', () => {
  expect(
    ownValues(kind('replicasets'), { spec: { replicas: 0, selector, template }, status: { replicas: 0 } }),
  ).toEqual({
    status: 'ScaledDown',
    ready: 0,
    replicas: 0,
    current: 0,
    images,
    selector: ['app=shop'],
  })
  const annotations = { 'deployment.kubernetes.io/revision': '12' }
  expect(rowOf(kind('replicasets'), { metadata: { annotations } }).revision).toBe(12)
  const failing = { spec: { replicas: 1 }, status: { conditions: [condition('ReplicaFailure', 'True')] } }
  expect(rowOf(kind('replicasets'), failing).status).toBe('ReplicaFailure')
})

test('a Job', () => {
  const object = {
    spec: { completions: 5, template },
    status: {
      succeeded: 5,
      failed: 1,
      startTime: '2026-11-20T10:00:00Z',
      completionTime: '2026-11-20T10:01:30Z',
      conditions: [condition('SuccessCriteriaMet', 'True'), condition('Complete', 'True')],
    },
  }
  expect(ownValues(kind('jobs', 'batch'), object)).toEqual({
    status: 'Complete',
    succeeded: 5,
    completions: 5,
    active: 0,
    failed: 1,
    started: at('2026-11-20T10:00:00Z'),
    completed: at('2026-11-20T10:01:30Z'),
    duration: 90,
    images,
  })
})

test.each([
  ['Running', []],
  ['Failed', [condition('FailureTarget', 'True'), condition('Failed', 'True')]],
  ['FailureTarget', [condition('FailureTarget', 'True')]],
  ['Suspended', [condition('Suspended', 'True')]],
  ['Running', [condition('Suspended', 'False')]],
])('the status %s of a Job with the conditions %j', (expected, conditions) => {
  expect(rowOf(kind('jobs', 'batch'), { status: { conditions } }).status).toBe(expected)
})

test('a CronJob', () => {
  const object = {
    spec: { schedule: '*/5 * * * *', timeZone: 'Asia/Shanghai', suspend: true, jobTemplate: { spec: { template } } },
    status: { active: [{}, {}], lastScheduleTime: '2026-11-20T10:00:00Z' },
  }
  expect(ownValues(kind('cronjobs', 'batch'), object)).toEqual({
    schedule: '*/5 * * * *',
    timeZone: 'Asia/Shanghai',
    suspended: 'true',
    active: 2,
    lastScheduled: at('2026-11-20T10:00:00Z'),
    images,
  })
})

test('a HorizontalPodAutoscaler', () => {
  const object = {
    spec: {
      scaleTargetRef: { kind: 'Deployment', name: 'web' },
      maxReplicas: 9,
      metrics: [
        { type: 'Resource', resource: { name: 'cpu', target: { averageUtilization: 80 } } },
        { type: 'Pods', pods: { metric: { name: 'hits' }, target: { averageValue: '1k' } } },
        { type: 'External', external: { metric: { name: 'queue' }, target: { value: '30' } } },
      ],
    },
    status: {
      currentReplicas: 2,
      desiredReplicas: 4,
      currentMetrics: [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 95 } } }],
      conditions: [condition('AbleToScale', 'True'), condition('ScalingLimited', 'True')],
    },
  }
  expect(ownValues(kind('horizontalpodautoscalers', 'autoscaling'), object)).toEqual({
    status: 'Limited',
    target: 'Deployment/web',
    replicas: 2,
    desired: 4,
    least: 1,
    most: 9,
    metrics: ['cpu: 95%/80%', 'hits: ?/1k (avg)', 'queue: ?/30'],
  })
  const blind = { status: { conditions: [condition('ScalingActive', 'False', 'FailedGetResourceMetric')] } }
  expect(rowOf(kind('horizontalpodautoscalers', 'autoscaling'), blind).status).toBe('FailedGetResourceMetric')
})

test('a PodDisruptionBudget', () => {
  const object = {
    spec: { minAvailable: '50%', selector },
    status: { disruptionsAllowed: 1, currentHealthy: 3, desiredHealthy: 2, expectedPods: 4 },
  }
  expect(ownValues(kind('poddisruptionbudgets', 'policy'), object)).toEqual({
    leastAvailable: '50%',
    allowed: 1,
    healthy: 3,
    desired: 2,
    expected: 4,
    selector: ['app=shop'],
  })
  expect(rowOf(kind('poddisruptionbudgets', 'policy'), { spec: { maxUnavailable: 1 } }).mostUnavailable).toBe('1')
})
