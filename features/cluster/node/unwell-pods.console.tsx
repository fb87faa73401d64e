import { Link, State, Table, useRead, useText } from '@quarterdeck/ui'
import { listObjects, type ObjectPage } from '../object/object.contract.ts'
import { ReadMirror } from './read-mirror.console.tsx'
import { nodeTexts } from './texts.console.tsx'

const SHOWN = 8
const COLUMNS = ['namespace', 'name', 'status', 'restarts', 'node'] as const
type Row = ObjectPage['rows'][number]
const textOf = (row: Row, column: (typeof COLUMNS)[number]) => String(row.values[COLUMNS.indexOf(column)] ?? '')

/** Pods of a cluster that do not run, or were restarted a moment ago, each with the newest warning about it. */
export function UnwellPods({ cluster }: { cluster: string }) {
  const t = useText(nodeTexts)
  const filter = `cluster:${cluster} (-status:Running,Completed,Succeeded or restarted<10m)`
  const query = useRead(
    listObjects,
    { params: { resource: 'pods' }, query: { filter, sort: '-restarts', columns: COLUMNS.join(','), limit: SHOWN } },
    { everySeconds: 3, keep: true },
  )
  const all = useRead(
    listObjects,
    { params: { resource: 'pods' }, query: { filter: `cluster:${cluster}`, columns: 'name', limit: 1 } },
    { everySeconds: 10, keep: true },
  )
  const warnings = useWarnings(cluster, query.data?.rows ?? [])
  const total = query.data?.total ?? 0
  return (
    <section className="card">
      <header>
        <h2>{t('unwell')}</h2>
        {total > SHOWN && (
          <Link to={`/explore/pods?filter=${encodeURIComponent(filter)}&sort=-restarts`}>
            {t('all', { count: total })}
          </Link>
        )}
      </header>
      <ReadMirror query={query} lines={2}>
        {({ rows }) => (
          <Table
            label={t('unwell')}
            rows={rows}
            rowKey={(row) => row.uid}
            empty={<p className="soft pad">{all.data && t('allWell', { count: all.data.total })}</p>}
            columns={[
              {
                title: t('pod'),
                nowrap: true,
                cell: (row) => (
                  <>
                    <Link to={`/explore/pods/${cluster}/${textOf(row, 'namespace')}/${textOf(row, 'name')}`}>
                      {textOf(row, 'name')}
                    </Link>
                    <div className="soft small">{textOf(row, 'namespace')}</div>
                  </>
                ),
              },
              {
                title: t('state'),
                nowrap: true,
                cell: (row) => <State tone={toneOf(textOf(row, 'status'))}>{textOf(row, 'status')}</State>,
              },
              {
                title: t('why'),
                wide: true,
                cell: (row) => <span className="small wrap">{warnings(row) ?? '–'}</span>,
              },
              { title: t('node'), nowrap: true, cell: (row) => textOf(row, 'node') || '–' },
              { title: t('restarts'), end: true, cell: (row) => textOf(row, 'restarts') || '0' },
            ]}
          />
        )}
      </ReadMirror>
    </section>
  )
}

const toneOf = (status: string) =>
  status === 'Running'
    ? ('warn' as const)
    : /^(Pending|ContainerCreating|PodInitializing|Init:|Terminating)/.test(status)
      ? ('busy' as const)
      : ('bad' as const)

/** The newest warning of each of these pods: for one that waits for a node, the scheduler's own sentence. */
function useWarnings(cluster: string, pods: readonly Row[]): (pod: Row) => string | undefined {
  const names = pods.map((pod) => `"Pod/${textOf(pod, 'name')}"`)
  const { data } = useRead(
    listObjects,
    {
      params: { resource: 'events' },
      query: {
        filter: `cluster:${cluster} type:Warning object:${names.join(',')}`,
        sort: '-last',
        columns: 'namespace,object,reason,message',
        limit: 200,
      },
    },
    { everySeconds: 5, keep: true, enabled: names.length > 0 },
  )
  return (pod) => {
    const event = data?.rows.find(
      ({ values: [namespace, object] }) =>
        namespace === textOf(pod, 'namespace') && object === `Pod/${textOf(pod, 'name')}`,
    )
    return event && `${event.values[2]}: ${event.values[3]}`
  }
}
