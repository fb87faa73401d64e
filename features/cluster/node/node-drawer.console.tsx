import { formatBytes, formatCores } from '@quarterdeck/kernel'
import { Age, Dialog, EventTable, Link, Read, State, Table, useRead, useText } from '@quarterdeck/ui'
import { getNode, type NodeDetail } from '../cluster/cluster.contract.ts'
import { listObjects } from '../object/object.contract.ts'
import { NodeActs } from './act-node.console.tsx'
import { nodeTexts } from './texts.console.tsx'

const SHOWN = 200

/** One node: what it is, its kubelet, what is in use, its events, and the pods on it. */
export function NodeDrawer({
  cluster,
  node,
  pods,
  close,
}: {
  cluster: string
  node: string
  /** Where all its pods are listed. */
  pods: (cluster: string, node: string) => string
  close: () => void
}) {
  const detail = useRead(getNode, { params: { cluster, node } }, { everySeconds: 5 })
  return (
    <Dialog look="drawer" title={node} close={close}>
      <div className="rows">
        <Read query={detail}>
          {(found) => (
            <>
              <NodeActs cluster={cluster} node={node} schedulable={found.schedulable} />
              <NodeFacts node={found} />
            </>
          )}
        </Read>
        <PodsOn cluster={cluster} node={node} all={pods(cluster, node)} />
      </div>
    </Dialog>
  )
}

function NodeFacts({ node }: { node: NodeDetail }) {
  const t = useText(nodeTexts)
  const { kubelet, usage } = node
  const facts: [string, string][] = [
    [t('kind'), t(node.kind)],
    [t('address'), node.address],
    [t('system'), `${node.os} (${node.architecture})`],
    [t('runtime'), node.runtime],
    [t('version'), node.version],
  ]
  return (
    <>
      <dl className="facts">
        {facts.map(([name, value]) => (
          <div key={name} className="fact">
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
        <dt>{t('kubelet')}</dt>
        <dd>
          <State tone={kubelet.healthy ? 'good' : 'bad'}>{kubelet.healthy ? t('healthy') : t('unhealthy')}</State>{' '}
          <span className="soft">{kubelet.message}</span>
        </dd>
        <dt>{t('heartbeat')}</dt>
        <dd>
          <Age time={kubelet.heartbeatTime} />
        </dd>
        {usage && (
          <>
            <dt>{t('usage')}</dt>
            <dd>{t('usageOf', { cpu: formatCores(usage.cpuCores), memory: formatBytes(usage.memoryBytes) })}</dd>
          </>
        )}
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
      <h3>{t('events')}</h3>
      <EventTable label={t('events')} events={node.events} />
    </>
  )
}

function PodsOn({ cluster, node, all }: { cluster: string; node: string; all: string }) {
  const t = useText(nodeTexts)
  const query = useRead(
    listObjects,
    {
      params: { resource: 'pods' },
      query: { filter: `cluster:${cluster} node:${node}`, columns: 'namespace,name,status', limit: SHOWN },
    },
    { everySeconds: 5 },
  )
  return (
    <section className="rows tight">
      <h3>{t('podsOn', { node })}</h3>
      <Read query={query}>
        {({ rows, total }) => (
          <>
            <Table
              label={t('podsOn', { node })}
              rows={rows}
              rowKey={(pod) => pod.uid}
              empty={<p className="soft">{t('noPods')}</p>}
              columns={[
                {
                  title: t('pods'),
                  cell: ({ values: [namespace, name] }) => (
                    <Link to={`/explore/pods/${cluster}/${namespace}/${name}`} className="wrap">
                      {String(name)}
                    </Link>
                  ),
                },
                { title: t('namespace'), cell: ({ values: [namespace] }) => namespace },
                { title: t('phase'), cell: ({ values: [, , status] }) => status },
              ]}
            />
            {total > rows.length && (
              <p className="soft small">
                {t('podsShown', { shown: rows.length, total })} <Link to={all}>{t('inExplorer')}</Link>
              </p>
            )}
          </>
        )}
      </Read>
    </section>
  )
}
