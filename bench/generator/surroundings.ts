import { addressOf, namespaceNames, nodeName, teamOf } from './names.ts'
import type { Random } from './random.ts'
import { before, type ClusterShape, type Generated, type KubernetesObject } from './shape.ts'

const namespaced = (kind: string, resource: string, namespace: string, name: string, object: object): Generated => ({
  key: `/registry/${resource}/${namespace}/${name}`,
  object: { apiVersion: 'v1', kind, ...object } as KubernetesObject,
})

/** Namespaces with the default ServiceAccount that each has. */
export function* namespaces(random: Random, shape: ClusterShape): Generator<Generated> {
  for (const name of namespaceNames(shape.namespaces)) {
    yield {
      key: `/registry/namespaces/${name}`,
      object: {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: {
          name,
          uid: random.uid(),
          creationTimestamp: before(random.whole(1_000_000, 20_000_000)),
          labels: { 'kubernetes.io/metadata.name': name, team: teamOf(name) },
        },
        spec: { finalizers: ['kubernetes'] },
        status: { phase: 'Active' },
      },
    }
    yield namespaced('ServiceAccount', 'serviceaccounts', name, 'default', {
      metadata: { name: 'default', namespace: name, uid: random.uid(), creationTimestamp: before(1_000_000) },
    })
  }
}

/** Nodes in three zones; one in a hundred is not ready, one in fifty takes no new pods. */
export function* nodes(random: Random, shape: ClusterShape): Generator<Generated> {
  for (let n = 0; n < shape.nodes; n++) {
    const name = nodeName(n)
    yield { key: `/registry/minions/${name}`, object: nodeOf(random, name, n) }
  }
}

function nodeOf(random: Random, name: string, n: number): KubernetesObject {
  const ready = !random.chance(0.01)
  const conditions = ['MemoryPressure', 'DiskPressure', 'PIDPressure', 'Ready'].map((type) => ({
    type,
    status: type === 'Ready' ? (ready ? 'True' : 'Unknown') : 'False',
    lastHeartbeatTime: before(random.whole(1, 300)),
    lastTransitionTime: before(86_400),
    reason: type === 'Ready' ? (ready ? 'KubeletReady' : 'NodeStatusUnknown') : `KubeletHasNo${type}`,
    message: ready ? 'kubelet is posting ready status' : 'Kubelet stopped posting node status.',
  }))
  const resources = (cores: number, gibibytes: number) => ({
    cpu: String(cores),
    memory: `${gibibytes * 1_048_576}Ki`,
    pods: '110',
    'ephemeral-storage': '209612800Ki',
  })
  const machine = random.pick(['m8', 'm16', 'c32'])
  const cores = Number(machine.slice(1))
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      uid: random.uid(),
      creationTimestamp: before(random.whole(100_000, 20_000_000)),
      labels: {
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
        'kubernetes.io/arch': random.chance(0.2) ? 'arm64' : 'amd64',
        'topology.kubernetes.io/region': 'campus',
        'topology.kubernetes.io/zone': `zone-${name[5]}`,
        'node.kubernetes.io/instance-type': machine,
      },
    },
    spec: { podCIDR: `${addressOf(10, (n + 256) << 8)}/24`, ...(random.chance(0.02) ? { unschedulable: true } : {}) },
    status: {
      capacity: resources(cores, cores * 4),
      allocatable: resources(cores - 0.5, cores * 4 - 2),
      conditions,
      addresses: [
        { type: 'InternalIP', address: addressOf(172, n + 256) },
        { type: 'Hostname', address: name },
      ],
      nodeInfo: {
        machineID: random.hex(32),
        systemUUID: random.uid(),
        bootID: random.uid(),
        kernelVersion: '6.12.48+deb13-amd64',
        osImage: 'Debian GNU/Linux 13 (trixie)',
        containerRuntimeVersion: 'containerd://2.1.4',
        kubeletVersion: random.chance(0.1) ? 'v1.35.6' : 'v1.36.3',
        kubeProxyVersion: '',
        operatingSystem: 'linux',
        architecture: 'amd64',
      },
    },
  }
}

/** ConfigMaps, Secrets, Services with the addresses they hold, and events: what else a namespace is full of. */
export function* contents(random: Random, shape: ClusterShape): Generator<Generated> {
  const names = namespaceNames(shape.namespaces)
  const share = (of: number) => Math.max(5, Math.round(shape.pods / of))
  const metadata = (name: string, namespace: string) => ({
    name,
    namespace,
    uid: random.uid(),
    creationTimestamp: before(random.whole(60, 15_000_000)),
    labels: { 'app.kubernetes.io/part-of': teamOf(namespace) },
  })
  for (let n = 0; n < share(15); n++) {
    const namespace = random.pick(names)
    const name = n < names.length ? 'settings' : `settings-${random.letters(6)}`
    const place = n < names.length ? (names[n] ?? namespace) : namespace
    const data = Object.fromEntries(
      Array.from({ length: random.whole(1, 8) }, (_, key) => [`key-${key}`, random.hex(random.whole(8, 200))]),
    )
    yield namespaced('ConfigMap', 'configmaps', place, name, { metadata: metadata(name, place), data })
  }
  for (let n = 0; n < share(20); n++) {
    const namespace = random.pick(names)
    const name = `credentials-${random.letters(6)}`
    const data = {
      user: Buffer.from('app').toString('base64'),
      password: Buffer.from(random.hex(40)).toString('base64'),
    }
    yield namespaced('Secret', 'secrets', namespace, name, {
      metadata: metadata(name, namespace),
      type: 'Opaque',
      data,
    })
  }
  for (let n = 0; n < Math.min(share(15), 60_000); n++) yield* service(random, random.pick(names), n, metadata)
  for (let n = 0; n < share(8); n++) yield event(random, random.pick(names), metadata)
}

type MetadataOf = (name: string, namespace: string) => KubernetesObject['metadata']

/** Two of three have an address. The API server wants each address to be an object of its own, or makes it. */
function* service(random: Random, namespace: string, n: number, metadata: MetadataOf): Generator<Generated> {
  const name = `service-${n}`
  const address = random.chance(0.67) ? `10.0.${(n >> 8) + 1}.${n & 255}` : 'None'
  yield namespaced('Service', 'services/specs', namespace, name, {
    metadata: metadata(name, namespace),
    spec: {
      ports: [{ name: 'http', protocol: 'TCP', port: 80, targetPort: 8080 }],
      selector: { app: `app-${n}` },
      clusterIP: address,
      clusterIPs: [address],
      type: 'ClusterIP',
      sessionAffinity: 'None',
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
      internalTrafficPolicy: 'Cluster',
    },
    status: { loadBalancer: {} },
  })
  if (address === 'None') return
  yield {
    key: `/registry/ipaddresses/${address}`,
    object: {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'IPAddress',
      metadata: {
        name: address,
        uid: random.uid(),
        creationTimestamp: before(1_000_000),
        labels: {
          'ipaddress.kubernetes.io/ip-family': 'IPv4',
          'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io',
        },
      },
      spec: { parentRef: { group: '', resource: 'services', namespace, name } },
    },
  }
}

const REASONS: [string, string, string][] = [
  ['Normal', 'Scheduled', 'Successfully assigned the pod'],
  ['Normal', 'Pulled', 'Container image already present on machine'],
  ['Normal', 'Started', 'Started container app'],
  ['Warning', 'BackOff', 'Back-off restarting failed container'],
  ['Warning', 'Unhealthy', 'Readiness probe failed: HTTP probe failed with statuscode: 503'],
  ['Warning', 'FailedScheduling', 'nodes are available: insufficient memory'],
]

function event(random: Random, namespace: string, metadata: MetadataOf): Generated {
  const about = `${random.pick(['api', 'web', 'worker'])}-${random.letters(9)}-${random.letters(5)}`
  const name = `${about}.${random.hex(16)}`
  const [type, reason, message] = random.pick(REASONS)
  const seconds = random.whole(5, 3_500)
  return namespaced('Event', 'events', namespace, name, {
    metadata: { ...metadata(name, namespace), creationTimestamp: before(seconds + 60) },
    involvedObject: { kind: 'Pod', namespace, name: about, uid: random.uid(), apiVersion: 'v1' },
    reason,
    message,
    source: { component: 'kubelet', host: nodeName(random.whole(0, 4)) },
    firstTimestamp: before(seconds + 60),
    lastTimestamp: before(seconds),
    count: random.whole(1, 90),
    type,
    eventTime: null,
    reportingComponent: 'kubelet',
    reportingInstance: '',
  })
}
