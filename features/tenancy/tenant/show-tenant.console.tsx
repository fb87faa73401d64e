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
  Table,
  useLanguage,
  useMay,
  useRead,
  useText,
} from '@quarterdeck/ui'
import { type ReactNode, useState } from 'react'
import { listProjects } from '../project/project.contract.ts'
import { DeleteTenantDialog, TenantDialog } from './change-tenant.console.tsx'
import { sharesOf } from './quota.contract.ts'
import { getTenant, type Member, type TenantDetail } from './tenant.contract.ts'
import { tenantTexts } from './texts.console.tsx'

/** One tenant: what it may use and who is in it. */
export function TenantPage({ tenant, history }: { tenant: string; history: ReactNode }) {
  const query = useRead(getTenant, { params: { tenant } }, { everySeconds: 10 })
  return (
    <div className="page">
      <Read query={query}>{(found) => <Inside tenant={found} history={history} />}</Read>
    </div>
  )
}

function Inside({ tenant, history }: { tenant: TenantDetail; history: ReactNode }) {
  const t = useText(tenantTexts)
  const may = useMay()
  const [language] = useLanguage()
  const [act, setAct] = useState<'change' | 'delete'>()
  return (
    <div className="rows">
      <header className="page-head">
        <div className="grow">
          <Heading>{tenant.name}</Heading>
          {tenant.title && <p className="soft">{tenant.title}</p>}
        </div>
        {may('grant.list') && (
          <ButtonLink icon="link" to={`/access?at=tenant:${tenant.name}&inherited=true`}>
            {t('access')}
          </ButtonLink>
        )}
        {may('tenant.update') && <Button onClick={() => setAct('change')}>{t('change')}</Button>}
        {may('tenant.delete') && (
          <Button kind="danger" icon="trash" onClick={() => setAct('delete')}>
            {t('delete')}
          </Button>
        )}
      </header>
      <section className="card">
        <div className="body">
          <Facts
            rows={[
              [t('clusters'), tenant.clusters.join(', ') || t('everyCluster')],
              [t('overcommit'), String(tenant.overcommit)],
              [t('environments'), String(tenant.environments)],
              [t('created'), <Age key="age" time={tenant.createTime} />],
            ]}
          />
        </div>
      </section>
      <section className="card">
        <header>
          <h2>{t('quota')}</h2>
        </header>
        {tenant.use.length === 0 ? (
          <p className="soft pad">{t('noQuota')}</p>
        ) : (
          <Shares label={t('quota')} shares={sharesOf(tenant.use, language)} />
        )}
      </section>
      <Projects tenant={tenant.name} />
      {tenant.members && <Members members={tenant.members} />}
      {history}
      {act === 'change' && <TenantDialog tenant={tenant} close={() => setAct(undefined)} />}
      {act === 'delete' && <DeleteTenantDialog tenant={tenant.name} close={() => setAct(undefined)} />}
    </div>
  )
}

function Projects({ tenant }: { tenant: string }) {
  const t = useText(tenantTexts)
  const may = useMay()
  const query = useRead(listProjects, { query: { tenant } }, { everySeconds: 10 })
  return (
    <section className="card">
      <header>
        <h2>{t('projects')}</h2>
        {may('project.create') && (
          <ButtonLink small icon="plus" to={`/projects?tenant=${tenant}&create=true`}>
            {t('createProject')}
          </ButtonLink>
        )}
      </header>
      <Read query={query}>
        {({ items }) => (
          <Table
            label={t('projects')}
            rows={items}
            rowKey={(one) => one.name}
            empty={<Empty title={t('noProjects')}>{t('noProjectsDetail')}</Empty>}
            columns={[
              { title: t('name'), cell: (one) => <Link to={`/projects/${one.name}`}>{one.name}</Link> },
              { title: t('title'), cell: (one) => one.title },
              { title: t('environments'), end: true, cell: (one) => one.environments },
            ]}
          />
        )}
      </Read>
    </section>
  )
}

function Members({ members }: { members: readonly Member[] }) {
  const t = useText(tenantTexts)
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
          { title: t('at'), cell: (one) => t(one.at) },
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
