import type { KubeObject } from '@quarterdeck/kernel'
import { ApplicationPort, ApplicationSpec } from './application.contract.ts'
import { MANAGED_BY, type Placement } from './manifest.rules.ts'

/** The kinds that keep pods running; one of them is what an application is seen by. */
const WORKLOADS = ['Deployment', 'StatefulSet', 'DaemonSet']
const RESTART_TIME = 'quarterdeck.dev/restart-time'

/** The workload that stands for the application: of its own name, else the first Deployment, StatefulSet or DaemonSet. */
export function mainWorkload(manifests: KubeObject[], name: string): KubeObject | undefined {
  const all = WORKLOADS.flatMap((kind) => manifests.filter((one) => one.kind === kind && one.apiVersion === 'apps/v1'))
  return all.find(({ metadata }) => metadata.name === name) ?? all[0]
}

/** The Service by which it is reached: of its own name, else the first. */
export function mainService(manifests: KubeObject[], name: string): KubeObject | undefined {
  const all = manifests.filter(({ apiVersion, kind }) => kind === 'Service' && apiVersion === 'v1')
  return all.find(({ metadata }) => metadata.name === name) ?? all[0]
}

interface Container {
  name?: string
  image?: string
  ports?: { name?: string; containerPort?: number; protocol?: string }[]
}
const containersOf = (workload: KubeObject | undefined): Container[] => {
  const containers: unknown = workload?.spec?.template?.spec?.containers
  return Array.isArray(containers) ? containers : []
}
const mainContainer = (workload: KubeObject | undefined, name: string): Container | undefined => {
  const containers = containersOf(workload)
  return containers.find((container) => container?.name === name) ?? containers[0]
}

const EXPOSURE: Record<string, ApplicationSpec['exposure']> = { NodePort: 'node', LoadBalancer: 'node' }

/** What lists and the console show of objects that somebody wrote himself. Undefined where there is no workload or image. */
export function specOf(manifests: KubeObject[], name: string): ApplicationSpec | undefined {
  const workload = mainWorkload(manifests, name)
  const service = mainService(manifests, name)
  const container = mainContainer(workload, name)
  const ports = (container?.ports ?? []).flatMap((port) => {
    const parsed = ApplicationPort.safeParse({ ...port, name: port?.name ?? `port-${port?.containerPort}` })
    return parsed.success ? [parsed.data] : []
  })
  const spec = ApplicationSpec.safeParse({
    image: container?.image,
    replicas: workload?.kind === 'DaemonSet' ? 1 : (workload?.spec?.replicas ?? 1),
    exposure: service ? (EXPOSURE[service.spec?.type] ?? 'cluster') : 'none',
    ports,
  })
  return spec.success ? spec.data : undefined
}

/** They are JSON, whatever their type says. */
const copyOf = (manifest: KubeObject): KubeObject => JSON.parse(JSON.stringify(manifest))

/** The manifests with what one of our own acts changes, and nothing else. */
export function edited(
  manifests: KubeObject[],
  name: string,
  change: { replicas?: number; image?: string; restartTime?: string },
): KubeObject[] {
  const main = mainWorkload(manifests, name)
  const { replicas, image, restartTime } = change
  return manifests.map((manifest) => {
    const next = copyOf(manifest)
    if (manifest === main && replicas !== undefined && next.kind !== 'DaemonSet') next.spec.replicas = replicas
    const container = mainContainer(next, name)
    if (manifest === main && image !== undefined && container) container.image = image
    if (restartTime !== undefined && WORKLOADS.includes(next.kind)) {
      const { metadata } = next.spec.template
      next.spec.template.metadata = {
        ...metadata,
        annotations: { ...metadata?.annotations, [RESTART_TIME]: restartTime },
      }
    }
    return next
  })
}

/** The object with the labels by which it and its pods are found, or why it cannot have them. */
export function labelled(
  manifest: KubeObject,
  { name, namespace, environment }: Placement,
): { object: KubeObject; clash?: string } {
  const labels = {
    ...MANAGED_BY,
    'app.kubernetes.io/instance': name,
    'quarterdeck.dev/environment': environment,
  }
  const object = copyOf(manifest)
  object.metadata = { ...object.metadata, namespace, labels: { ...object.metadata.labels, ...labels } }
  const selected: Record<string, unknown> = object.spec?.selector?.matchLabels ?? {}
  for (const [key, value] of Object.entries(labels)) {
    if (selected[key] === undefined || selected[key] === value) continue
    if (WORKLOADS.includes(object.kind)) {
      return {
        object,
        clash: `selector.matchLabels has ${key}: ${String(selected[key])}; leave it out, or write ${value}.`,
      }
    }
  }
  const template = templateOf(object)
  if (template) template.metadata = { ...template.metadata, labels: { ...template.metadata?.labels, ...labels } }
  return { object }
}

type Template = { metadata?: { labels?: Record<string, string> } }

function templateOf({ kind, spec }: KubeObject): Template | undefined {
  const template: unknown = kind === 'CronJob' ? spec?.jobTemplate?.spec?.template : spec?.template
  return [...WORKLOADS, 'ReplicaSet', 'Job', 'CronJob'].includes(kind) && typeof template === 'object' && template
    ? (template as Template)
    : undefined
}
