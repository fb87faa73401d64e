import type { KubeObject } from '@quarterdeck/kernel'
import { templateOf } from './template.rules.ts'

/** Another object that an object names, or a choice of pods by labels. */
export interface Reference {
  /** '' is the core group. */
  group: string
  kind: string
  /** '' for what belongs to no namespace. */
  namespace: string
  /** '' when `labels` say which. */
  name: string
  /** Where it is said: spec.volumes[0].configMap. */
  because: string
  optional?: true
  /** Pods that have all of these. */
  labels?: Record<string, string>
}

// biome-ignore lint/suspicious/noExplicitAny: objects of any kind, as the API server has validated them
type Any = any

/** Calls `read` with each member of a list and the place where it stands. */
function each(value: Any, at: string, read: (item: Any, at: string) => unknown): void {
  if (!Array.isArray(value)) return
  for (const [index, item] of value.entries()) if (item) read(item, `${at}[${index}]`)
}

/** Collects references of one object; `namespace` is where names without one belong. */
class Collector {
  readonly found: Reference[] = []
  readonly #namespace: string

  constructor(namespace: string) {
    this.#namespace = namespace
  }

  /** In the same namespace. */
  near(
    kind: string,
    name: Any,
    because: string,
    { group = '', optional }: { group?: string; optional?: Any } = {},
  ): void {
    this.#add({ group, kind, namespace: this.#namespace, name, because, ...(optional === true ? { optional } : {}) })
  }

  /** Of the whole cluster. */
  wide(group: string, kind: string, name: Any, because: string): void {
    this.#add({ group, kind, namespace: '', name, because })
  }

  in(namespace: Any, group: string, kind: string, name: Any, because: string): void {
    this.#add({ group, kind, namespace: typeof namespace === 'string' ? namespace : this.#namespace, name, because })
  }

  pods(labels: Any, because: string): void {
    if (typeof labels !== 'object' || labels === null || Object.keys(labels).length === 0) return
    this.found.push({ group: '', kind: 'Pod', namespace: this.#namespace, name: '', because, labels })
  }

  #add(reference: Omit<Reference, 'name'> & { name: Any }): void {
    const { group, kind, namespace, name } = reference
    if (typeof name !== 'string' || name === '') return
    const known = this.found.find(
      (one) => one.kind === kind && one.group === group && one.namespace === namespace && one.name === name,
    )
    if (!known) this.found.push({ ...reference, name })
    else if (!reference.optional) delete known.optional
  }
}

/** What an object names, in the order in which it does; each thing once, with the first place that names it. */
export function referencesOf(object: KubeObject): Reference[] {
  const to = new Collector(object.metadata.namespace ?? '')
  const template = templateOf(object)
  if (template) podReferences(template.spec ?? {}, template.at, to)
  RULES[`${groupOf(object.apiVersion)}/${object.kind}`]?.(object, to)
  return to.found
}

/** 'apps' of 'apps/v1', '' of 'v1'. */
export const groupOf = (apiVersion: string): string =>
  apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : ''

function podReferences(spec: Any, at: string, to: Collector): void {
  to.near('ServiceAccount', spec.serviceAccountName, `${at}.serviceAccountName`)
  each(spec.volumes, `${at}.volumes`, (volume, path) => volumeReferences(volume, path, to))
  for (const part of ['initContainers', 'containers', 'ephemeralContainers']) {
    each(spec[part], `${at}.${part}`, (container, path) => containerReferences(container, path, to))
  }
  each(spec.imagePullSecrets, `${at}.imagePullSecrets`, ({ name }, path) => to.near('Secret', name, path))
  to.wide('', 'Node', spec.nodeName, `${at}.nodeName`)
  to.wide('scheduling.k8s.io', 'PriorityClass', spec.priorityClassName, `${at}.priorityClassName`)
  to.wide('node.k8s.io', 'RuntimeClass', spec.runtimeClassName, `${at}.runtimeClassName`)
}

function volumeReferences(volume: Any, at: string, to: Collector): void {
  const { configMap, secret, persistentVolumeClaim, projected, csi } = volume
  to.near('ConfigMap', configMap?.name, `${at}.configMap`, configMap)
  to.near('Secret', secret?.secretName, `${at}.secret`, secret)
  to.near('PersistentVolumeClaim', persistentVolumeClaim?.claimName, `${at}.persistentVolumeClaim`)
  to.near('Secret', csi?.nodePublishSecretRef?.name, `${at}.csi.nodePublishSecretRef`)
  each(projected?.sources, `${at}.projected.sources`, (source, path) => {
    to.near('ConfigMap', source.configMap?.name, `${path}.configMap`, source.configMap)
    to.near('Secret', source.secret?.name, `${path}.secret`, source.secret)
  })
}

function containerReferences(container: Any, at: string, to: Collector): void {
  each(container.envFrom, `${at}.envFrom`, ({ configMapRef, secretRef }, path) => {
    to.near('ConfigMap', configMapRef?.name, `${path}.configMapRef`, configMapRef)
    to.near('Secret', secretRef?.name, `${path}.secretRef`, secretRef)
  })
  each(container.env, `${at}.env`, ({ name, valueFrom }) => {
    to.near('ConfigMap', valueFrom?.configMapKeyRef?.name, `${at}.env[${name}]`, valueFrom?.configMapKeyRef)
    to.near('Secret', valueFrom?.secretKeyRef?.name, `${at}.env[${name}]`, valueFrom?.secretKeyRef)
  })
}

/** A reference that says apiVersion, kind and name itself. `namespace` holds where it says none. */
const named = (ref: Any, because: string, to: Collector, namespace?: string) =>
  ref && to.in(ref.namespace ?? namespace, groupOf(ref.apiVersion ?? 'v1'), String(ref.kind ?? ''), ref.name, because)

const webhooks = ({ webhooks: all }: KubeObject, to: Collector) =>
  each(all, 'webhooks', ({ clientConfig }, at) => {
    to.in(clientConfig?.service?.namespace, '', 'Service', clientConfig?.service?.name, `${at}.clientConfig.service`)
  })

const binding = ({ roleRef, subjects }: KubeObject, to: Collector) => {
  const role = roleRef?.kind === 'ClusterRole' ? to.wide.bind(to) : to.in.bind(to, undefined)
  role('rbac.authorization.k8s.io', String(roleRef?.kind ?? ''), roleRef?.name, 'roleRef')
  each(subjects, 'subjects', ({ kind, namespace, name }, at) => {
    if (kind === 'ServiceAccount') to.in(namespace, '', 'ServiceAccount', name, at)
  })
}

const route = ({ spec }: KubeObject, to: Collector) => {
  const gateway = 'gateway.networking.k8s.io'
  each(spec?.parentRefs, 'spec.parentRefs', ({ group = gateway, kind = 'Gateway', namespace, name }, at) => {
    to.in(namespace, group, kind, name, at)
  })
  each(spec?.rules, 'spec.rules', ({ backendRefs }, at) =>
    each(backendRefs, `${at}.backendRefs`, ({ group = '', kind = 'Service', namespace, name }, path) => {
      to.in(namespace, group, kind, name, path)
    }),
  )
}

const ingressBackend = (backend: Any, at: string, to: Collector) => {
  to.near('Service', backend?.service?.name, `${at}.service`)
  named(
    backend?.resource && { apiVersion: `${backend.resource.apiGroup ?? ''}/`, ...backend.resource },
    `${at}.resource`,
    to,
  )
}

/** What kinds that are not pods or made of pods name, by group and kind. */
const RULES: Record<string, (object: KubeObject, to: Collector) => unknown> = {
  '/Service': ({ spec }, to) => to.pods(spec?.selector, 'spec.selector'),
  '/ServiceAccount': ({ secrets, imagePullSecrets }, to) => {
    each(secrets, 'secrets', ({ name }, at) => to.near('Secret', name, at))
    each(imagePullSecrets, 'imagePullSecrets', ({ name }, at) => to.near('Secret', name, at))
  },
  '/PersistentVolumeClaim': ({ spec }, to) => {
    to.wide('', 'PersistentVolume', spec?.volumeName, 'spec.volumeName')
    to.wide('storage.k8s.io', 'StorageClass', spec?.storageClassName, 'spec.storageClassName')
  },
  '/PersistentVolume': ({ spec }, to) => {
    to.in(spec?.claimRef?.namespace, '', 'PersistentVolumeClaim', spec?.claimRef?.name, 'spec.claimRef')
    to.wide('storage.k8s.io', 'StorageClass', spec?.storageClassName, 'spec.storageClassName')
  },
  '/Event': ({ involvedObject }, to) => named(involvedObject, 'involvedObject', to, ''),
  'events.k8s.io/Event': ({ regarding }, to) => named(regarding, 'regarding', to, ''),
  'apps/StatefulSet': ({ spec }, to) => to.near('Service', spec?.serviceName, 'spec.serviceName'),
  'autoscaling/HorizontalPodAutoscaler': ({ spec }, to) => named(spec?.scaleTargetRef, 'spec.scaleTargetRef', to),
  'policy/PodDisruptionBudget': ({ spec }, to) => to.pods(spec?.selector?.matchLabels, 'spec.selector'),
  'networking.k8s.io/NetworkPolicy': ({ spec }, to) => to.pods(spec?.podSelector?.matchLabels, 'spec.podSelector'),
  'networking.k8s.io/Ingress': ({ spec }, to) => {
    to.wide('networking.k8s.io', 'IngressClass', spec?.ingressClassName, 'spec.ingressClassName')
    ingressBackend(spec?.defaultBackend, 'spec.defaultBackend', to)
    each(spec?.rules, 'spec.rules', ({ http }, at) =>
      each(http?.paths, `${at}.http.paths`, ({ backend }, path) => ingressBackend(backend, `${path}.backend`, to)),
    )
    each(spec?.tls, 'spec.tls', ({ secretName }, at) => to.near('Secret', secretName, `${at}.secretName`))
  },
  'gateway.networking.k8s.io/Gateway': ({ spec }, to) => {
    to.wide('gateway.networking.k8s.io', 'GatewayClass', spec?.gatewayClassName, 'spec.gatewayClassName')
    each(spec?.listeners, 'spec.listeners', ({ tls }, at) =>
      each(
        tls?.certificateRefs,
        `${at}.tls.certificateRefs`,
        ({ group = '', kind = 'Secret', namespace, name }, path) => to.in(namespace, group, kind, name, path),
      ),
    )
  },
  'gateway.networking.k8s.io/HTTPRoute': route,
  'gateway.networking.k8s.io/GRPCRoute': route,
  'discovery.k8s.io/EndpointSlice': ({ metadata, endpoints }, to) => {
    const service = metadata.labels?.['kubernetes.io/service-name']
    to.near('Service', service, 'metadata.labels[kubernetes.io/service-name]')
    each(endpoints, 'endpoints', ({ targetRef }, at) => named(targetRef, `${at}.targetRef`, to))
  },
  'rbac.authorization.k8s.io/RoleBinding': binding,
  'rbac.authorization.k8s.io/ClusterRoleBinding': binding,
  'admissionregistration.k8s.io/ValidatingWebhookConfiguration': webhooks,
  'admissionregistration.k8s.io/MutatingWebhookConfiguration': webhooks,
  'apiregistration.k8s.io/APIService': ({ spec }, to) =>
    to.in(spec?.service?.namespace, '', 'Service', spec?.service?.name, 'spec.service'),
  'apiextensions.k8s.io/CustomResourceDefinition': ({ spec }, to) => {
    const service = spec?.conversion?.webhook?.clientConfig?.service
    to.in(service?.namespace, '', 'Service', service?.name, 'spec.conversion.webhook.clientConfig.service')
  },
  'storage.k8s.io/VolumeAttachment': ({ spec }, to) => {
    to.wide('', 'PersistentVolume', spec?.source?.persistentVolumeName, 'spec.source.persistentVolumeName')
    to.wide('', 'Node', spec?.nodeName, 'spec.nodeName')
  },
}
