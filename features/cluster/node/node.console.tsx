import { formatBytes, formatCores } from '@quarterdeck/kernel'
import { Age, FilterLine, Link, Meter, matches, NoMatch, State, Table, useText, useUrlValue } from '@quarterdeck/ui'
import { NodeDrawer } from './node-drawer.console.tsx'
import { type NodeRow, type Zone, zonesOf } from './node-row.rules.ts'
import { ReadMirror } from './read-mirror.console.tsx'
import { useNodes } from './read-nodes.console.tsx'
import { nodeTexts } from './texts.console.tsx'

type Share = Pick<NodeRow, 'cpuCores' | 'cpuRequestedCores' | 'memoryBytes' | 'memoryRequestedBytes'>

function Cpu({ of: { cpuCores, cpuRequestedCores } }: { of: Share }) {
  const t = useText(nodeTexts)
  const free = coresText(Math.max(0, cpuCores - cpuRequestedCores))
  const text = t('free', { free, all: coresText(cpuCores), used: coresText(cpuRequestedCores) })
  return <Meter used={cpuRequestedCores} all={cpuCores} text={text} />
}
function Memory({ of: { memoryBytes, memoryRequestedBytes } }: { of: Share }) {
  const t = useText(nodeTexts)
  const free = formatBytes(Math.max(0, memoryBytes - memoryRequestedBytes))
  const text = t('free', { free, all: formatBytes(memoryBytes), used: formatBytes(memoryRequestedBytes) })
  return <Meter used={memoryRequestedBytes} all={memoryBytes} text={text} />
}

/** Of many cores the thousandths say nothing. */
const coresText = (cores: number) => formatCores(cores >= 100 ? Math.round(cores) : cores)

/** The pods of a node in the explorer. */
const podsPath = (cluster: string, node: string) =>
  `/explore/pods?filter=${encodeURIComponent(`cluster:${cluster} node:${node}`)}`

/** The nodes of a cluster by zone, those that are not well first; a node's details open at the right. */
export function ClusterNodes({ cluster }: { cluster: string }) {
  const t = useText(nodeTexts)
  const [filter, setFilter] = useUrlValue('filter')
  const [shown, setShown] = useUrlValue('node')
  const query = useNodes(cluster)
  return (
    <>
      <Zones zones={zonesOf(query.data?.items ?? [])} choose={(zone) => setFilter(`zone:${zone}`)} />
      <section className="card">
        <header>
          <h2>{t('nodes')}</h2>
          <FilterLine value={filter} onChange={setFilter} placeholder={t('filter')} />
        </header>
        <ReadMirror query={query}>
          {({ items }) => (
            <Table
              label={t('nodes')}
              rows={items.filter((node) =>
                matches(filter, { name: node.name, role: node.roles.join(' '), zone: node.zone }),
              )}
              rowKey={(node) => node.name}
              empty={<NoMatch clear={() => setFilter('')} />}
              columns={[
                {
                  title: t('node'),
                  cell: (node) => (
                    <button
                      type="button"
                      className="as-link"
                      aria-label={t('details', { node: node.name })}
                      onClick={() => setShown(node.name)}
                    >
                      {node.name}
                    </button>
                  ),
                },
                { title: t('state'), cell: (node) => <NodeState node={node} /> },
                { title: t('zone'), nowrap: true, cell: (node) => node.zone || '–' },
                { title: t('roles'), cell: (node) => node.roles.join(', ') },
                { title: t('version'), nowrap: true, cell: (node) => node.version },
                { title: t('cpu'), cell: (node) => <Cpu of={node} /> },
                { title: t('memory'), cell: (node) => <Memory of={node} /> },
                {
                  title: t('pods'),
                  end: true,
                  nowrap: true,
                  cell: (node) => (
                    <Link to={podsPath(cluster, node.name)}>
                      {t('podsOf', { used: node.pods, all: node.podLimit })}
                    </Link>
                  ),
                },
                {
                  title: t('age'),
                  nowrap: true,
                  cell: (node) => <Age time={new Date(node.created * 1_000).toISOString()} />,
                },
              ]}
            />
          )}
        </ReadMirror>
        {shown && <NodeDrawer cluster={cluster} node={shown} pods={podsPath} close={() => setShown('')} />}
      </section>
    </>
  )
}

function NodeState({ node }: { node: NodeRow }) {
  const t = useText(nodeTexts)
  const wrong = node.wrong.filter((condition) => condition !== 'NotReady')
  return (
    <>
      <State tone={!node.ready ? 'bad' : node.schedulable && node.wrong.length === 0 ? 'good' : 'warn'}>
        {!node.ready ? t('notReady') : node.schedulable ? t('Ready') : t('cordoned')}
      </State>
      {wrong.length > 0 && <div className="soft small clip">{wrong.join(', ')}</div>}
    </>
  )
}

/** What each zone has and what of it is free; a click shows its nodes only. */
function Zones({ zones, choose }: { zones: readonly Zone[]; choose: (zone: string) => void }) {
  const t = useText(nodeTexts)
  if (zones.length === 0) return null
  return (
    <section className="card">
      <header>
        <h2>{t('zones')}</h2>
      </header>
      <Table
        label={t('zones')}
        rows={zones}
        rowKey={({ zone }) => zone}
        columns={[
          {
            title: t('zone'),
            cell: ({ zone }) =>
              zone === '' ? (
                <span className="soft">{t('noZone')}</span>
              ) : (
                <button type="button" className="as-link" onClick={() => choose(zone)}>
                  {zone}
                </button>
              ),
          },
          {
            title: t('nodes'),
            nowrap: true,
            cell: ({ nodes, readyNodes }) => (
              <State tone={readyNodes < nodes ? 'bad' : 'good'}>
                {t('readyNodes', { ready: readyNodes, count: nodes })}
              </State>
            ),
          },
          { title: t('cpu'), cell: (zone) => <Cpu of={zone} /> },
          { title: t('memory'), cell: (zone) => <Memory of={zone} /> },
          {
            title: t('pods'),
            end: true,
            nowrap: true,
            cell: ({ pods, podLimit }) => t('podsOf', { used: pods, all: podLimit }),
          },
        ]}
      />
    </section>
  )
}
