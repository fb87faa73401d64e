import type { KubeObject } from '@quarterdeck/kernel'
import type { z } from 'zod'
import type { ObjectEvent } from '../../application/application/application.contract.ts'

type Event = z.infer<typeof ObjectEvent>

const EPOCH = '1970-01-01T00:00:00.000Z'

/** Events as the API server keeps them (v1 and events.k8s.io alike), newest first, at most `limit`. */
export function newestEvents(events: readonly KubeObject[], limit: number): Event[] {
  return events
    .map(eventOf)
    .sort((a, b) => (a.lastTime < b.lastTime ? 1 : -1))
    .slice(0, limit)
}

function eventOf(event: KubeObject): Event {
  const { apiVersion = 'v1', kind = '', namespace, name = '' } = event.involvedObject ?? event.regarding ?? {}
  const first = event.firstTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp
  const last = event.series?.lastObservedTime ?? event.lastTimestamp ?? event.eventTime ?? first
  const time = (text: unknown) => (typeof text === 'string' ? new Date(text).toISOString() : EPOCH)
  return {
    type: event.type ?? 'Normal',
    reason: event.reason ?? '',
    message: event.message ?? event.note ?? '',
    object: { apiVersion, kind, ...(namespace ? { namespace } : {}), name },
    count: event.series?.count ?? event.count ?? 1,
    firstTime: time(first),
    lastTime: time(last),
  }
}
