import type { JsonObject } from '../../worker/object-sink.ts'
import { at, entriesAt, firstOf, flagAt, items, type ReadColumn, sizeOf, textAt } from './reading.ts'

/** `resource: used/hard` of those that are limits, or that are not. */
const quota =
  (limits: boolean) =>
  (object: JsonObject): string[] => {
    const used = Object.fromEntries(entriesAt(object, 'status.used'))
    return entriesAt(object, 'status.hard')
      .filter(([resource]) => resource.startsWith('limits.') === limits)
      .map(([resource, hard]) => `${resource}: ${String(used[resource] ?? 0)}/${String(hard)}`)
      .sort()
  }

const named = (object: JsonObject, kind: string, name: string): string | undefined =>
  textAt(object, name) === '' ? textAt(object, kind) || undefined : `${textAt(object, kind)}/${textAt(object, name)}`

const eventObject = (path: string): ReadColumn => ({
  name: 'object',
  title: 'Object',
  type: 'split',
  searched: true,
  description: 'Kind/name',
  read: (object) => named(object, `${path}.kind`, `${path}.name`),
})

/** A series has a count of its own; an event of the newer API that came once has none. */
const eventCount = firstOf(
  at('series.count'),
  (object) => at('count')(object) || undefined,
  at('deprecatedCount'),
  () => 1,
)
const firstSeen = firstOf(
  at('firstTimestamp'),
  at('deprecatedFirstTimestamp'),
  at('eventTime'),
  at('metadata.creationTimestamp'),
)
const lastSeen = firstOf(at('series.lastObservedTime'), at('lastTimestamp'), at('deprecatedLastTimestamp'), firstSeen)

const EVENT: ReadColumn[] = [
  { name: 'type', title: 'Type', type: 'text', read: at('type') },
  { name: 'reason', title: 'Reason', type: 'text', searched: true, read: at('reason') },
  eventObject('involvedObject'),
  {
    name: 'message',
    title: 'Message',
    type: 'text',
    searched: true,
    read: (object) => (textAt(object, 'message') || textAt(object, 'note')).trim(),
  },
  { name: 'count', title: 'Count', type: 'count', read: eventCount },
  { name: 'first', title: 'First seen', type: 'time', wide: true, read: firstSeen },
  { name: 'last', title: 'Last seen', type: 'time', read: lastSeen },
  {
    name: 'reporter',
    title: 'Reporter',
    type: 'text',
    read: firstOf(
      at('source.component'),
      at('deprecatedSource.component'),
      at('reportingComponent'),
      at('reportingController'),
    ),
  },
  {
    name: 'host',
    title: 'Host',
    type: 'text',
    wide: true,
    read: firstOf(at('source.host'), at('deprecatedSource.host')),
  },
]

/** Columns of the kinds that hold settings, rules and reports, by resource. */
export const CONFIGURATION: Record<string, ReadColumn[]> = {
  configmaps: [
    {
      name: 'keys',
      title: 'Keys',
      type: 'count',
      read: (object) => Number(sizeOf('data')(object)) + Number(sizeOf('binaryData')(object)),
    },
    { name: 'immutable', title: 'Immutable', type: 'text', read: flagAt('immutable') },
  ],
  // Never a value of one.
  secrets: [
    { name: 'type', title: 'Type', type: 'text', read: at('type') },
    { name: 'keys', title: 'Keys', type: 'count', read: sizeOf('data') },
    { name: 'immutable', title: 'Immutable', type: 'text', wide: true, read: flagAt('immutable') },
  ],
  resourcequotas: [
    { name: 'requests', title: 'Used of requests', type: 'set', read: quota(false) },
    { name: 'limits', title: 'Used of limits', type: 'set', read: quota(true) },
  ],
  limitranges: [
    {
      name: 'types',
      title: 'Limits of',
      type: 'set',
      read: (object) => items(object, 'spec.limits').map((limit) => textAt(limit, 'type')),
    },
  ],
  'leases.coordination.k8s.io': [
    { name: 'holder', title: 'Holder', type: 'text', searched: true, read: at('spec.holderIdentity') },
    { name: 'renewed', title: 'Renewed', type: 'time', read: at('spec.renewTime') },
    {
      name: 'seconds',
      title: 'Lasts',
      type: 'count',
      unit: 'seconds',
      wide: true,
      read: at('spec.leaseDurationSeconds'),
    },
    { name: 'transitions', title: 'Transitions', type: 'count', wide: true, read: at('spec.leaseTransitions') },
  ],
  events: EVENT,
  'events.events.k8s.io': EVENT.map((column) => (column.name === 'object' ? eventObject('regarding') : column)),
  'priorityclasses.scheduling.k8s.io': [
    { name: 'value', title: 'Value', type: 'number', read: at('value') },
    { name: 'default', title: 'Default', type: 'text', read: flagAt('globalDefault') },
    {
      name: 'preemption',
      title: 'Preemption',
      type: 'text',
      read: firstOf(at('preemptionPolicy'), () => 'PreemptLowerPriority'),
    },
  ],
  'runtimeclasses.node.k8s.io': [{ name: 'handler', title: 'Handler', type: 'text', read: at('handler') }],
}
