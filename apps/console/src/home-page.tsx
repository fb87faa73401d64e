import {
  Age,
  ButtonLink,
  call,
  Empty,
  Failure,
  Heading,
  Link,
  readKey,
  Stage,
  Table,
  useMay,
  useRead,
  useText,
} from '@quarterdeck/ui'
import { useQueries } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { ApplicationBadge, rowLinks } from '../../../features/application/application/application.console.tsx'
import { listApplications } from '../../../features/application/application/application.contract.ts'
import { OperationTable } from '../../../features/delivery/operation/list-operations.console.tsx'
import { listOperations } from '../../../features/delivery/operation/operation.contract.ts'
import { useEnvironment } from './environment.ts'
import { frameTexts } from './texts.ts'

/** What needs somebody: running operations, unhealthy applications with the reason, recent changes. */
export function HomePage() {
  const t = useText(frameTexts)
  const { all, loaded, error, current, stageOf } = useEnvironment()
  const running = useRead(listOperations, { query: { running: true, limit: 5 } }, { everySeconds: 2 })
  const lists = useQueries({
    queries: all.map(({ name }) => ({
      queryKey: readKey(listApplications, { params: { environment: name } }),
      queryFn: () => call(listApplications, { params: { environment: name } }),
      refetchInterval: 3_000,
    })),
  })
  const applications = lists.flatMap((list) => list.data?.items ?? [])
  const known = loaded && lists.every((list) => !list.isPending)
  const ill = applications.filter(({ state }) => state === 'Failed' || state === 'Degraded' || state === 'Unknown')
  const may = useMay()
  if (!may('environment.list'))
    return <Alone title={t('noAccess')} detail={t('noAccessDetail')} act={<AskForAccess />} />
  if (error) return <Alone title={t('home')} detail={<Failure error={error} />} />
  if (!known) return null
  if (applications.length === 0) {
    const first = all.length === 0
    return (
      <Alone
        title={t(first ? 'makeEnvironment' : 'welcome')}
        detail={t(first ? 'makeEnvironmentDetail' : 'welcomeDetail')}
        act={first ? <MakeEnvironment /> : <DeployFirst environment={current?.name} />}
      >
        <Recent stageOf={stageOf} />
      </Alone>
    )
  }
  return (
    <div className="page">
      <Heading>{t('home')}</Heading>
      {(running.data?.items.length ?? 0) > 0 && (
        <section className="card">
          <header>
            <h2>{t('runningOperations')}</h2>
          </header>
          <OperationTable query={{ running: true }} stageOf={stageOf} />
        </section>
      )}
      <section className="card">
        <header>
          <h2>{t('unhealthy')}</h2>
        </header>
        <Table
          label={t('unhealthy')}
          rows={ill}
          rowKey={(one) => `${one.environment}/${one.name}`}
          empty={<p className="pad soft">{t('allHealthy')}</p>}
          columns={[
            { title: t('name'), cell: (one) => <Link to={rowLinks(one).overview}>{one.name}</Link> },
            {
              title: t('environment'),
              nowrap: true,
              cell: (one) => (
                <>
                  {one.environment} <Stage stage={stageOf(one.environment) ?? ''} />
                </>
              ),
            },
            { title: t('state'), nowrap: true, cell: (one) => <ApplicationBadge state={one.state} /> },
            { title: t('why'), cell: (one) => <span className="wrap">{one.message}</span> },
            { title: t('changed'), nowrap: true, cell: (one) => <Age time={one.changeTime} /> },
          ]}
        />
      </section>
      <Recent stageOf={stageOf} />
    </div>
  )
}

/** What to begin with, when there is nothing to look at yet. */
function Alone({
  title,
  detail,
  act,
  children,
}: {
  title: string
  detail: ReactNode
  act?: ReactNode
  children?: ReactNode
}) {
  const t = useText(frameTexts)
  return (
    <div className="page">
      <Heading>{t('home')}</Heading>
      <section className="card">
        <Empty title={title} act={act}>
          {detail}
        </Empty>
      </section>
      {children}
    </div>
  )
}

function AskForAccess() {
  const t = useText(frameTexts)
  return (
    <ButtonLink kind="primary" to="/requests?ask=environment.list">
      {t('askAct')}
    </ButtonLink>
  )
}

function MakeEnvironment() {
  const t = useText(frameTexts)
  const may = useMay()
  if (!may('environment.create')) return null
  return (
    <ButtonLink kind="primary" icon="plus" to="/environments?create=true">
      {t('environmentAct')}
    </ButtonLink>
  )
}

function DeployFirst({ environment }: { environment: string | undefined }) {
  const t = useText(frameTexts)
  const may = useMay()
  if (!may('application.deploy')) return null
  return (
    <ButtonLink kind="primary" icon="deploy" to={environment ? `/deploy?environment=${environment}` : '/deploy'}>
      {t('deployAct')}
    </ButtonLink>
  )
}

function Recent({ stageOf }: { stageOf: (name: string) => string | undefined }) {
  const t = useText(frameTexts)
  return (
    <section className="card">
      <header>
        <h2>{t('recent')}</h2>
      </header>
      <OperationTable query={{}} limit={10} stageOf={stageOf} />
    </section>
  )
}
