import { formatBytes, formatCores } from '@quarterdeck/kernel'
import {
  Age,
  Dialog,
  EventTable,
  FilterLine,
  matches,
  NoMatch,
  Read,
  State,
  Table,
  useRead,
  useText,
  useUrlValue,
} from '@quarterdeck/ui'
import type { ReactNode } from 'react'
import { getNode, listNodes, type NodeSummary } from './cluster.contract.ts'
import { clusterTexts } from './texts.console.tsx'

type Draw = (capacity: NodeSummary['capacity']) => ReactNode

/** The nodes of a cluster; a node's pods and conditions open at the right. */
export function NodeTable({ cluster, cpu, memory }: { cluster: string; cpu: Draw; memory: Draw }) {
  const t = useText(clusterTexts)
  const [filter, setFilter] = useUrlValue('filter')
  const [shown, setShown] = useUrlValue('node')
  const query = useRead(listNodes, { params: { cluster } }, { everySeconds: 5 })
  const open = query.data?.items.find((node) => node.name === shown)
  return (
    <section className="card">
      <header>
        <h2>{t('nodes')}</h2>
        <FilterLine value={filter} onChange={setFilter} placeholder={t('filter')} />
      </header>
      <Read query={query}>
        {({ items }) => (
          <Table
            label={t('nodes')}
            rows={items.filter((node) =>
              matches(filter, { name: node.name, kind: node.kind, role: node.roles.join(' ') }),
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
              {
                title: t('state'),
                cell: (node) => (
                  <>
                    <State tone={node.ready ? (node.schedulable ? 'good' : 'warn') : 'bad'}>
                      {node.ready ? (node.schedulable ? t('Ready') : t('cordoned')) : t('notReady')}
                    </State>
                    {node.message && <div className="soft small clip">{node.message}</div>}
                  </>
                ),
              },
              {
                title: t('kind'),
                nowrap: true,
                cell: (node) => t(node.kind === 'simulated' ? 'simulatedNode' : node.kind),
              },
              { title: t('roles'), cell: (node) => node.roles.join(', ') || '–' },
              { title: t('version'), nowrap: true, cell: (node) => node.version },
              { title: t('cpu'), cell: (node) => cpu(node.capacity) },
              { title: t('memory'), cell: (node) => memory(node.capacity) },
              {
                title: t('pods'),
                end: true,
                nowrap: true,
                cell: (node) => t('podsOf', { used: node.capacity.pods, all: node.capacity.podLimit }),
              },
              { title: t('age'), nowrap: true, cell: (node) => <Age time={node.createTime} /> },
            ]}
          />
        )}
      </Read>
      {open && <NodeDrawer cluster={cluster} node={open} close={() => setShown('')} />}
    </section>
  )
}

function NodeDrawer({ cluster, node, close }: { cluster: string; node: NodeSummary; close: () => void }) {
  const t = useText(clusterTexts)
  const detail = useRead(getNode, { params: { cluster, node: node.name } }, { everySeconds: 5 })
  const facts: [string, string][] = [
    [t('address'), node.address],
    [t('system'), `${node.os} (${node.architecture})`],
    [t('runtime'), node.runtime],
    [t('version'), node.version],
  ]
  return (
    <Dialog look="drawer" title={node.name} close={close}>
      <div className="rows">
        <dl className="facts">
          {facts.map(([name, value]) => (
            <div key={name} className="fact">
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
        <h3>{t('conditions')}</h3>
        <ul className="plain-list">
          {node.conditions.map((condition) => {
            const good = condition.type === 'Ready' ? condition.status === 'True' : condition.status === 'False'
            return (
              <li key={condition.type}>
                <State tone={good ? 'good' : condition.status === 'Unknown' ? 'mute' : 'bad'}>
                  {condition.type}: {condition.status}
                </State>
                <p className="soft small wrap">{condition.message}</p>
              </li>
            )
          })}
        </ul>
        <Read query={detail}>
          {({ kubelet, usage, events }) => (
            <>
              <dl className="facts">
                <dt>{t('kubelet')}</dt>
                <dd>
                  <State tone={kubelet.healthy ? 'good' : 'bad'}>
                    {kubelet.healthy ? t('healthy') : t('unhealthy')}
                  </State>{' '}
                  <span className="soft">{kubelet.message}</span>
                </dd>
                <dt>{t('heartbeat')}</dt>
                <dd>
                  <Age time={kubelet.heartbeatTime} />
                </dd>
                {usage && (
                  <>
                    <dt>{t('usage')}</dt>
                    <dd>
                      {t('usageOf', { cpu: formatCores(usage.cpuCores), memory: formatBytes(usage.memoryBytes) })}
                    </dd>
                  </>
                )}
              </dl>
              <h3>{t('events')}</h3>
              <EventTable label={t('events')} events={events} />
            </>
          )}
        </Read>
        <Table
          label={t('podsOn', { node: node.name })}
          rows={node.podNames}
          rowKey={(pod) => `${pod.namespace}/${pod.name}`}
          empty={<p className="soft">{t('noPods')}</p>}
          columns={[
            { title: t('pods'), cell: (pod) => <span className="mono wrap">{pod.name}</span> },
            { title: t('namespace'), cell: (pod) => pod.namespace },
            { title: t('phase'), cell: (pod) => pod.phase },
          ]}
        />
      </div>
    </Dialog>
  )
}
