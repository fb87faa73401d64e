import { formatBytes, formatCores } from '@quarterdeck/kernel'
import {
  Age,
  Button,
  ButtonLink,
  Check,
  Empty,
  EventTable,
  Heading,
  Icon,
  Link,
  Meter,
  Note,
  Read,
  Section,
  State,
  Table,
  type Tone,
  useMay,
  useRead,
  useText,
  useUrlValue,
} from '@quarterdeck/ui'
import type { ReactNode } from 'react'
import {
  type ClusterDetail,
  type ClusterSummary,
  getCluster,
  listClusterEvents,
  listClusters,
} from './cluster.contract.ts'
import { RegisterDialog, RemoveMenu } from './register-cluster.console.tsx'
import { clusterTexts } from './texts.console.tsx'

const TONES: Record<string, Tone> = { Ready: 'good', Degraded: 'warn', Unreachable: 'bad', Unknown: 'mute' }
type Summary = ReturnType<typeof ClusterSummary.parse>
type State4 = Summary['state']

function ClusterBadge({ state }: { state: State4 }) {
  const t = useText(clusterTexts)
  return (
    <span data-state={state}>
      <State tone={TONES[state] ?? 'mute'}>{t(state)}</State>
    </span>
  )
}

/** All clusters with state, version and how full they are. */
export function ClustersPage() {
  const t = useText(clusterTexts)
  const [registering, setRegistering] = useUrlValue('register')
  const query = useRead(listClusters, {}, { everySeconds: 5 })
  const may = useMay()
  const register = may('cluster.register') && (
    <Button icon="plus" onClick={() => setRegistering('true')}>
      {t('register')}
    </Button>
  )
  return (
    <div className="page">
      <header className="page-head">
        <Heading className="grow">{t('clusters')}</Heading>
        {register}
      </header>
      <section className="card">
        <Read query={query}>
          {({ items }) => (
            <Table
              label={t('clusters')}
              rows={items}
              rowKey={(one) => one.name}
              empty={
                <Empty title={t('none')} act={register}>
                  {t('noneDetail')}
                </Empty>
              }
              columns={[
                { title: t('name'), cell: (one) => <Link to={`/clusters/${one.name}`}>{one.name}</Link> },
                {
                  title: t('state'),
                  cell: (one) => (
                    <>
                      <ClusterBadge state={one.state} />
                      {one.message && (
                        <div className="soft small clip" title={one.message}>
                          {one.message}
                        </div>
                      )}
                    </>
                  ),
                },
                { title: t('version'), nowrap: true, cell: (one) => one.version ?? '–' },
                {
                  title: t('nodes'),
                  nowrap: true,
                  cell: (one) =>
                    one.capacity ? t('readyNodes', { ready: one.capacity.readyNodes, count: one.capacity.nodes }) : '–',
                },
                { title: t('cpu'), cell: (one) => one.capacity && <Cpu capacity={one.capacity} /> },
                { title: t('memory'), cell: (one) => one.capacity && <Memory capacity={one.capacity} /> },
                { title: t('environments'), end: true, cell: (one) => one.environments },
                {
                  title: t('origin'),
                  nowrap: true,
                  cell: (one) => (one.simulated ? `${t(one.origin)}, ${t('simulated')}` : t(one.origin)),
                },
              ]}
            />
          )}
        </Read>
      </section>
      {registering === 'true' && <RegisterDialog close={() => setRegistering('')} />}
    </div>
  )
}

type Capacity = NonNullable<Summary['capacity']>
function Cpu({ capacity }: { capacity: Pick<Capacity, 'cpuCores' | 'cpuRequestedCores'> }) {
  const t = useText(clusterTexts)
  const text = t('requested', { used: formatCores(capacity.cpuRequestedCores), all: formatCores(capacity.cpuCores) })
  return <Meter used={capacity.cpuRequestedCores} all={capacity.cpuCores} text={text} />
}
function Memory({ capacity }: { capacity: Pick<Capacity, 'memoryBytes' | 'memoryRequestedBytes'> }) {
  const t = useText(clusterTexts)
  const text = t('requested', {
    used: formatBytes(capacity.memoryRequestedBytes),
    all: formatBytes(capacity.memoryBytes),
  })
  return <Meter used={capacity.memoryRequestedBytes} all={capacity.memoryBytes} text={text} />
}

type Detail = ReturnType<typeof ClusterDetail.parse>
/** How much of what Quarterdeck needs it is allowed; what is missing is never folded away. */
function Rights({ rights }: { rights: Detail['rights'] }) {
  const t = useText(clusterTexts)
  const allowed = rights.filter((right) => right.allowed)
  return (
    <div className="pad rows tight">
      {rights
        .filter((right) => !right.allowed)
        .map((right) => (
          <Note key={right.act} tone="warn" title={`${right.act}: ${t('denied')}.`}>
            {right.neededFor}
          </Note>
        ))}
      {rights.length > 0 && (
        <Section title={t('rights')} count={t('rightsOf', { count: rights.length, allowed: allowed.length })}>
          <ul className="small">
            {allowed.map((right) => (
              <li key={right.act} className="cols">
                <Icon name="check" />
                <span className="mono">{right.act}</span> <span className="soft">{right.neededFor}</span>
              </li>
            ))}
          </ul>
        </Section>
      )}
    </div>
  )
}

/** What happened in the cluster lately. */
function ClusterEvents({ cluster }: { cluster: string }) {
  const t = useText(clusterTexts)
  const [type, setType] = useUrlValue('events')
  const query = useRead(
    listClusterEvents,
    { params: { cluster }, query: { limit: 50, ...(type === 'all' ? {} : { type: 'Warning' }) } },
    { everySeconds: 10, keep: true },
  )
  return (
    <section className="card">
      <header>
        <h2>{t('events')}</h2>
        <Check checked={type !== 'all'} onChange={(on) => setType(on ? '' : 'all')}>
          {t('warningsOnly')}
        </Check>
      </header>
      <Read query={query}>{({ items }) => <EventTable label={t('events')} events={items} />}</Read>
    </section>
  )
}

/** Capacity, control plane, and what Quarterdeck may do. */
function Inside({ detail }: { detail: Detail }) {
  const t = useText(clusterTexts)
  return (
    <div className="halves">
      <section className="card">
        <header>
          <h2>{t('capacity')}</h2>
        </header>
        {detail.capacity === undefined && (
          <p className="soft pad" role="status">
            {t('capacityUnread')}
          </p>
        )}
        {detail.capacity && (
          <dl className="body rows tight">
            <div>
              <dt>{t('cpu')}</dt>
              <dd>
                <Cpu capacity={detail.capacity} />
              </dd>
            </div>
            <div>
              <dt>{t('memory')}</dt>
              <dd>
                <Memory capacity={detail.capacity} />
              </dd>
            </div>
            <div>
              <dt>{t('pods')}</dt>
              <dd>
                <Meter
                  used={detail.capacity.pods}
                  all={detail.capacity.podLimit}
                  text={t('podsOf', { used: detail.capacity.pods, all: detail.capacity.podLimit })}
                />
              </dd>
            </div>
          </dl>
        )}
      </section>
      <section className="card">
        <header>
          <h2>{t('control')}</h2>
        </header>
        <ul className="plain-list">
          {detail.components.map((component) => (
            <li key={component.name}>
              <div className="cols apart">
                <span>{component.name}</span>
                <State tone={component.healthy ? 'good' : 'bad'}>
                  {component.healthy ? t('healthy') : t('unhealthy')}
                </State>
              </div>
              {component.message && !component.healthy && <p className="soft small wrap">{component.message}</p>}
            </li>
          ))}
        </ul>
        <Rights rights={detail.rights} />
      </section>
    </div>
  )
}

/** One cluster: what is not well first (`unwell`), control plane, capacity, rights, then its `nodes` and events. */
export function ClusterPage({
  cluster,
  explore,
  unwell,
  nodes,
}: {
  cluster: string
  /** The way to its objects. */
  explore: ReactNode
  unwell: ReactNode
  nodes: ReactNode
}) {
  const t = useText(clusterTexts)
  const may = useMay()
  const query = useRead(getCluster, { params: { cluster } }, { everySeconds: 5 })
  return (
    <div className="page">
      <Read query={query} lines={2}>
        {(detail) => (
          <>
            <header className="page-head">
              <div className="grow">
                <Heading>{detail.title || detail.name}</Heading>
                <p className="cols soft">
                  <ClusterBadge state={detail.state} />
                  {detail.version && <span>Kubernetes {detail.version}</span>}
                  <span>{detail.simulated ? `${t(detail.origin)}, ${t('simulated')}` : t(detail.origin)}</span>
                  <span className="mono">{detail.server}</span>
                  <span>
                    {t('observed')} <Age time={detail.observeTime} />
                  </span>
                </p>
              </div>
              {explore}
              <ButtonLink to={`/environments?cluster=${detail.name}`} icon="environment">
                {t('environments')} {detail.environments}
              </ButtonLink>
              {detail.origin === 'kubeconfig' && may('cluster.remove') && <RemoveMenu cluster={detail.name} />}
            </header>
            {detail.message && <Note tone={detail.state === 'Unreachable' ? 'bad' : 'warn'}>{detail.message}</Note>}
            {detail.versionSupported === false && <Note tone="warn">{t('unsupported')}</Note>}
            {detail.warnings.map((warning) => (
              <Note key={warning} tone="warn">
                {warning}
              </Note>
            ))}
          </>
        )}
      </Read>
      {unwell}
      {query.data && <Inside detail={query.data} />}
      {nodes}
      <ClusterEvents cluster={cluster} />
    </div>
  )
}
