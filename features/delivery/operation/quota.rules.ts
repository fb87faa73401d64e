import { formatBytes, formatCores, type KubeObject, quantityValue } from '@quarterdeck/kernel'
import { same } from './field-change.rules.ts'
import type { Blocker } from './operation.contract.ts'

/** A workload before and after, for which pods have to be found room. */
export interface WorkloadStep {
  live?: KubeObject | undefined
  after: KubeObject
}

const BY_RESOURCE: Record<string, { kind: 'requests' | 'limits'; resource: 'cpu' | 'memory' }> = {
  cpu: { kind: 'requests', resource: 'cpu' },
  memory: { kind: 'requests', resource: 'memory' },
  'requests.cpu': { kind: 'requests', resource: 'cpu' },
  'requests.memory': { kind: 'requests', resource: 'memory' },
  'limits.cpu': { kind: 'limits', resource: 'cpu' },
  'limits.memory': { kind: 'limits', resource: 'memory' },
}

/**
 * Why pods of the workloads would be refused by a ResourceQuota. The API server's dry run of a Deployment does not say
 * it, because quota counts pods and they are made later. Counts the extra pod of a rolling update.
 */
export function quotaBlockers(quotas: KubeObject[], limitRanges: KubeObject[], steps: WorkloadStep[]): Blocker[] {
  return quotas.filter(withoutScopes).flatMap((quota) => steps.flatMap((step) => blockers(quota, limitRanges, step)))
}

// A scoped quota counts only some pods (BestEffort, a priority class); the API server knows which.
const withoutScopes = (quota: KubeObject) => !quota.spec?.scopes?.length && !quota.spec?.scopeSelector

function blockers(quota: KubeObject, limitRanges: KubeObject[], { live, after }: WorkloadStep): Blocker[] {
  const hard: Record<string, string> = quota.status?.hard ?? quota.spec?.hard ?? {}
  return Object.entries(hard).flatMap(([name, limit]) => {
    const each = perPod(after, name, limitRanges)
    if (each === undefined) return []
    if (Number.isNaN(each)) return [unset(quota, name, after)]
    const before = live ? perPod(live, name, limitRanges) : 0
    const used = quantityValue(quota.status?.used?.[name])
    const now = replicasOf(live) * (before || 0)
    const need = worst(live, after, { now, each, before: before || 0 }) - now
    const free = quantityValue(limit) - used
    return need <= 0 || need <= free * (1 + 1e-9)
      ? []
      : [over(quota, name, { need, free, hard: quantityValue(limit) }, after)]
  })
}

const replicasOf = (workload: KubeObject | undefined): number => (workload ? (workload.spec?.replicas ?? 1) : 0)

/** What all its pods ask for at the worst moment: while they are replaced, one pod more than wanted is there. */
function worst(
  live: KubeObject | undefined,
  after: KubeObject,
  { now, each, before }: { now: number; each: number; before: number },
): number {
  const end = replicasOf(after) * each
  const rolls = now > 0 && end > 0 && !same(live?.spec?.template, after.spec?.template)
  const surge = after.spec?.strategy?.rollingUpdate?.maxSurge
  if (!rolls || after.kind === 'StatefulSet' || after.spec?.strategy?.type === 'Recreate' || surge === 0) return end
  return Math.max(now + each, end + before)
}

interface Container {
  resources?: { requests?: Record<string, string>; limits?: Record<string, string> }
}

/** Undefined: this quota is about something else. NaN: a container says nothing, so its pods would be refused. */
function perPod(workload: KubeObject, name: string, ranges: KubeObject[]): number | undefined {
  if (name === 'pods') return 1
  const about = BY_RESOURCE[name]
  if (!about) return undefined
  const containers: Container[] = workload.spec?.template?.spec?.containers ?? []
  return containers.reduce((sum, container) => sum + perContainer(container, about, ranges), 0)
}

function perContainer(
  { resources }: Container,
  { kind, resource }: { kind: 'requests' | 'limits'; resource: 'cpu' | 'memory' },
  ranges: KubeObject[],
): number {
  const given = resources?.[kind]?.[resource] ?? (kind === 'requests' ? resources?.limits?.[resource] : undefined)
  const byRange = ranges
    .flatMap((range) => range.spec?.limits ?? [])
    .filter((limit: { type: string }) => limit.type === 'Container')
    .map((limit: { default?: Record<string, string>; defaultRequest?: Record<string, string> }) =>
      kind === 'limits' ? limit.default?.[resource] : (limit.defaultRequest?.[resource] ?? limit.default?.[resource]),
    )
    .find((value) => value !== undefined)
  const value = given ?? byRange
  return value === undefined ? Number.NaN : quantityValue(value)
}

const WORDS: Record<string, string> = {
  pods: 'pods',
  cpu: 'requested CPU',
  memory: 'requested memory',
  'requests.cpu': 'requested CPU',
  'requests.memory': 'requested memory',
  'limits.cpu': 'CPU limits',
  'limits.memory': 'memory limits',
}

const amount = (name: string, value: number): string => {
  if (name.endsWith('cpu')) return `${formatCores(value)} cores`.replace(' m cores', ' m')
  return name.endsWith('memory') ? formatBytes(value) : String(value)
}

function over(
  quota: KubeObject,
  name: string,
  { need, free, hard }: { need: number; free: number; hard: number },
  after: KubeObject,
): Blocker {
  return {
    pointer: '/replicas',
    detail:
      `Quota ${quota.metadata.name} of namespace ${quota.metadata.namespace} allows ${amount(name, hard)} of ${WORDS[name]}, ` +
      `${amount(name, Math.max(0, free))} of it free; ${after.metadata.name} needs ${amount(name, need)} more, ` +
      'counting the pod that is extra while pods are replaced. Ask for fewer replicas or smaller requests, or have the quota raised.',
  }
}

const unset = (quota: KubeObject, name: string, after: KubeObject): Blocker => ({
  pointer: `/${name.endsWith('cpu') ? 'cpu' : 'memory'}${name.startsWith('limits') ? 'Limit' : 'Request'}`,
  detail: `Quota ${quota.metadata.name} counts ${WORDS[name]}, so every container of ${after.metadata.name} must say how much it needs.`,
})
