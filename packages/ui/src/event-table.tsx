import { Icon } from './icon.tsx'
import { Age } from './state.tsx'
import { Table } from './table.tsx'
import { useText } from './text.ts'
import { partTexts } from './texts.ts'

/** An event as the cluster keeps it for about an hour. */
export interface EventView {
  type: string
  reason: string
  message: string
  object: { kind: string; name: string; namespace?: string | undefined }
  count: number
  lastTime: string
}

/** What the cluster says has happened, warnings marked. */
export function EventTable({ label, events }: { label: string; events: readonly EventView[] }) {
  const t = useText(partTexts)
  return (
    <Table
      label={label}
      rows={events}
      rowKey={(event) =>
        `${event.object.kind}/${event.object.namespace}/${event.object.name}/${event.reason}/${event.message}`
      }
      empty={<p className="soft pad">{t('noEvents')}</p>}
      columns={[
        {
          title: t('event'),
          nowrap: true,
          cell: (event) => (
            <span className={event.type === 'Warning' ? 'state tone-warn' : ''}>
              {event.type === 'Warning' && <Icon name="alert" />}
              {event.reason}
            </span>
          ),
        },
        { title: t('message'), wide: true, cell: (event) => <span className="wrap small">{event.message}</span> },
        {
          title: t('object'),
          nowrap: true,
          cell: (event) => {
            const name = `${event.object.kind} ${event.object.namespace ? `${event.object.namespace}/` : ''}${event.object.name}`
            return (
              <span className="small" title={name}>
                {event.object.kind} <span className="mono">{shortName(event.object.name)}</span>
              </span>
            )
          },
        },
        { title: t('times'), end: true, cell: (event) => event.count },
        { title: t('seen'), nowrap: true, cell: (event) => <Age time={event.lastTime} /> },
      ]}
    />
  )
}

/** A name that is too long for a line by its end, which is what tells pods of one workload apart. */
const shortName = (name: string): string => (name.length <= 18 ? name : `…${name.slice(-14)}`)
