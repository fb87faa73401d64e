import {
  Age,
  ButtonLink,
  Empty,
  FilterLine,
  Heading,
  Link,
  Menu,
  matches,
  NoMatch,
  Read,
  Stage,
  Table,
  useRead,
  useText,
  useUrlValue,
} from '@quarterdeck/ui'
import { useState } from 'react'
import {
  AddressLink,
  ApplicationBadge,
  RowLinks,
  rowLinks,
  shortImage,
  type UndoWindow,
} from './application.console.tsx'
import { type ApplicationSummary, listApplications } from './application.contract.ts'
import { ActDialog, type ActName } from './change-application.console.tsx'
import { applicationTexts } from './texts.console.tsx'

const membersOf = (one: ApplicationSummary) => ({
  name: one.name,
  state: `${one.state} ${one.state.toLowerCase()}`,
  image: one.image,
  message: one.message,
})

/** The applications of one environment, live. */
export function ApplicationsPage({
  environment,
  stage,
  undo,
}: {
  environment: string
  stage: string | undefined
  undo: UndoWindow
}) {
  const t = useText(applicationTexts)
  const [filter, setFilter] = useUrlValue('filter')
  const query = useRead(listApplications, { params: { environment } }, { everySeconds: 2 })
  const deploy = `/deploy?environment=${environment}`
  return (
    <div className="page">
      <header className="page-head">
        <Heading className="grow">
          {t('applications')} <span className="soft in">{environment}</span> {stage && <Stage stage={stage} />}
        </Heading>
        <FilterLine value={filter} onChange={setFilter} placeholder={t('filter')} />
        <ButtonLink kind="primary" icon="deploy" to={deploy}>
          {t('deploy')}
        </ButtonLink>
      </header>
      <section className="card">
        <Read query={query}>
          {({ items }) =>
            items.length === 0 ? (
              <Empty
                title={t('none', { environment })}
                act={
                  <ButtonLink kind="primary" icon="deploy" to={deploy}>
                    {t('deployFirst')}
                  </ButtonLink>
                }
              >
                {t('noneDetail')}
              </Empty>
            ) : (
              <Rows
                rows={items.filter((one) => matches(filter, membersOf(one)))}
                stage={stage}
                undo={undo}
                clear={() => setFilter('')}
              />
            )
          }
        </Read>
      </section>
    </div>
  )
}

function Rows({
  rows,
  stage,
  undo,
  clear,
}: {
  rows: ApplicationSummary[]
  stage: string | undefined
  undo: UndoWindow
  clear: () => void
}) {
  const t = useText(applicationTexts)
  const [act, setAct] = useState<{ act: ActName; application: ApplicationSummary }>()
  const [undoing, setUndoing] = useState<ApplicationSummary>()
  return (
    <>
      <Table
        label={t('applications')}
        rows={rows}
        rowKey={(one) => one.name}
        empty={<NoMatch clear={clear} />}
        columns={[
          { title: t('name'), cell: (one) => <Link to={rowLinks(one).overview}>{one.name}</Link> },
          {
            title: t('state'),
            cell: (one) => (
              <>
                <ApplicationBadge state={one.state} />
                {one.message && one.state !== 'Healthy' && (
                  <div className="soft small clip" title={one.message}>
                    {one.message}
                  </div>
                )}
              </>
            ),
          },
          { title: t('ready'), end: true, nowrap: true, cell: (one) => `${one.readyReplicas}/${one.replicas}` },
          {
            title: t('image'),
            cell: (one) => (
              <span className="mono" title={one.image}>
                {shortImage(one.image)}
              </span>
            ),
          },
          { title: t('address'), cell: (one) => <AddressLink address={one.address} /> },
          { title: t('changed'), nowrap: true, cell: (one) => <Age time={one.changeTime} /> },
          {
            title: t('acts'),
            acts: true,
            cell: (one) => (
              <>
                <RowLinks application={one} />
                <Menu
                  small
                  kind="plain"
                  icon="more"
                  label={`${t('more')}: ${one.name}`}
                  items={[
                    { label: t('undoLast'), icon: 'undo', disabled: !one.lastOperation, act: () => setUndoing(one) },
                    { label: t('deployNew'), icon: 'deploy', act: () => setAct({ act: 'image', application: one }) },
                    { label: t('scale'), icon: 'scale', act: () => setAct({ act: 'scale', application: one }) },
                    { label: t('restart'), icon: 'restart', act: () => setAct({ act: 'restart', application: one }) },
                    {
                      label: t('delete'),
                      icon: 'trash',
                      danger: true,
                      rule: true,
                      act: () => setAct({ act: 'delete', application: one }),
                    },
                  ]}
                />
              </>
            ),
          },
        ]}
      />
      {act && <ActDialog {...act} stage={stage} close={() => setAct(undefined)} />}
      {undoing?.lastOperation &&
        undo({ id: undoing.lastOperation, summary: undoing.name, application: undoing.name }, () =>
          setUndoing(undefined),
        )}
    </>
  )
}
