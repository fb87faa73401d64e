import { Age, Button, Empty, Heading, Link, Read, Table, useMay, useRead, useText, useUrlValue } from '@quarterdeck/ui'
import { TenantDialog } from './change-tenant.console.tsx'
import { listTenants } from './tenant.contract.ts'
import { tenantTexts } from './texts.console.tsx'

/** Tenants that one may see. */
export function TenantsPage() {
  const t = useText(tenantTexts)
  const query = useRead(listTenants, {}, { everySeconds: 10 })
  const [creating, setCreating] = useUrlValue('create')
  const may = useMay()
  const create = may('tenant.create') && (
    <Button kind="primary" icon="plus" onClick={() => setCreating('true')}>
      {t('create')}
    </Button>
  )
  return (
    <div className="page">
      <header className="page-head">
        <div className="grow">
          <Heading>{t('tenants')}</Heading>
          <p className="soft">{t('lead')}</p>
        </div>
        {create}
      </header>
      <section className="card">
        <Read query={query}>
          {({ items }) => (
            <Table
              label={t('tenants')}
              rows={items}
              rowKey={(one) => one.name}
              empty={
                <Empty title={t('none')} act={create}>
                  {t('noneDetail')}
                </Empty>
              }
              columns={[
                { title: t('name'), cell: (one) => <Link to={`/tenants/${one.name}`}>{one.name}</Link> },
                { title: t('title'), cell: (one) => one.title },
                {
                  title: t('projects'),
                  end: true,
                  cell: (one) => <Link to={`/projects?tenant=${one.name}`}>{one.projects}</Link>,
                },
                { title: t('environments'), end: true, cell: (one) => one.environments },
                { title: t('clusters'), cell: (one) => one.clusters.join(', ') || t('everyCluster') },
                { title: t('created'), nowrap: true, cell: (one) => <Age time={one.createTime} /> },
              ]}
            />
          )}
        </Read>
      </section>
      {creating === 'true' && <TenantDialog close={() => setCreating('')} />}
    </div>
  )
}
