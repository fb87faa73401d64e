import type { JsonObject } from '../../worker/object-sink.ts'
import {
  at,
  conditionOf,
  countAt,
  flagAt,
  isDeleted,
  isTrue,
  items,
  numberAt,
  pairs,
  type ReadColumn,
  secondsOf,
  sizeOf,
  textAt,
} from './reading.ts'

const imagesAt =
  (path: string) =>
  (object: JsonObject): string[] =>
    [...items(object, `${path}.containers`), ...items(object, `${path}.initContainers`)].map((c) => textAt(c, 'image'))

const status = (read: ReadColumn['read']): ReadColumn => ({ name: 'status', title: 'Status', type: 'text', read })
const ready = (path: string): ReadColumn => ({ name: 'ready', title: 'Ready', type: 'count', read: countAt(path) })
const replicas: ReadColumn = { name: 'replicas', title: 'Replicas', type: 'count', read: countAt('spec.replicas', 1) }
const upToDate = (path: string): ReadColumn => ({
  name: 'upToDate',
  title: 'Up to date',
  type: 'count',
  read: countAt(path),
})
const available = (path: string): ReadColumn => ({
  name: 'available',
  title: 'Available',
  type: 'count',
  read: countAt(path),
})
const images: ReadColumn = {
  name: 'images',
  title: 'Images',
  type: 'set',
  searched: true,
  read: imagesAt('spec.template.spec'),
}
const selector: ReadColumn = {
  name: 'selector',
  title: 'Selector',
  type: 'set',
  wide: true,
  read: pairs('spec.selector.matchLabels'),
}

const observed = (object: JsonObject): boolean =>
  numberAt(object, 'status.observedGeneration') >= numberAt(object, 'metadata.generation')

function deploymentStatus(object: JsonObject): string {
  if (isDeleted(object)) return 'Terminating'
  const wanted = Number(at('spec.replicas')(object) ?? 1)
  const progressing = conditionOf(object, 'Progressing')
  if (isTrue(object, 'ReplicaFailure')) return 'ReplicaFailure'
  if (progressing?.status === 'False') return textAt(progressing, 'reason') || 'Failed'
  if (at('spec.paused')(object) === true) return 'Paused'
  if (!observed(object) || numberAt(object, 'status.updatedReplicas') < wanted) return 'Progressing'
  if (wanted === 0) return numberAt(object, 'status.replicas') > 0 ? 'Progressing' : 'ScaledDown'
  if (conditionOf(object, 'Available')?.status === 'False') return 'Unavailable'
  const settled =
    numberAt(object, 'status.availableReplicas') >= wanted && numberAt(object, 'status.replicas') <= wanted
  return settled ? 'Available' : 'Progressing'
}

function statefulStatus(object: JsonObject): string {
  if (isDeleted(object)) return 'Terminating'
  const wanted = Number(at('spec.replicas')(object) ?? 1)
  if (!observed(object)) return 'Progressing'
  if (wanted === 0) return numberAt(object, 'status.replicas') > 0 ? 'Progressing' : 'ScaledDown'
  const partition = numberAt(object, 'spec.updateStrategy.rollingUpdate.partition')
  const byHand = textAt(object, 'spec.updateStrategy.type') === 'OnDelete'
  const rolled =
    byHand ||
    textAt(object, 'status.currentRevision') === textAt(object, 'status.updateRevision') ||
    numberAt(object, 'status.updatedReplicas') >= wanted - partition
  return rolled && numberAt(object, 'status.readyReplicas') >= wanted ? 'Available' : 'Progressing'
}

/** The Deployment's count of its versions; absent where none made the ReplicaSet. */
function revision(object: JsonObject): number | undefined {
  const annotations = at('metadata.annotations')(object) as Record<string, unknown> | undefined
  const text = annotations?.['deployment.kubernetes.io/revision']
  return typeof text === 'string' && /^\d{1,9}$/.test(text) ? Number(text) : undefined
}

function daemonStatus(object: JsonObject): string {
  if (isDeleted(object)) return 'Terminating'
  const wanted = numberAt(object, 'status.desiredNumberScheduled')
  const byHand = textAt(object, 'spec.updateStrategy.type') === 'OnDelete'
  const rolled = byHand || numberAt(object, 'status.updatedNumberScheduled') >= wanted
  return observed(object) && rolled && numberAt(object, 'status.numberAvailable') >= wanted
    ? 'Available'
    : 'Progressing'
}

function replicaSetStatus(object: JsonObject): string {
  if (isDeleted(object)) return 'Terminating'
  if (isTrue(object, 'ReplicaFailure')) return 'ReplicaFailure'
  const wanted = Number(at('spec.replicas')(object) ?? 1)
  const has = numberAt(object, 'status.replicas')
  if (wanted === 0 && has === 0) return 'ScaledDown'
  return has === wanted && numberAt(object, 'status.availableReplicas') >= wanted ? 'Available' : 'Progressing'
}

/** As kubectl prints it. */
function jobStatus(object: JsonObject): string {
  if (isTrue(object, 'Complete')) return 'Complete'
  if (isTrue(object, 'Failed')) return 'Failed'
  if (isDeleted(object)) return 'Terminating'
  return ['Suspended', 'FailureTarget', 'SuccessCriteriaMet'].find((type) => isTrue(object, type)) ?? 'Running'
}

function jobSeconds(object: JsonObject): number | undefined {
  const started = secondsOf(at('status.startTime')(object))
  const completed = secondsOf(at('status.completionTime')(object))
  return started > 0 && completed >= started ? completed - started : undefined
}

/** Current and wanted value of each metric: `cpu: 40%/80%`; `?` for what is not known. */
function metricsOf(object: JsonObject): string[] {
  const known = items(object, 'status.currentMetrics')
  return items(object, 'spec.metrics').map((metric, index) => {
    const type = textAt(metric, 'type')
    const field = type.charAt(0).toLowerCase() + type.slice(1)
    const name = textAt(metric, `${field}.name`) || textAt(metric, `${field}.metric.name`) || type
    const wanted = metricValue(metric, `${field}.target`)
    return `${name}: ${metricValue(known[index] ?? {}, `${field}.current`)}/${wanted}`
  })
}

function metricValue(metric: JsonObject, path: string): string {
  const percent = at(`${path}.averageUtilization`)(metric)
  if (typeof percent === 'number') return `${percent}%`
  const average = at(`${path}.averageValue`)(metric)
  return average === undefined ? String(at(`${path}.value`)(metric) ?? '?') : `${String(average)} (avg)`
}

function autoscalerStatus(object: JsonObject): string {
  for (const type of ['AbleToScale', 'ScalingActive']) {
    const condition = conditionOf(object, type)
    if (condition?.status === 'False') return textAt(condition, 'reason') || `Not${type}`
  }
  return isTrue(object, 'ScalingLimited') ? 'Limited' : 'Active'
}

/** As kubectl prints it. */
function claimStatus(object: JsonObject): string {
  const deleted = isDeleted(object) ? ['deleted'] : []
  if (at('status.allocation')(object) === undefined) return deleted[0] ?? 'pending'
  const reserved = items(object, 'status.reservedFor').length > 0 ? ['reserved'] : []
  return [...deleted, 'allocated', ...reserved].join()
}

/** Columns of the kinds that run pods, by resource. */
export const WORKLOADS: Record<string, ReadColumn[]> = {
  'deployments.apps': [
    status(deploymentStatus),
    ready('status.readyReplicas'),
    replicas,
    upToDate('status.updatedReplicas'),
    available('status.availableReplicas'),
    images,
    { name: 'strategy', title: 'Strategy', type: 'text', wide: true, read: at('spec.strategy.type') },
    selector,
  ],
  'statefulsets.apps': [
    status(statefulStatus),
    ready('status.readyReplicas'),
    replicas,
    upToDate('status.updatedReplicas'),
    images,
    { name: 'service', title: 'Service', type: 'text', wide: true, read: at('spec.serviceName') },
    selector,
  ],
  'daemonsets.apps': [
    status(daemonStatus),
    ready('status.numberReady'),
    { name: 'replicas', title: 'Desired', type: 'count', read: countAt('status.desiredNumberScheduled') },
    { name: 'current', title: 'Current', type: 'count', read: countAt('status.currentNumberScheduled') },
    upToDate('status.updatedNumberScheduled'),
    available('status.numberAvailable'),
    images,
    { name: 'nodeSelector', title: 'Node selector', type: 'set', read: pairs('spec.template.spec.nodeSelector') },
    selector,
  ],
  'replicasets.apps': [
    status(replicaSetStatus),
    ready('status.readyReplicas'),
    replicas,
    { name: 'current', title: 'Current', type: 'count', read: countAt('status.replicas') },
    { name: 'revision', title: 'Revision', type: 'count', wide: true, read: revision },
    images,
    selector,
  ],
  replicationcontrollers: [
    status(replicaSetStatus),
    ready('status.readyReplicas'),
    replicas,
    { name: 'current', title: 'Current', type: 'count', read: countAt('status.replicas') },
    images,
    { ...selector, read: pairs('spec.selector') },
  ],
  'jobs.batch': [
    status(jobStatus),
    { name: 'succeeded', title: 'Succeeded', type: 'count', read: countAt('status.succeeded') },
    { name: 'completions', title: 'Completions', type: 'count', read: at('spec.completions') },
    { name: 'active', title: 'Active', type: 'count', read: countAt('status.active') },
    { name: 'failed', title: 'Failed', type: 'count', read: countAt('status.failed') },
    { name: 'started', title: 'Started', type: 'time', read: at('status.startTime') },
    { name: 'completed', title: 'Completed', type: 'time', read: at('status.completionTime') },
    { name: 'duration', title: 'Duration', type: 'count', unit: 'seconds', read: jobSeconds },
    images,
  ],
  'cronjobs.batch': [
    { name: 'schedule', title: 'Schedule', type: 'text', read: at('spec.schedule') },
    { name: 'timeZone', title: 'Time zone', type: 'text', read: at('spec.timeZone') },
    { name: 'suspended', title: 'Suspended', type: 'text', read: flagAt('spec.suspend') },
    { name: 'active', title: 'Active', type: 'count', read: sizeOf('status.active') },
    { name: 'lastScheduled', title: 'Last scheduled', type: 'time', read: at('status.lastScheduleTime') },
    { name: 'lastSucceeded', title: 'Last succeeded', type: 'time', read: at('status.lastSuccessfulTime') },
    { ...images, read: imagesAt('spec.jobTemplate.spec.template.spec') },
  ],
  'horizontalpodautoscalers.autoscaling': [
    status(autoscalerStatus),
    {
      name: 'target',
      title: 'Target',
      type: 'text',
      searched: true,
      description: 'Kind/name of what is scaled',
      read: (object) => `${textAt(object, 'spec.scaleTargetRef.kind')}/${textAt(object, 'spec.scaleTargetRef.name')}`,
    },
    { name: 'replicas', title: 'Replicas', type: 'count', read: countAt('status.currentReplicas') },
    { name: 'desired', title: 'Desired', type: 'count', read: countAt('status.desiredReplicas') },
    { name: 'least', title: 'Least', type: 'count', read: countAt('spec.minReplicas', 1) },
    { name: 'most', title: 'Most', type: 'count', read: at('spec.maxReplicas') },
    { name: 'metrics', title: 'Metrics', type: 'set', description: 'Current/wanted', read: metricsOf },
    { name: 'scaled', title: 'Last scaled', type: 'time', wide: true, read: at('status.lastScaleTime') },
  ],
  'poddisruptionbudgets.policy': [
    { name: 'leastAvailable', title: 'Least available', type: 'text', read: at('spec.minAvailable') },
    { name: 'mostUnavailable', title: 'Most unavailable', type: 'text', read: at('spec.maxUnavailable') },
    { name: 'allowed', title: 'Allowed disruptions', type: 'count', read: countAt('status.disruptionsAllowed') },
    { name: 'healthy', title: 'Healthy', type: 'count', read: countAt('status.currentHealthy') },
    { name: 'desired', title: 'Needed healthy', type: 'count', read: countAt('status.desiredHealthy') },
    { name: 'expected', title: 'Pods', type: 'count', read: countAt('status.expectedPods') },
    selector,
  ],
  'controllerrevisions.apps': [{ name: 'revision', title: 'Revision', type: 'count', read: at('revision') }],
  podtemplates: [{ ...images, read: imagesAt('template.spec') }],
  'resourceclaims.resource.k8s.io': [
    { name: 'status', title: 'Status', type: 'text', read: claimStatus },
    {
      name: 'users',
      title: 'Used by',
      type: 'set',
      searched: true,
      description: 'Resource/name',
      read: (object) =>
        items(object, 'status.reservedFor').map((user) => `${textAt(user, 'resource')}/${textAt(user, 'name')}`),
    },
  ],
}
