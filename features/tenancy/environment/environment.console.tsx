import {
  Age,
  Button,
  Empty,
  FilterLine,
  Heading,
  Link,
  Menu,
  matches,
  NoMatch,
  Read,
  Select,
  Stage,
  State,
  Table,
  type Tone,
  useMay,
  useRead,
  useText,
  useUrlValue,
} from '@quarterdeck/ui'
import { useState } from 'react'
import { CreateDialog, DeleteDialog } from './change-environment.console.tsx'
import { type Environment, listEnvironments } from './environment.contract.ts'
import { environmentTexts } from './texts.console.tsx'

/** How each state looks. */
export const TONES: Record<Environment['state'], Tone> = {
  Creating: 'busy',
  Ready: 'good',
  Deleting: 'busy',
  Failed: 'bad',
  Unknown: 'mute',
}

/** Environments with stage and cluster; create and delete end on a plan like every change. */
export function EnvironmentsPage() {
  const t = useText(environmentTexts)
  const [filter, setFilter] = useUrlValue('filter')
  const [cluster] = useUrlValue('cluster')
  const [project, setProject] = useUrlValue('project')
  const [creating, setCreating] = useUrlValue('create')
  const [deleting, setDeleting] = useState<Environment>()
  const query = useRead(listEnvironments, { query: {} }, { everySeconds: 2 })
  const projects = [
    ...new Set([...(query.data?.items ?? []).map((one) => one.project), ...(project ? [project] : [])]),
  ].toSorted()
  const shown = (one: Environment) =>
    (!cluster || one.cluster === cluster) &&
    (!project || one.project === project) &&
    matches(filter, {
      name: one.name,
      stage: one.stage,
      cluster: one.cluster,
      project: one.project,
      title: one.title,
    })
  const may = useMay()
  const create = may('environment.create') && (
    <Button kind="primary" icon="plus" onClick={() => setCreating('true')}>
      {t('create')}
    </Button>
  )
  return (
    <div className="page">
      <header className="page-head">
        <Heading className="grow">{t('environments')}</Heading>
        {projects.length > 1 && (
          <div className="pick">
            <Select
              aria-label={t('project')}
              value={project}
              onChange={setProject}
              options={[
                { value: '', label: t('allProjects') },
                ...projects.map((name) => ({ value: name, label: name })),
              ]}
            />
          </div>
        )}
        <FilterLine value={filter} onChange={setFilter} placeholder={t('filter')} />
        {create}
      </header>
      <section className="card">
        <Read query={query}>
          {({ items }) => (
            <Table
              label={t('environments')}
              rows={items.filter(shown)}
              rowKey={(one) => one.name}
              empty={
                items.length > 0 ? (
                  <NoMatch clear={() => setFilter('')} />
                ) : (
                  <Empty title={t('none')} act={create}>
                    {t('noneDetail')}
                  </Empty>
                )
              }
              columns={[
                {
                  title: t('name'),
                  cell: (one) => <Link to={`/environments/${one.name}`}>{one.name}</Link>,
                },
                { title: t('project'), cell: (one) => <Link to={`/projects/${one.project}`}>{one.project}</Link> },
                { title: t('stage'), nowrap: true, cell: (one) => <Stage stage={one.stage} /> },
                {
                  title: t('state'),
                  cell: (one) => (
                    <>
                      <State tone={TONES[one.state]}>{t(one.state)}</State>
                      {one.message && <div className="soft small wrap">{one.message}</div>}
                    </>
                  ),
                },
                { title: t('cluster'), cell: (one) => <Link to={`/clusters/${one.cluster}`}>{one.cluster}</Link> },
                { title: t('namespace'), cell: (one) => <span className="mono">{one.namespace}</span> },
                {
                  title: t('applications'),
                  end: true,
                  cell: (one) => <Link to={`/applications?environment=${one.name}`}>{one.applications}</Link>,
                },
                { title: t('age'), nowrap: true, cell: (one) => <Age time={one.createTime} /> },
                {
                  title: t('acts'),
                  acts: true,
                  cell: (one) => (
                    <Menu
                      small
                      kind="plain"
                      icon="more"
                      label={`${t('more')}: ${one.name}`}
                      items={[{ label: t('delete'), icon: 'trash', danger: true, act: () => setDeleting(one) }]}
                    />
                  ),
                },
              ]}
            />
          )}
        </Read>
      </section>
      {creating === 'true' && <CreateDialog project={project} close={() => setCreating('')} />}
      {deleting && <DeleteDialog environment={deleting} close={() => setDeleting(undefined)} />}
    </div>
  )
}
