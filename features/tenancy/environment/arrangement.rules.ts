import { type KubeObject, type KubeRef, quantityValue, refOf } from '@quarterdeck/kernel'
import { QUOTA_RESOURCES, type Quota, quotaResources } from '../tenant/quota.contract.ts'
import type { Isolation, Limits } from './environment.contract.ts'
import type { EnvironmentDefinition } from './environment.rules.ts'

/** Role and RoleBinding of whom operations act as in an environment. */
const EXECUTOR = 'quarterdeck-executor'
const QUOTA = 'quarterdeck'
const ISOLATION = 'quarterdeck-isolation'
const RBAC = 'rbac.authorization.k8s.io'

type Arranged = Pick<
  EnvironmentDefinition,
  'name' | 'namespace' | 'stage' | 'title' | 'project' | 'tenant' | 'quota' | 'limits' | 'isolation' | 'podSecurity'
>

/** Everything of an environment on its cluster. One from before there was more is only its namespace. */
export function objectsOf(environment: Arranged): KubeObject[] {
  const namespace = namespaceOf(environment)
  if (environment.isolation === undefined) return [namespace]
  const limits = defaultedLimits(environment.limits, environment.quota)
  return [
    namespace,
    ...(Object.keys(environment.quota).length > 0 ? [quotaOf(environment)] : []),
    ...(limits ? [limitRangeOf(environment, limits)] : []),
    ...(environment.isolation === 'open' ? [] : [networkPolicyOf(environment, environment.isolation)]),
    ...executorOf(environment),
  ]
}

/** Objects of an environment as it was that are none of it as it is. */
export function noLonger(before: Arranged, after: Arranged): KubeRef[] {
  const kept = new Set(objectsOf(after).map(({ kind, metadata }) => `${kind} ${metadata.name}`))
  return objectsOf(before)
    .filter(({ kind, metadata }) => !kept.has(`${kind} ${metadata.name}`))
    .map(refOf)
}

function namespaceOf(environment: Arranged): KubeObject {
  const { name, namespace, stage, title, project, tenant, isolation, podSecurity } = environment
  const places = isolation && { 'quarterdeck.dev/project': project, 'quarterdeck.dev/tenant': tenant }
  const security = podSecurity && { 'pod-security.kubernetes.io/enforce': podSecurity }
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name: namespace,
      ...(isolation && title ? { annotations: { 'quarterdeck.dev/title': title } } : {}),
      labels: {
        'app.kubernetes.io/managed-by': 'quarterdeck',
        'quarterdeck.dev/environment': name,
        'quarterdeck.dev/stage': stage,
        ...places,
        ...security,
      },
    },
  }
}

const metadata = ({ name, namespace }: Arranged, object: string) => ({
  name: object,
  namespace,
  labels: { 'app.kubernetes.io/managed-by': 'quarterdeck', 'quarterdeck.dev/environment': name },
})

/** The ResourceQuota of a namespace, whose status says what is used. */
export const quotaRef = (namespace: string): KubeRef => ({
  apiVersion: 'v1',
  kind: 'ResourceQuota',
  name: QUOTA,
  namespace,
})

const quotaOf = (environment: Arranged): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ResourceQuota',
  metadata: metadata(environment, QUOTA),
  spec: {
    hard: Object.fromEntries(
      quotaResources.flatMap((resource) => {
        const value = environment.quota[resource]
        return value === undefined ? [] : [[QUOTA_RESOURCES[resource].kubernetes, String(value)]]
      }),
    ),
  },
})

// What the API server refuses for want of a value is what a container got that says nothing. Ample, and seldom all of it.
const REQUEST = { cpu: '100m', memory: '128Mi' }
const LIMIT = { cpu: '1', memory: '512Mi' }

/** The limits as they were asked for, and what a quota needs besides, so that pods that say nothing are not refused. */
function defaultedLimits(limits: Limits | undefined, quota: Quota): Limits | undefined {
  const counts = { cpu: quota.cpuLimit !== undefined, memory: quota.memoryLimit !== undefined }
  const limit = { ...limits?.limit }
  const request = { ...limits?.request }
  for (const resource of ['cpu', 'memory'] as const) {
    if (counts[resource])
      limit[resource] ??= atLeast(atMost(LIMIT[resource], limits?.most?.[resource]), request[resource])
    const high = limit[resource] ?? limits?.most?.[resource]
    if (quota[`${resource}Request`] !== undefined) request[resource] ??= atMost(REQUEST[resource], high)
  }
  const all = {
    ...(Object.keys(request).length > 0 ? { request } : {}),
    ...(Object.keys(limit).length > 0 ? { limit } : {}),
    ...(limits?.most && Object.keys(limits.most).length > 0 ? { most: limits.most } : {}),
  }
  return Object.keys(all).length > 0 ? all : undefined
}

const atMost = (value: string, most: string | undefined) =>
  most !== undefined && quantityValue(most) < quantityValue(value) ? most : value

const atLeast = (value: string, least: string | undefined) =>
  least !== undefined && quantityValue(least) > quantityValue(value) ? least : value

const limitRangeOf = (environment: Arranged, { request, limit, most }: Limits): KubeObject => ({
  apiVersion: 'v1',
  kind: 'LimitRange',
  metadata: metadata(environment, QUOTA),
  spec: {
    limits: [
      {
        type: 'Container',
        ...(request ? { defaultRequest: request } : {}),
        ...(limit ? { default: limit } : {}),
        ...(most ? { max: most } : {}),
      },
    ],
  },
})

const DNS = [
  { port: 53, protocol: 'UDP' },
  { port: 53, protocol: 'TCP' },
]

/** Nothing in or out but among the pods of the environment, or of its project, and to the name service. */
function networkPolicyOf(environment: Arranged, isolation: Exclude<Isolation, 'open'>): KubeObject {
  const others = { namespaceSelector: { matchLabels: { 'quarterdeck.dev/project': environment.project } } }
  const near = [{ podSelector: {} }, ...(isolation === 'project' ? [others] : [])]
  const names = [
    { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } } },
    // NodeLocal DNSCache
    { ipBlock: { cidr: '169.254.20.10/32' } },
  ]
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: metadata(environment, ISOLATION),
    spec: {
      podSelector: {},
      policyTypes: ['Ingress', 'Egress'],
      ingress: [{ from: near }],
      egress: [{ to: near }, { to: names, ports: DNS }],
    },
  }
}

const READ = ['get', 'list', 'watch']
const WRITE = ['create', 'update', 'patch', 'delete']

/** What operations apply and delete in an environment, and what they look at. What keeps environments apart is not in it. */
const EXECUTOR_RULES = [
  {
    apiGroups: [''],
    resources: ['configmaps', 'endpoints', 'persistentvolumeclaims', 'pods', 'secrets', 'serviceaccounts', 'services'],
    verbs: [...READ, ...WRITE],
  },
  { apiGroups: [''], resources: ['events', 'limitranges', 'resourcequotas'], verbs: READ },
  {
    apiGroups: ['apps'],
    resources: ['daemonsets', 'deployments', 'replicasets', 'statefulsets'],
    verbs: [...READ, ...WRITE],
  },
  { apiGroups: ['batch'], resources: ['cronjobs', 'jobs'], verbs: [...READ, ...WRITE] },
  { apiGroups: ['autoscaling'], resources: ['horizontalpodautoscalers'], verbs: [...READ, ...WRITE] },
  { apiGroups: ['policy'], resources: ['poddisruptionbudgets'], verbs: [...READ, ...WRITE] },
  { apiGroups: ['networking.k8s.io'], resources: ['ingresses'], verbs: [...READ, ...WRITE] },
  {
    apiGroups: ['gateway.networking.k8s.io'],
    resources: ['grpcroutes', 'httproutes', 'tcproutes', 'tlsroutes', 'udproutes'],
    verbs: [...READ, ...WRITE],
  },
]

function executorOf(environment: Arranged): KubeObject[] {
  const meta = metadata(environment, EXECUTOR)
  return [
    { apiVersion: `${RBAC}/v1`, kind: 'Role', metadata: meta, rules: EXECUTOR_RULES },
    {
      apiVersion: `${RBAC}/v1`,
      kind: 'RoleBinding',
      metadata: meta,
      roleRef: { apiGroup: RBAC, kind: 'Role', name: EXECUTOR },
      // Nobody's account: operations are sent in this name, and no pod can run as it, whatever it asks for.
      subjects: [{ kind: 'User', apiGroup: RBAC, name: `quarterdeck:executor:${environment.namespace}` }],
    },
  ]
}

/** What of an environment is not on the cluster, or is there otherwise than it was applied; `live` in the same order. */
export function outdated(wanted: KubeObject[], live: (KubeObject | undefined)[]): string[] {
  return wanted.flatMap((object, index) => {
    const there = live[index]
    const name = `${object.kind} ${object.metadata.name}`
    if (!there) return [`${name} is missing`]
    const { metadata: mine, ...rest } = object
    const same = holds(there, rest) && holds(there.metadata.labels ?? {}, mine.labels ?? {})
    return same ? [] : [`${name} was changed by somebody else`]
  })
}

/** True when everything that is wanted is there, however amounts are written. */
function holds(live: unknown, wanted: unknown): boolean {
  if (Array.isArray(wanted)) {
    return Array.isArray(live) && live.length === wanted.length && wanted.every((one, index) => holds(live[index], one))
  }
  if (typeof wanted === 'object' && wanted !== null) {
    const there = (typeof live === 'object' && live !== null ? live : {}) as Record<string, unknown>
    return Object.entries(wanted).every(([key, value]) => holds(there[key], value))
  }
  if (live === wanted) return true
  if (typeof live !== 'string' || typeof wanted !== 'string') return false
  const [one, other] = [quantityValue(live), quantityValue(wanted)]
  return !Number.isNaN(one) && one === other
}
