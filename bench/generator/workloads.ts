import { containersOf } from './containers.ts'
import { applicationName, nodeName, stageOf, teamOf } from './names.ts'
import { type PodState, statusOfPod } from './pod-status.ts'
import { type PodTemplate, podOf } from './pods.ts'
import type { Random } from './random.ts'
import { before, type ClusterShape, type Generated, type KubernetesObject, ownedBy } from './shape.ts'

/** The cluster's pods with the workloads that own them, about an eighth each of daemons, sets and jobs together. */
export function* workloads(random: Random, shape: ClusterShape, namespaces: readonly string[]): Generator<Generated> {
  const makePod = podMaker(random, shape)
  let left = shape.pods
  for (const name of ['node-agent', 'log-collector', 'network-agent']) {
    if (left < shape.nodes) break
    left -= shape.nodes
    yield* daemonSet(random, shape, name, makePod)
  }
  for (let n = 0; left > 0; n++) {
    const namespace = namespaces[random.whole(3, namespaces.length - 1)] ?? 'default'
    const name = applicationName(random, namespace, n)
    const choice = random.next()
    if (choice < 0.25) {
      left -= 1
      yield* job(random, shape, { namespace, name }, makePod)
    } else {
      const replicas = Math.min(left, replicasOf(random))
      left -= replicas
      if (choice < 0.35) yield* statefulSet(random, shape, { namespace, name, replicas }, makePod)
      else yield* deployment(random, shape, { namespace, name, replicas }, makePod)
    }
  }
}

interface Place {
  namespace: string
  name: string
  replicas: number
}

type PodMaker = (template: PodTemplate, name: string, options?: { node?: number; state?: PodState }) => Generated

/** Most applications are small, a few are large. */
const replicasOf = (random: Random) => Math.min(400, 1 + Math.floor(3 / (random.next() + 0.012) ** 0.9))

/** Ages from minutes to half a year, most of them days. */
const ageOf = (random: Random) => Math.floor(60 + 15_000_000 * random.next() ** 4)

function podMaker(random: Random, shape: ClusterShape): PodMaker {
  let number = 0
  return (template, name, { node = random.whole(0, shape.nodes - 1), state = statusOfPod(random) } = {}) => {
    const place = { name, number, node: nodeName(node), nodeNumber: node, state, ageSeconds: ageOf(random) }
    number++
    return { key: `/registry/pods/${template.namespace}/${name}`, object: podOf(random, template, place) }
  }
}

const labelsOf = (random: Random, { namespace, name }: { namespace: string; name: string }) => ({
  app: name,
  'app.kubernetes.io/name': name.replace(/-\d+$/, ''),
  'app.kubernetes.io/instance': name,
  'app.kubernetes.io/managed-by': random.pick(['quarterdeck', 'Helm', 'argocd']),
  team: teamOf(namespace),
  stage: stageOf(namespace),
  tier: random.pick(['front', 'middle', 'back']),
})

function templateOf(
  random: Random,
  owner: KubernetesObject,
  labels: Record<string, string>,
  heavy: boolean,
): PodTemplate {
  const namespace = owner.metadata.namespace ?? 'default'
  return {
    owner,
    namespace,
    labels,
    annotations: random.chance(0.4)
      ? { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '9090', 'checksum/config': random.hex(64) }
      : {},
    containers: containersOf(random, labels.app ?? 'app', heavy) as PodTemplate['containers'],
    priority: random.chance(0.1) ? 1_000_000 : 0,
  }
}

function workload(
  random: Random,
  { apiVersion, kind, namespace, name }: { apiVersion: string; kind: string; namespace: string; name: string },
  labels: Record<string, string>,
  rest: { spec: object; status: object; owner?: KubernetesObject; annotations?: Record<string, string> },
): KubernetesObject {
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      namespace,
      uid: random.uid(),
      generation: random.whole(1, 9),
      creationTimestamp: before(ageOf(random)),
      labels,
      ...(rest.annotations ? { annotations: rest.annotations } : {}),
      ...(rest.owner ? { ownerReferences: [ownedBy(rest.owner)] } : {}),
    },
    spec: rest.spec,
    status: rest.status,
  }
}

const podTemplate = ({ labels, containers }: Pick<PodTemplate, 'labels' | 'containers'>) => ({
  metadata: { labels },
  spec: {
    containers,
    restartPolicy: 'Always',
    dnsPolicy: 'ClusterFirst',
    schedulerName: 'default-scheduler',
    securityContext: {},
  },
})

function* deployment(random: Random, shape: ClusterShape, place: Place, makePod: PodMaker): Generator<Generated> {
  const { namespace, name, replicas } = place
  const labels = labelsOf(random, place)
  const containers = containersOf(random, name, shape.heavy) as PodTemplate['containers']
  const at = { apiVersion: 'apps/v1', namespace }
  const revision = random.whole(2, 40)
  const owner = workload(random, { ...at, kind: 'Deployment', name }, labels, {
    annotations: { 'deployment.kubernetes.io/revision': String(revision) },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: podTemplate({ labels, containers }),
      strategy: { type: 'RollingUpdate' },
    },
    status: {
      observedGeneration: 1,
      replicas,
      updatedReplicas: replicas,
      readyReplicas: replicas,
      availableReplicas: replicas,
      conditions: [{ type: 'Available', status: 'True', reason: 'MinimumReplicasAvailable' }],
    },
  })
  yield { key: `/registry/deployments/${namespace}/${name}`, object: owner }
  for (const current of [false, true]) {
    const hash = random.letters(random.whole(9, 10))
    const setLabels = { ...labels, 'pod-template-hash': hash }
    const count = current ? replicas : 0
    const set = workload(random, { ...at, kind: 'ReplicaSet', name: `${name}-${hash}` }, setLabels, {
      owner,
      annotations: { 'deployment.kubernetes.io/revision': String(current ? revision : revision - 1) },
      spec: {
        replicas: count,
        selector: { matchLabels: { app: name, 'pod-template-hash': hash } },
        template: podTemplate({ labels: setLabels, containers }),
      },
      status: {
        replicas: count,
        ...(count > 0 ? { readyReplicas: count, availableReplicas: count } : {}),
        observedGeneration: 1,
      },
    })
    yield { key: `/registry/replicasets/${namespace}/${set.metadata.name}`, object: set }
    if (!current) continue
    const template = { ...templateOf(random, set, setLabels, shape.heavy), containers }
    for (let n = 0; n < replicas; n++) yield makePod(template, `${set.metadata.name}-${random.letters(5)}`)
  }
}

function* statefulSet(random: Random, shape: ClusterShape, place: Place, makePod: PodMaker): Generator<Generated> {
  const { namespace, name, replicas } = place
  const labels = labelsOf(random, place)
  const owner = workload(random, { apiVersion: 'apps/v1', kind: 'StatefulSet', namespace, name }, labels, {
    spec: {
      replicas,
      serviceName: name,
      selector: { matchLabels: { app: name } },
      template: podTemplate({
        labels,
        containers: containersOf(random, name, shape.heavy) as PodTemplate['containers'],
      }),
    },
    status: {
      replicas,
      readyReplicas: replicas,
      availableReplicas: replicas,
      currentReplicas: replicas,
      observedGeneration: 1,
    },
  })
  yield { key: `/registry/statefulsets/${namespace}/${name}`, object: owner }
  const template = templateOf(random, owner, labels, shape.heavy)
  for (let n = 0; n < replicas; n++) {
    const podLabels = {
      ...labels,
      'statefulset.kubernetes.io/pod-name': `${name}-${n}`,
      'apps.kubernetes.io/pod-index': String(n),
    }
    yield makePod({ ...template, labels: podLabels }, `${name}-${n}`)
  }
}

function* daemonSet(random: Random, shape: ClusterShape, name: string, makePod: PodMaker): Generator<Generated> {
  const namespace = 'monitoring'
  const labels = labelsOf(random, { namespace, name })
  const count = shape.nodes
  const owner = workload(random, { apiVersion: 'apps/v1', kind: 'DaemonSet', namespace, name }, labels, {
    spec: {
      selector: { matchLabels: { app: name } },
      template: podTemplate({
        labels,
        containers: containersOf(random, name, shape.heavy) as PodTemplate['containers'],
      }),
    },
    status: {
      currentNumberScheduled: count,
      desiredNumberScheduled: count,
      numberReady: count,
      numberMisscheduled: 0,
      numberAvailable: count,
    },
  })
  yield { key: `/registry/daemonsets/${namespace}/${name}`, object: owner }
  const template = templateOf(random, owner, labels, shape.heavy)
  for (let node = 0; node < count; node++) yield makePod(template, `${name}-${random.letters(5)}`, { node })
}

function* job(
  random: Random,
  shape: ClusterShape,
  place: Omit<Place, 'replicas'>,
  makePod: PodMaker,
): Generator<Generated> {
  const { namespace, name } = place
  const labels = { ...labelsOf(random, place), 'batch.kubernetes.io/job-name': name }
  const owner = workload(random, { apiVersion: 'batch/v1', kind: 'Job', namespace, name }, labels, {
    spec: {
      parallelism: 1,
      completions: 1,
      backoffLimit: 6,
      completionMode: 'NonIndexed',
      selector: { matchLabels: { 'batch.kubernetes.io/job-name': name } },
      template: podTemplate({
        labels,
        containers: containersOf(random, name, shape.heavy) as PodTemplate['containers'],
      }),
    },
    status: { succeeded: 1, conditions: [{ type: 'Complete', status: 'True' }] },
  })
  yield { key: `/registry/jobs/${namespace}/${name}`, object: owner }
  yield makePod(templateOf(random, owner, labels, shape.heavy), `${name}-${random.letters(5)}`, { state: 'completed' })
}
