import type { Random } from './random.ts'
import { before } from './shape.ts'

/** How a pod is doing. */
export type PodState =
  | 'running'
  | 'unready'
  | 'crashing'
  | 'pulling'
  | 'pending'
  | 'creating'
  | 'completed'
  | 'evicted'
  | 'terminating'

/** As in a large, mostly healthy cluster. */
export function statusOfPod(random: Random): PodState {
  const share = random.next()
  if (share < 0.955) return 'running'
  if (share < 0.965) return 'unready'
  if (share < 0.975) return 'crashing'
  if (share < 0.98) return 'pulling'
  if (share < 0.99) return 'pending'
  if (share < 0.994) return 'creating'
  if (share < 0.997) return 'evicted'
  return 'terminating'
}

interface StatusParts {
  state: PodState
  ageSeconds: number
  hostAddress: string
  address: string
}

/** The status that kubelet and scheduler write. */
export function podStatus(random: Random, containers: { name: string; image: string }[], parts: StatusParts): object {
  const { state, ageSeconds, hostAddress, address } = parts
  const ready = state === 'running' || state === 'terminating'
  const since = before(Math.max(0, ageSeconds - random.whole(1, 20)))
  const condition = (type: string, value: boolean, why: object = {}) => ({
    type,
    status: value ? 'True' : 'False',
    lastProbeTime: null,
    lastTransitionTime: since,
    ...why,
  })
  if (state === 'pending') {
    const why = {
      reason: 'Unschedulable',
      message: `0/${random.whole(5, 5000)} nodes are available: insufficient memory.`,
    }
    return { phase: 'Pending', conditions: [condition('PodScheduled', false, why)], qosClass: 'Burstable' }
  }
  if (state === 'evicted') {
    return {
      phase: 'Failed',
      reason: 'Evicted',
      message: 'The node was low on resource: ephemeral-storage.',
      conditions: [condition('PodScheduled', true)],
      startTime: since,
      qosClass: 'Burstable',
    }
  }
  const completed = state === 'completed'
  const unready = completed ? { reason: 'PodCompleted' } : { reason: 'ContainersNotReady' }
  return {
    phase: completed ? 'Succeeded' : state === 'pulling' || state === 'creating' ? 'Pending' : 'Running',
    conditions: [
      condition('PodReadyToStartContainers', !completed && state !== 'creating'),
      condition('Initialized', true, completed ? { reason: 'PodCompleted' } : {}),
      condition('Ready', ready, ready ? {} : unready),
      condition('ContainersReady', ready, ready ? {} : unready),
      condition('PodScheduled', true),
    ],
    hostIP: hostAddress,
    hostIPs: [{ ip: hostAddress }],
    ...(state === 'creating' ? {} : { podIP: address, podIPs: [{ ip: address }] }),
    startTime: since,
    // What is wrong is wrong with the first container; its neighbours run.
    containerStatuses: containers.map((container, n) =>
      containerStatus(random, container, n === 0 || completed || state === 'creating' ? state : 'running', since),
    ),
    qosClass: 'Burstable',
  }
}

function containerStatus(
  random: Random,
  { name, image }: { name: string; image: string },
  state: PodState,
  since: string,
): object {
  const id = `containerd://${random.hex(64)}`
  const ready = state === 'running' || state === 'terminating'
  const restarted = state === 'crashing' ? random.whole(3, 400) : ready && random.chance(0.12) ? random.whole(1, 12) : 0
  const ended = { exitCode: 1, reason: 'Error', startedAt: since, finishedAt: since, containerID: id }
  const states: Record<string, object> = {
    crashing: {
      waiting: { reason: 'CrashLoopBackOff', message: `back-off 5m0s restarting failed container=${name}` },
    },
    pulling: { waiting: { reason: 'ImagePullBackOff', message: `Back-off pulling image "${image}"` } },
    creating: { waiting: { reason: 'ContainerCreating' } },
    completed: { terminated: { ...ended, exitCode: 0, reason: 'Completed' } },
  }
  return {
    name,
    state: states[state] ?? { running: { startedAt: since } },
    lastState: restarted > 0 ? { terminated: ended } : {},
    ready,
    restartCount: restarted,
    image,
    imageID: state === 'creating' || state === 'pulling' ? '' : `${image.split(':')[0]}@sha256:${random.hex(64)}`,
    ...(state === 'creating' || state === 'pulling' ? {} : { containerID: id }),
    started: ready || state === 'unready',
  }
}
