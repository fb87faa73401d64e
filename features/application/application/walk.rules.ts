import type { KubeObject } from '@quarterdeck/kernel'
import type { z } from 'zod'
import type { Address, ContainerStatus, ObjectEvent, PodStatus, ReplicaSetStatus } from './application.contract.ts'
import { isReady, type KubeContainerStatus, podTrouble } from './pod.rules.ts'

type ReplicaSet = z.infer<typeof ReplicaSetStatus>
type Pod = z.infer<typeof PodStatus>
type Container = z.infer<typeof ContainerStatus>

const ownedBy = (object: KubeObject, owner: KubeObject): boolean =>
  object.metadata.ownerReferences?.some(({ uid }) => uid === owner.metadata.uid) ?? false

const revisionOf = (object: KubeObject): number =>
  Number(object.metadata.annotations?.['deployment.kubernetes.io/revision'] ?? 0)

/** Deployment → ReplicaSets, newest revision first → pods → containers. */
export function walk(
  deployment: KubeObject | undefined,
  replicaSets: KubeObject[],
  pods: KubeObject[],
  events: KubeObject[],
): ReplicaSet[] {
  if (!deployment) return []
  if (deployment.kind !== 'Deployment') return [direct(deployment, pods, events)]
  const own = replicaSets
    .filter((replicaSet) => ownedBy(replicaSet, deployment))
    .toSorted((one, other) => revisionOf(other) - revisionOf(one))
  return own.map((replicaSet) => ({
    name: replicaSet.metadata.name,
    revision: revisionOf(replicaSet),
    current: revisionOf(replicaSet) === revisionOf(deployment),
    image: replicaSet.spec?.template?.spec?.containers?.[0]?.image ?? '',
    replicas: replicaSet.spec?.replicas ?? 0,
    readyReplicas: replicaSet.status?.readyReplicas ?? 0,
    createTime: replicaSet.metadata.creationTimestamp ?? '1970-01-01T00:00:00Z',
    pods: pods
      .filter((pod) => ownedBy(pod, replicaSet))
      .toSorted((one, other) => one.metadata.name.localeCompare(other.metadata.name))
      .map((pod) => podOf(pod, events)),
  }))
}

/** A StatefulSet or DaemonSet owns its pods itself: it stands where a ReplicaSet would. */
const direct = (workload: KubeObject, pods: KubeObject[], events: KubeObject[]): ReplicaSet => ({
  name: workload.metadata.name,
  revision: workload.metadata.generation ?? 1,
  current: true,
  image: workload.spec?.template?.spec?.containers?.[0]?.image ?? '',
  replicas: workload.spec?.replicas ?? workload.status?.desiredNumberScheduled ?? 0,
  readyReplicas: workload.status?.readyReplicas ?? workload.status?.numberReady ?? 0,
  createTime: workload.metadata.creationTimestamp ?? '1970-01-01T00:00:00Z',
  pods: pods
    .filter((pod) => ownedBy(pod, workload))
    .toSorted((one, other) => one.metadata.name.localeCompare(other.metadata.name))
    .map((pod) => podOf(pod, events)),
})

function podOf(pod: KubeObject, events: KubeObject[]): Pod {
  const { status = {}, spec = {}, metadata } = pod
  const deleting = metadata.deletionTimestamp !== undefined
  const containers = containersOf(pod)
  return {
    name: metadata.name,
    phase: deleting ? 'Terminating' : (status.phase ?? 'Unknown'),
    message: deleting ? 'It is ending.' : (podTrouble(pod, events)?.message ?? ''),
    ready: isReady(pod),
    restarts: containers.reduce((sum, { restarts }) => sum + restarts, 0),
    deleting,
    containers,
    ...(spec.nodeName ? { node: spec.nodeName } : {}),
    ...(status.podIP ? { address: status.podIP } : {}),
    ...(status.startTime ? { startTime: status.startTime } : {}),
  }
}

function containersOf({ spec = {}, status = {} }: KubeObject): Container[] {
  const kinds = [
    ['init', spec.initContainers, status.initContainerStatuses],
    ['main', spec.containers, status.containerStatuses],
    ['ephemeral', spec.ephemeralContainers, status.ephemeralContainerStatuses],
  ] as const
  return kinds.flatMap(([kind, wanted = [], seen = []]) =>
    wanted.map((container: { name: string; image: string }) =>
      containerOf(
        container,
        kind,
        seen.find((status: KubeContainerStatus) => status.name === container.name),
      ),
    ),
  )
}

function containerOf(
  { name, image }: { name: string; image: string },
  kind: Container['kind'],
  status: KubeContainerStatus | undefined,
): Container {
  const { waiting, running, terminated } = status?.state ?? {}
  const ended = terminated ?? status?.lastState?.terminated
  return {
    name,
    image,
    kind,
    state: stateText(status),
    message: waiting?.message ?? (running ? '' : (ended?.message ?? '')),
    ready: status?.ready ?? false,
    restarts: status?.restartCount ?? 0,
    ...(running?.startedAt ? { startTime: running.startedAt } : {}),
  }
}

function stateText(status: KubeContainerStatus | undefined): string {
  const { waiting, running, terminated } = status?.state ?? {}
  if (running) return 'Running'
  if (waiting) return `Waiting: ${waiting.reason ?? 'unknown'}`
  if (terminated) return `Terminated: ${terminated.reason ?? 'Ended'} (${terminated.exitCode})`
  return 'Waiting: not started'
}

/** Events about these objects, newest first. */
export function eventsOf(events: KubeObject[], objects: KubeObject[]): z.infer<typeof ObjectEvent>[] {
  const uids = new Set(objects.map(({ metadata }) => metadata.uid))
  return events
    .filter(({ involvedObject }) => uids.has(involvedObject?.uid))
    .map((event) => {
      const lastTime = event.series?.lastObservedTime ?? event.lastTimestamp ?? event.eventTime
      const created = event.metadata.creationTimestamp ?? '1970-01-01T00:00:00Z'
      const { apiVersion = '', kind = '', namespace, name = '' } = event.involvedObject ?? {}
      return {
        type: event.type ?? 'Normal',
        reason: event.reason ?? '',
        message: event.message ?? '',
        object: { apiVersion, kind, name, ...(namespace ? { namespace } : {}) },
        count: event.series?.count ?? event.count ?? 1,
        firstTime: utc(event.firstTimestamp ?? event.eventTime ?? created),
        lastTime: utc(lastTime ?? created),
      }
    })
    .toSorted((one, other) => other.lastTime.localeCompare(one.lastTime))
}

/** Events carry microseconds; `Time` has milliseconds. */
const utc = (time: string): string => new Date(time).toISOString()

const LOOPBACK = /^(::ffff:)?127\.|^::1$/

/** Where node ports can be tried by who asks from `peer`: loopback is this machine only for who is on it. */
export const nodesSeenFrom = (peer: string, nodes: string[]): string[] =>
  LOOPBACK.test(peer) ? nodes : nodes.filter((node) => !LOOPBACK.test(node))

/** Where an application can be reached; `answers` is not tried here. */
export function addressesOf(service: KubeObject | undefined, nodes: string[]): z.infer<typeof Address>[] {
  if (!service) return []
  const { name, namespace } = service.metadata
  const ports: { port: number; nodePort?: number; name?: string; protocol?: string }[] = service.spec?.ports ?? []
  const inside = ports.map(({ port, name: portName }) => ({
    url: `${scheme(portName)}://${name}.${namespace}.svc:${port}`,
    kind: 'cluster' as const,
    answers: null,
  }))
  const onNodes = ports
    .filter(({ nodePort, protocol }) => nodePort && (protocol ?? 'TCP') === 'TCP')
    .flatMap(({ nodePort, name: portName }) =>
      nodes.map((node) => ({
        url: `${scheme(portName)}://${host(node)}:${nodePort}`,
        kind: 'node' as const,
        answers: false,
      })),
    )
  return [...onNodes, ...inside]
}

const host = (address: string) => (address.includes(':') ? `[${address}]` : address)
const scheme = (portName: string | undefined) => {
  if (portName === undefined || /^(http|web|www|api)/.test(portName))
    return portName?.startsWith('https') ? 'https' : 'http'
  return /^(udp|tcp|sctp)-/.test(portName) ? 'tcp' : 'http'
}

/** Address of a node as seen from outside the cluster; pods and this server may not share a network with it. */
export const nodeAddress = (node: KubeObject): string | undefined => {
  const addresses: { type: string; address: string }[] = node.status?.addresses ?? []
  return (addresses.find(({ type }) => type === 'ExternalIP') ?? addresses.find(({ type }) => type === 'InternalIP'))
    ?.address
}
