import type { KubeObject, KubeRef } from '@quarterdeck/kernel'
import type { ApplicationPort, ApplicationSpec, Probe } from './application.contract.ts'

/** What the manifests take from the image besides its name. */
export interface ImageFacts {
  digest: string
  /** As in the image's configuration: empty, a number or a name, perhaps with a group. */
  user: string
  volumes: string[]
}

/** Where an application lives and what its manifests hold besides the specification. */
export interface Placement {
  name: string
  namespace: string
  environment: string
  image?: ImageFacts | undefined
  /** When its pods were last restarted on request, RFC 3339. */
  restartTime?: string | undefined
}

export const MANAGED_BY = { 'app.kubernetes.io/managed-by': 'quarterdeck' }
const ENVIRONMENT = 'quarterdeck.dev/environment'
const RESTART_TIME = 'quarterdeck.dev/restart-time'
const IMAGE_DIGEST = 'quarterdeck.dev/image-digest'

/** Whose an object is that no application of this environment made; undefined: it may be taken over. */
export function othersThan({ metadata: { labels = {} } }: KubeObject, environment: string): string | undefined {
  if (labels['app.kubernetes.io/managed-by'] !== MANAGED_BY['app.kubernetes.io/managed-by'])
    return 'was not made by Quarterdeck'
  return labels[ENVIRONMENT] === environment ? undefined : `belongs to environment ${labels[ENVIRONMENT] ?? 'unknown'}`
}

/** The labels by which the pods of an application are found. */
export const podLabels = (name: string): Record<string, string> => ({
  'app.kubernetes.io/name': name,
  'app.kubernetes.io/instance': name,
})

export const deploymentRef = (namespace: string, name: string): KubeRef => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  namespace,
  name,
})
export const serviceRef = (namespace: string, name: string): KubeRef => ({
  apiVersion: 'v1',
  kind: 'Service',
  namespace,
  name,
})

/** The objects that an application is: a Deployment and, where it is exposed, a Service. */
export function manifestsOf(spec: ApplicationSpec, placement: Placement): KubeObject[] {
  const service = serviceOf(spec, placement)
  return service ? [service, deploymentOf(spec, placement)] : [deploymentOf(spec, placement)]
}

const labelsOf = ({ name, environment }: Placement) => ({
  ...podLabels(name),
  ...MANAGED_BY,
  [ENVIRONMENT]: environment,
})

function deploymentOf(spec: ApplicationSpec, placement: Placement): KubeObject {
  const { name, namespace, image, restartTime } = placement
  const annotations = {
    ...(image ? { [IMAGE_DIGEST]: image.digest } : {}),
    ...(restartTime ? { [RESTART_TIME]: restartTime } : {}),
  }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace, labels: labelsOf(placement) },
    spec: {
      replicas: spec.replicas,
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 120,
      // With nothing to ask, a pod counts only when it has lived a little: one that ends at once was never available.
      ...(spec.readinessProbe ? {} : { minReadySeconds: 5 }),
      selector: { matchLabels: podLabels(name) },
      // A new pod is ready before an old one ends, so that somebody answers at every moment.
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: {
        metadata: {
          labels: labelsOf(placement),
          ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
        },
        spec: podSpec(spec, placement),
      },
    },
  }
}

function podSpec(spec: ApplicationSpec, { name, image }: Placement) {
  const volumes = (image?.volumes ?? []).map((path, index) => ({ name: `scratch-${index}`, path }))
  const ports = spec.ports ?? []
  const port = ports.find(({ protocol }) => protocol === 'TCP')?.containerPort
  const container = {
    name,
    image: spec.image,
    ...(spec.command ? { command: spec.command } : {}),
    ...(spec.args ? { args: spec.args } : {}),
    ...(spec.variables.length > 0 ? { env: spec.variables } : {}),
    ...(ports.length > 0 ? { ports: ports.map(containerPort) } : {}),
    ...resourcesOf(spec),
    ...(spec.readinessProbe ? { readinessProbe: probeOf(spec.readinessProbe, port) } : {}),
    ...(spec.livenessProbe ? { livenessProbe: probeOf(spec.livenessProbe, port) } : {}),
    ...(volumes.length > 0 ? { volumeMounts: volumes.map(({ name, path }) => ({ name, mountPath: path })) } : {}),
    securityContext: { allowPrivilegeEscalation: false, ...userOf(spec, image) },
  }
  return {
    securityContext: { seccompProfile: { type: 'RuntimeDefault' } },
    containers: [container],
    ...(volumes.length > 0 ? { volumes: volumes.map(({ name }) => ({ name, emptyDir: {} })) } : {}),
  }
}

const containerPort = ({ name, containerPort, protocol }: ApplicationPort) => ({ name, containerPort, protocol })

function resourcesOf(spec: ApplicationSpec) {
  const requests = {
    ...(spec.cpuRequest ? { cpu: spec.cpuRequest } : {}),
    ...(spec.memoryRequest ? { memory: spec.memoryRequest } : {}),
  }
  const limits = {
    ...(spec.cpuLimit ? { cpu: spec.cpuLimit } : {}),
    ...(spec.memoryLimit ? { memory: spec.memoryLimit } : {}),
  }
  const resources = {
    ...(Object.keys(requests).length > 0 ? { requests } : {}),
    ...(Object.keys(limits).length > 0 ? { limits } : {}),
  }
  return Object.keys(resources).length > 0 ? { resources } : {}
}

/** runAsNonRoot only where the user is a number, since the kubelet refuses a name that it cannot look up. */
function userOf({ runAsUser }: ApplicationSpec, image: ImageFacts | undefined) {
  const given = runAsUser === undefined ? {} : { runAsUser }
  const user = runAsUser ?? Number(/^(\d+)(:|$)/.exec(image?.user ?? '')?.[1] ?? 0)
  return user > 0 ? { ...given, runAsNonRoot: true } : given
}

function probeOf({ kind, path, port, command, initialDelaySeconds, periodSeconds }: Probe, first: number | undefined) {
  const times = { initialDelaySeconds, periodSeconds }
  if (kind === 'exec') return { exec: { command: command ?? [] }, ...times }
  const asked = port ?? first ?? 80
  return kind === 'http'
    ? { httpGet: { path: path ?? '/', port: asked }, ...times }
    : { tcpSocket: { port: asked }, ...times }
}

function serviceOf(spec: ApplicationSpec, placement: Placement): KubeObject | undefined {
  const ports = spec.ports ?? []
  if (spec.exposure === 'none' || ports.length === 0) return undefined
  const { name, namespace } = placement
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace, labels: labelsOf(placement) },
    spec: {
      type: spec.exposure === 'node' ? 'NodePort' : 'ClusterIP',
      selector: podLabels(name),
      ports: ports.map(({ name: portName, containerPort, servicePort, nodePort, protocol }) => ({
        name: portName,
        port: servicePort ?? containerPort,
        targetPort: portName,
        protocol,
        ...(spec.exposure === 'node' && nodePort ? { nodePort } : {}),
      })),
    },
  }
}

/** Fields of the specification that do not go together, as blockers; the schema cannot say it. */
export function inconsistencies(spec: ApplicationSpec): { pointer: string; detail: string }[] {
  const found: { pointer: string; detail: string }[] = []
  const seen = { name: new Set<string>(), service: new Set<string>() }
  for (const [index, port] of (spec.ports ?? []).entries()) {
    const at = `/ports/${index}`
    const service = `${port.servicePort ?? port.containerPort}/${port.protocol}`
    if (seen.name.has(port.name))
      found.push({ pointer: `${at}/name`, detail: `Two ports are called ${port.name}; give each its own name.` })
    if (seen.service.has(service))
      found.push({
        pointer: `${at}/servicePort`,
        detail: `Two ports of the Service are ${service}; give each its own number.`,
      })
    if (!/[a-z]/.test(port.name))
      found.push({ pointer: `${at}/name`, detail: 'A port name needs at least one letter.' })
    seen.name.add(port.name)
    seen.service.add(service)
  }
  for (const [field, probe] of [
    ['readinessProbe', spec.readinessProbe],
    ['livenessProbe', spec.livenessProbe],
  ] as const) {
    if (!probe) continue
    if (probe.kind === 'exec' && !probe.command?.length)
      found.push({ pointer: `/${field}/command`, detail: 'An exec probe needs a command.' })
    if (probe.kind !== 'exec' && !probe.port && !spec.ports?.some(({ protocol }) => protocol === 'TCP')) {
      found.push({ pointer: `/${field}/port`, detail: 'This probe needs a port; the application has none.' })
    }
    if (probe.path !== undefined && !probe.path.startsWith('/'))
      found.push({ pointer: `/${field}/path`, detail: 'A path begins with /.' })
  }
  return found
}
