import type { KubeObject } from '@quarterdeck/kernel'
import { groupOf, type Reference, referencesOf } from './reference.rules.ts'
import { templateOf } from './template.rules.ts'

/** A kind whose objects may name another; `wide` ones belong to no namespace. */
export interface Referrer {
  group: string
  kind: string
  wide?: true
}

const WORKLOADS: Referrer[] = [
  { group: 'apps', kind: 'Deployment' },
  { group: 'apps', kind: 'StatefulSet' },
  { group: 'apps', kind: 'DaemonSet' },
  { group: 'batch', kind: 'CronJob' },
  { group: 'batch', kind: 'Job' },
  { group: '', kind: 'Pod' },
]
const RBAC = 'rbac.authorization.k8s.io'
const BINDINGS: Referrer[] = [
  { group: RBAC, kind: 'RoleBinding' },
  { group: RBAC, kind: 'ClusterRoleBinding', wide: true },
]
const INGRESS: Referrer = { group: 'networking.k8s.io', kind: 'Ingress' }
const ROUTE: Referrer = { group: 'gateway.networking.k8s.io', kind: 'HTTPRoute' }
const GATEWAY: Referrer = { group: 'gateway.networking.k8s.io', kind: 'Gateway' }
const SCALERS: Referrer[] = [{ group: 'autoscaling', kind: 'HorizontalPodAutoscaler' }]
const SELECTORS: Referrer[] = [
  { group: '', kind: 'Service' },
  { group: 'policy', kind: 'PodDisruptionBudget' },
  { group: 'networking.k8s.io', kind: 'NetworkPolicy' },
]

const REFERRERS: Record<string, Referrer[]> = {
  '/ConfigMap': WORKLOADS,
  '/Secret': [...WORKLOADS, { group: '', kind: 'ServiceAccount' }, INGRESS, GATEWAY],
  '/PersistentVolumeClaim': WORKLOADS,
  '/ServiceAccount': [...WORKLOADS, ...BINDINGS],
  '/Service': [
    INGRESS,
    ROUTE,
    { group: 'apps', kind: 'StatefulSet' },
    { group: 'admissionregistration.k8s.io', kind: 'ValidatingWebhookConfiguration', wide: true },
    { group: 'admissionregistration.k8s.io', kind: 'MutatingWebhookConfiguration', wide: true },
    { group: 'apiregistration.k8s.io', kind: 'APIService', wide: true },
  ],
  '/Pod': SELECTORS,
  'apps/Deployment': [...SCALERS, ...SELECTORS],
  'apps/StatefulSet': [...SCALERS, ...SELECTORS],
  'apps/ReplicaSet': [...SCALERS, ...SELECTORS],
  'apps/DaemonSet': SELECTORS,
  [`${RBAC}/Role`]: BINDINGS.slice(0, 1),
  [`${RBAC}/ClusterRole`]: BINDINGS,
  'storage.k8s.io/StorageClass': [{ group: '', kind: 'PersistentVolumeClaim' }],
  'networking.k8s.io/IngressClass': [INGRESS],
  'gateway.networking.k8s.io/Gateway': [ROUTE],
  'gateway.networking.k8s.io/GatewayClass': [GATEWAY],
  'scheduling.k8s.io/PriorityClass': WORKLOADS,
}

/** The kinds that may name objects of this one; they have to be looked through. */
export const referrersOf = ({ apiVersion, kind }: Pick<KubeObject, 'apiVersion' | 'kind'>): Referrer[] =>
  REFERRERS[`${groupOf(apiVersion)}/${kind}`] ?? []

const controlled = ({ metadata }: KubeObject) => (metadata.ownerReferences ?? []).some(({ controller }) => controller)

/**
 * Where `candidate` names `object`; undefined when it does not. What a controller has made is passed over, since the
 * controller names the same – but not pods that mount a claim, which a StatefulSet gives each a name of its own.
 */
export function referenceTo(object: KubeObject, candidate: KubeObject): Reference | undefined {
  if (controlled(candidate) && object.kind !== 'PersistentVolumeClaim') return undefined
  const { name, namespace = '' } = object.metadata
  const group = groupOf(object.apiVersion)
  return referencesOf(candidate).find(
    (one) =>
      one.namespace === namespace &&
      (one.labels
        ? selects(one.labels, templateOf(object)?.labels)
        : one.name === name && one.kind === object.kind && one.group === group),
  )
}

const selects = (selector: Record<string, string>, labels: Record<string, string> | undefined) =>
  labels !== undefined && Object.entries(selector).every(([key, value]) => labels[key] === value)
