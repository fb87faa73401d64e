import type { Figure } from '@quarterdeck/http'
import type { Mirror } from '@quarterdeck/mirror'

/** The mirror's figures for /metrics. */
export function mirrorFigures(mirror: Mirror): Figure[] {
  const { objects, bytes, batches, events, relists, views } = mirror.metrics()
  const clusters = mirror.clusters()
  const one = (name: string, help: string, type: Figure['type'], value: number): Figure => ({
    name: `quarterdeck_mirror_${name}`,
    help,
    type,
    values: [{ value }],
  })
  return [
    one('objects', 'Objects of all clusters that are mirrored', 'gauge', objects),
    one('bytes', 'Memory of the rows, their strings and indexes', 'gauge', bytes),
    one('views', 'Different live views that somebody looks at', 'gauge', views),
    one('batches_total', 'Batches of changed rows taken over', 'counter', batches),
    one('events_total', 'Changes of objects taken over', 'counter', events),
    {
      name: 'quarterdeck_mirror_relists_total',
      help: 'Lists that had to be read again, by cause',
      type: 'counter',
      values: Object.entries(relists).map(([cause, value]) => ({ labels: { cause }, value })),
    },
    {
      name: 'quarterdeck_mirror_age_seconds',
      help: 'Time since the last sign of life of a cluster',
      type: 'gauge',
      values: clusters.map(({ cluster, ageSeconds }) => ({ labels: { cluster }, value: ageSeconds })),
    },
    {
      name: 'quarterdeck_mirror_live',
      help: '1 while everything of a cluster is complete and followed',
      type: 'gauge',
      values: clusters.map(({ cluster, state }) => ({ labels: { cluster }, value: state === 'live' ? 1 : 0 })),
    },
  ]
}
