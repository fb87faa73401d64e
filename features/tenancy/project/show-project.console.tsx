import {
  Age,
  Button,
  ButtonLink,
  Empty,
  Facts,
  Heading,
  Link,
  Read,
  Shares,
  Stage,
  Table,
  useLanguage,
  useMay,
  useRead,
  useText,
} from '@quarterdeck/ui'
import { type ReactNode, useState } from 'react'
import { listEnvironments } from '../environment/environment.contract.ts'
import { sharesOf } from '../tenant/quota.contract.ts'
import type { Member } from '../tenant/tenant.contract.ts'
import { DeleteProjectDialog, ProjectDialog } from './change-project.console.tsx'
import { getProject, type ProjectDetail } from './project.contract.ts'
import { projectTexts } from './texts.console.tsx'

/** One project: its environments, what it may use and who is in it. */
export function ProjectPage({ project, history }: { project: string; history: ReactNode }) {
  const query = useRead(getProject, { params: { project } }, { everySeconds: 10 })
  return (
    <div className="page">
      <Read query={query}>{(found) => <Inside project={found} history={history} />}</Read>
    </div>
  )
}

function Inside({ project, history }: { project: ProjectDetail; history: ReactNode }) {
  const t = useText(projectTexts)
  const may = useMay()
  const [language] = useLanguage()
  const [act, setAct] = useState<'change' | 'delete'>()
  return (
    <div className="rows">
      <header className="page-head">
        <div className="grow">
          <Heading>{project.name}</Heading>
          {project.title && <p className="soft">{project.title}</p>}
        </div>
        {may('grant.list') && (
          <ButtonLink icon="link" to={`/access?at=project:${project.name}&inherited=true`}>
            {t('access')}
          </ButtonLink>
        )}
        {may('project.update') && <Button onClick={() => setAct('change')}>{t('change')}</Button>}
        {may('project.delete') && (
          <Button kind="danger" icon="trash" onClick={() => setAct('delete')}>
            {t('delete')}
          </Button>
        )}
      </header>
      <section className="card">
        <div className="body">
          <Facts
            rows={[
              [
                t('tenant'),
                <Link key="tenant" to={`/tenants/${project.tenant}`}>
                  {project.tenant}
                </Link>,
              ],
              [t('created'), <Age key="age" time={project.createTime} />],
            ]}
          />
        </div>
      </section>
      <Environments project={project.name} />
      <section className="card">
        <header>
          <h2>{t('quota')}</h2>
        </header>
        {project.use.length === 0 ? (
          <p className="soft pad">{t('noQuota')}</p>
        ) : (
          <Shares label={t('quota')} shares={sharesOf(project.use, language)} />
        )}
      </section>
      {project.members && <Members members={project.members} />}
      {history}
      {act === 'change' && <ProjectDialog project={project} tenant={project.tenant} close={() => setAct(undefined)} />}
      {act === 'delete' && <DeleteProjectDialog project={project.name} close={() => setAct(undefined)} />}
    </div>
  )
}

function Environments({ project }: { project: string }) {
  const t = useText(projectTexts)
  const query = useRead(listEnvironments, { query: { project } }, { everySeconds: 5 })
  const may = useMay()
  const create = may('environment.create') && (
    <ButtonLink small icon="plus" to={`/environments?project=${project}&create=true`}>
      {t('createEnvironment')}
    </ButtonLink>
  )
  return (
    <section className="card">
      <header>
        <h2>{t('environments')}</h2>
        {create}
      </header>
      <Read query={query}>
        {({ items }) => (
          <Table
            label={t('environments')}
            rows={items}
            rowKey={(one) => one.name}
            empty={<Empty title={t('noEnvironments')}>{t('noEnvironmentsDetail')}</Empty>}
            columns={[
              {
                title: t('environment'),
                cell: (one) => <Link to={`/environments/${one.name}`}>{one.name}</Link>,
              },
              { title: t('stage'), nowrap: true, cell: (one) => <Stage stage={one.stage} /> },
              { title: t('cluster'), cell: (one) => one.cluster },
              { title: t('applications'), end: true, cell: (one) => one.applications },
            ]}
          />
        )}
      </Read>
    </section>
  )
}

const PLACES = { platform: 'atPlatform', tenant: 'atTenant', project: 'atProject' } as const

function Members({ members }: { members: readonly Member[] }) {
  const t = useText(projectTexts)
  return (
    <section className="card">
      <header>
        <h2>{t('members')}</h2>
      </header>
      <Table
        label={t('members')}
        rows={members}
        rowKey={(one) => `${one.kind} ${one.name} ${one.role} ${one.at}`}
        empty={<p className="soft pad">{t('noMembers')}</p>}
        columns={[
          {
            title: t('member'),
            cell: (one) => (
              <>
                <strong>{one.name}</strong> <span className="soft small">{t(one.kind)}</span>
              </>
            ),
          },
          { title: t('role'), cell: (one) => one.role },
          { title: t('at'), cell: (one) => t(PLACES[one.at]) },
          {
            title: t('until'),
            nowrap: true,
            cell: (one) => (one.expireTime ? new Date(one.expireTime).toLocaleString() : t('always')),
          },
        ]}
      />
    </section>
  )
}
