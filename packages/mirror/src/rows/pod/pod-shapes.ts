/** Pods as different as they come, for tests. `status` is written after the pod was made. */
export interface PodShape {
  name: string
  metadata?: Record<string, unknown>
  spec?: Record<string, unknown>
  status?: Record<string, unknown>
  /** Deleted when its status has been written; it stays, because nobody lets it go. */
  deleted?: true
  /** Ready, containers, status and restarts, as kubectl prints them. */
  prints: [ready: number, containers: number, status: string, restarts: number]
}

const ENDED = '2026-11-20T10:00:00Z'
const LATER = '2026-11-20T11:30:05Z'

const container = (name: string, more: Record<string, unknown> = {}) => ({
  name,
  image: `example.org/${name}:1`,
  ...more,
})
const cpuAndMemory = (cpu: string, memory: string) => ({ cpu, memory })

const running = (name: string, more: Record<string, unknown> = {}) => ({
  name,
  ...image(name),
  ready: true,
  restartCount: 0,
  started: true,
  state: { running: { startedAt: ENDED } },
  ...more,
})
const waiting = (name: string, reason: string, more: Record<string, unknown> = {}) => ({
  name,
  ...image(name),
  ready: false,
  restartCount: 0,
  started: false,
  state: { waiting: { reason } },
  ...more,
})
const terminated = (name: string, how: Record<string, unknown>, more: Record<string, unknown> = {}) => ({
  name,
  ...image(name),
  ready: false,
  restartCount: 0,
  started: false,
  state: { terminated: { exitCode: 0, startedAt: ENDED, finishedAt: ENDED, ...how } },
  ...more,
})
const image = (name: string) => ({ image: `example.org/${name}:1`, imageID: '' })
const restartedAt = (finishedAt: string, restartCount: number) => ({
  restartCount,
  lastState: { terminated: { exitCode: 1, reason: 'Error', startedAt: ENDED, finishedAt } },
})
const condition = (type: string, status: string) => ({ type, status })
const two = { containers: [container('a'), container('b')] }
const one = { containers: [container('a')] }
const inits = { ...one, initContainers: [container('i'), container('j')] }
const sidecars = { ...one, initContainers: [container('proxy', { restartPolicy: 'Always' }), container('i')] }

export const POD_SHAPES: PodShape[] = [
  {
    name: 'running-7d9f8b6c5-x2x4z',
    metadata: {
      labels: {
        '10': 'numbers-first-in-JavaScript',
        '9': 'but-not-in-bytes',
        'app.kubernetes.io/name': 'shop',
        'app.kubernetes.io/part-of': 'trade',
        'app.kubernetes.io/instance': 'shop-blue',
        empty: '',
        a: 'b',
      },
      annotations: { 'example.org/owner': 'Käthe 凯特 🚢', 'example.org/team': 'blue', other: 'not chosen' },
      ownerReferences: [
        { apiVersion: 'v1', kind: 'ConfigMap', name: 'beside', uid: '00000000-0000-4000-8000-000000000001' },
        {
          apiVersion: 'apps/v1',
          kind: 'ReplicaSet',
          name: 'running-7d9f8b6c5',
          uid: '00000000-0000-4000-8000-000000000002',
          controller: true,
        },
      ],
    },
    spec: {
      nodeName: 'node-1',
      serviceAccountName: 'default',
      containers: [
        container('a', { resources: { requests: cpuAndMemory('100m', '128Mi'), limits: cpuAndMemory('1', '1Gi') } }),
        container('b', { resources: { requests: { cpu: '1.5' }, limits: { memory: '1e9' } } }),
      ],
    },
    status: {
      phase: 'Running',
      podIP: '10.244.1.17',
      podIPs: [{ ip: '10.244.1.17' }, { ip: 'fd00:10:244::11' }],
      hostIP: '192.168.7.120',
      hostIPs: [{ ip: '192.168.7.120' }],
      conditions: [condition('Initialized', 'True'), condition('Ready', 'True')],
      containerStatuses: [running('a', restartedAt(ENDED, 2)), running('b', restartedAt(LATER, 1))],
    },
    prints: [2, 2, 'Running', 3],
  },
  { name: 'not-scheduled', prints: [0, 1, 'Pending', 0] },
  {
    name: 'gated',
    spec: { ...one, schedulingGates: [{ name: 'example.org/wait' }] },
    prints: [0, 1, 'SchedulingGated', 0],
  },
  {
    name: 'crashing',
    spec: two,
    status: {
      phase: 'Running',
      conditions: [condition('Initialized', 'True'), condition('Ready', 'False')],
      containerStatuses: [waiting('a', 'CrashLoopBackOff', restartedAt(LATER, 12)), running('b')],
    },
    prints: [1, 2, 'CrashLoopBackOff', 12],
  },
  {
    name: 'completed',
    spec: { ...one, restartPolicy: 'Never' },
    status: { phase: 'Succeeded', containerStatuses: [terminated('a', { reason: 'Completed' })] },
    prints: [0, 1, 'Completed', 0],
  },
  {
    name: 'exit-code',
    spec: { ...one, restartPolicy: 'Never' },
    status: { phase: 'Failed', containerStatuses: [terminated('a', { exitCode: 137 })] },
    prints: [0, 1, 'ExitCode:137', 0],
  },
  {
    name: 'negative-exit-code',
    spec: { ...one, restartPolicy: 'Never' },
    status: { phase: 'Failed', containerStatuses: [terminated('a', { exitCode: -1 })] },
    prints: [0, 1, 'ExitCode:-1', 0],
  },
  {
    name: 'signal',
    spec: { ...one, restartPolicy: 'Never' },
    status: { phase: 'Failed', containerStatuses: [terminated('a', { exitCode: 9, signal: 9 })] },
    prints: [0, 1, 'Signal:9', 0],
  },
  {
    name: 'evicted',
    status: { phase: 'Failed', reason: 'Evicted', message: 'The node was low on memory' },
    prints: [0, 1, 'Evicted', 0],
  },
  { name: 'terminating', spec: { ...one, nodeName: 'node-1' }, deleted: true, prints: [0, 1, 'Terminating', 0] },
  {
    name: 'node-lost',
    spec: { ...one, nodeName: 'node-2' },
    status: { phase: 'Running', reason: 'NodeLost', containerStatuses: [running('a')] },
    deleted: true,
    prints: [1, 1, 'Unknown', 0],
  },
  {
    name: 'completed-and-terminating',
    metadata: { finalizers: ['example.org/keep'] },
    spec: { ...one, nodeName: 'node-1', restartPolicy: 'Never' },
    status: { phase: 'Succeeded', containerStatuses: [terminated('a', { reason: 'Completed' })] },
    deleted: true,
    prints: [0, 1, 'Completed', 0],
  },
  {
    name: 'one-of-two-completed',
    spec: two,
    status: {
      phase: 'Running',
      conditions: [condition('Ready', 'True')],
      containerStatuses: [terminated('a', { reason: 'Completed' }), running('b')],
    },
    prints: [1, 2, 'Running', 0],
  },
  {
    name: 'one-of-two-completed-not-ready',
    spec: two,
    status: { phase: 'Running', containerStatuses: [terminated('a', { reason: 'Completed' }), running('b')] },
    prints: [1, 2, 'NotReady', 0],
  },
  {
    name: 'completed-beside-failed',
    spec: { ...two, restartPolicy: 'Never' },
    status: {
      phase: 'Running',
      containerStatuses: [terminated('a', { reason: 'Completed' }), terminated('b', { exitCode: 1, reason: 'Error' })],
    },
    prints: [0, 2, 'Error', 0],
  },
  {
    name: 'init-first',
    spec: inits,
    status: {
      phase: 'Pending',
      conditions: [condition('Initialized', 'False')],
      initContainerStatuses: [running('i', { started: false, ready: false }), waiting('j', 'PodInitializing')],
      containerStatuses: [waiting('a', 'PodInitializing')],
    },
    prints: [0, 1, 'Init:0/2', 0],
  },
  {
    name: 'init-second',
    spec: inits,
    status: {
      phase: 'Pending',
      initContainerStatuses: [
        terminated('i', { reason: 'Completed' }, { ready: true }),
        waiting('j', 'PodInitializing'),
      ],
    },
    prints: [0, 1, 'Init:1/2', 0],
  },
  {
    name: 'init-crashing',
    spec: inits,
    status: {
      phase: 'Pending',
      initContainerStatuses: [waiting('i', 'CrashLoopBackOff', restartedAt(ENDED, 4)), waiting('j', 'PodInitializing')],
    },
    prints: [0, 1, 'Init:CrashLoopBackOff', 4],
  },
  {
    name: 'init-error',
    spec: inits,
    status: { phase: 'Pending', initContainerStatuses: [terminated('i', { exitCode: 2, reason: 'Error' })] },
    prints: [0, 1, 'Init:Error', 0],
  },
  {
    name: 'init-exit-code',
    spec: inits,
    status: { phase: 'Pending', initContainerStatuses: [terminated('i', { exitCode: 2 })] },
    prints: [0, 1, 'Init:ExitCode:2', 0],
  },
  {
    name: 'init-signal',
    spec: inits,
    status: { phase: 'Pending', initContainerStatuses: [terminated('i', { exitCode: 9, signal: 9 })] },
    prints: [0, 1, 'Init:Signal:9', 0],
  },
  {
    name: 'init-done',
    spec: {
      containers: [container('a', { resources: { requests: cpuAndMemory('200m', '64Mi') } })],
      initContainers: [
        container('i', { resources: { requests: cpuAndMemory('2', '32Mi') } }),
        container('j', { image: 'example.org/a:1' }),
      ],
    },
    status: {
      phase: 'Running',
      conditions: [condition('Initialized', 'True')],
      initContainerStatuses: [
        terminated('i', { reason: 'Completed' }, { ...restartedAt(ENDED, 3), ready: true }),
        terminated('j', { reason: 'Completed' }, { ready: true }),
      ],
      containerStatuses: [running('a')],
    },
    prints: [1, 1, 'Running', 0],
  },
  {
    name: 'sidecar-running',
    spec: {
      containers: [container('a', { resources: { requests: cpuAndMemory('100m', '100M') } })],
      initContainers: [
        container('proxy', { restartPolicy: 'Always', resources: { requests: cpuAndMemory('50m', '50M') } }),
        container('i', { resources: { requests: cpuAndMemory('120m', '10M') } }),
      ],
    },
    status: {
      phase: 'Running',
      conditions: [condition('Initialized', 'True'), condition('Ready', 'True')],
      initContainerStatuses: [
        running('proxy', restartedAt(LATER, 2)),
        terminated('i', { reason: 'Completed' }, { ready: true, ...restartedAt(ENDED, 5) }),
      ],
      containerStatuses: [running('a', restartedAt(ENDED, 1))],
    },
    prints: [2, 2, 'Running', 3],
  },
  {
    name: 'sidecar-first',
    spec: sidecars,
    status: {
      phase: 'Pending',
      initContainerStatuses: [running('proxy'), waiting('i', 'PodInitializing')],
      containerStatuses: [waiting('a', 'PodInitializing')],
    },
    prints: [1, 2, 'Init:1/2', 0],
  },
  {
    name: 'sidecar-crashing-later',
    spec: sidecars,
    status: {
      phase: 'Running',
      conditions: [condition('Initialized', 'True')],
      initContainerStatuses: [
        waiting('proxy', 'CrashLoopBackOff', restartedAt(LATER, 7)),
        terminated('i', { reason: 'Completed' }, { ready: true }),
      ],
      containerStatuses: [running('a')],
    },
    prints: [1, 2, 'Init:CrashLoopBackOff', 7],
  },
  {
    name: 'pod-resources',
    spec: {
      containers: [container('a', { resources: { requests: { cpu: '10m' } } })],
      resources: { requests: cpuAndMemory('300m', '1Gi'), limits: { memory: '2Gi' } },
    },
    prints: [0, 1, 'Pending', 0],
  },
  {
    name: 'image-pull',
    spec: one,
    status: { phase: 'Pending', podIP: 'fd00:10:244::1a', containerStatuses: [waiting('a', 'ImagePullBackOff')] },
    prints: [0, 1, 'ImagePullBackOff', 0],
  },
]

/** The pod of a shape, as it is made. */
export const podOf = (namespace: string, { name, metadata, spec }: PodShape) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { ...metadata, name, namespace },
  spec: { ...one, ...spec },
})
