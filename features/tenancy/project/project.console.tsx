import {
  Button,
  Empty,
  Heading,
  Link,
  Read,
  Select,
  Table,
  useMay,
  useRead,
  useText,
  useUrlValue,
} from '@quarterdeck/ui'
import { ProjectDialog } from './change-project.console.tsx'
import { listProjects } from './project.contract.ts'
import { projectTexts } from './texts.console.tsx'

/** Projects that one may see, of all tenants or of one. */
export function ProjectsPage() {
  const t = useText(projectTexts)
  const query = useRead(listProjects, { query: {} }, { everySeconds: 10 })
  const [tenant, setTenant] = useUrlValue('tenant')
  const [creating, setCreating] = useUrlValue('create')
  const tenants = [...new Set([...(query.data?.items ?? []).map((one) => one.tenant), ...(tenant ? [tenant] : [])])]
  const may = useMay()
  const create = may('project.create') && (
    <Button kind="primary" icon="plus" onClick={() => setCreating('true')}>
      {t('create')}
    </Button>
  )
  return (
    <div className="page">
      <header className="page-head">
        <div className="grow">
          <Heading>{t('projects')}</Heading>
          <p className="soft">{t('lead')}</p>
        </div>
        {tenants.length > 1 && (
          <div className="pick">
            <Select
              aria-label={t('tenant')}
              value={tenant}
              onChange={setTenant}
              options={[
                { value: '', label: t('allTenants') },
                ...tenants.toSorted().map((name) => ({ value: name, label: name })),
              ]}
            />
          </div>
        )}
        {create}
      </header>
      <section className="card">
        <Read query={query}>
          {({ items }) => (
            <Table
              label={t('projects')}
              rows={items.filter((one) => !tenant || one.tenant === tenant)}
              rowKey={(one) => one.name}
              empty={
                <Empty title={t('none')} act={create}>
                  {t('noneDetail')}
                </Empty>
              }
              columns={[
                { title: t('name'), cell: (one) => <Link to={`/projects/${one.name}`}>{one.name}</Link> },
                { title: t('tenant'), cell: (one) => <Link to={`/tenants/${one.tenant}`}>{one.tenant}</Link> },
                { title: t('title'), cell: (one) => one.title },
                {
                  title: t('environments'),
                  end: true,
                  cell: (one) => <Link to={`/environments?project=${one.name}`}>{one.environments}</Link>,
                },
              ]}
            />
          )}
        </Read>
      </section>
      {creating === 'true' && <ProjectDialog tenant={tenant} close={() => setCreating('')} />}
    </div>
  )
}
