import {
  Age,
  Check,
  Empty,
  FilterLine,
  Heading,
  Link,
  matches,
  Read,
  Table,
  useRead,
  useText,
  useUrlValue,
} from '@quarterdeck/ui'
import { versionTexts } from './texts.console.tsx'
import { Change } from './version.console.tsx'
import { type ChangedObject, listChanges } from './version.contract.ts'

const LIMIT = 500

/** What was changed lately in the clusters, by whom. `linkOf` leads to the object. */
export function ChangesPage({ linkOf }: { linkOf(change: ChangedObject): string }) {
  const t = useText(versionTexts)
  const [filter, setFilter] = useUrlValue('filter')
  const [all, setAll] = useUrlValue('controllers')
  const query = { limit: LIMIT, controllers: all === 'true' }
  const changes = useRead(listChanges, { query }, { everySeconds: 3, keep: true })
  return (
    <div className="page">
      <header className="page-head">
        <Heading className="grow">{t('changes')}</Heading>
        <Check checked={all === 'true'} onChange={(checked) => setAll(checked ? 'true' : '')}>
          {t('controllers')}
        </Check>
        <FilterLine value={filter} onChange={setFilter} placeholder={t('filter')} />
      </header>
      <p className="soft">{t('changesDetail')}</p>
      <section className="card">
        <Read query={changes}>
          {({ items }) => {
            const found = items.filter((one) => matches(filter, textOf(one)))
            return (
              <Table
                label={t('changes')}
                rows={found}
                rowKey={({ cluster, uid, number }) => `${cluster}/${uid}/${number}`}
                empty={
                  <Empty title={items.length === 0 ? t('noChanges') : t('noMatch')}>
                    {items.length === 0 ? t('noChangesDetail') : t('noMatchDetail', { count: items.length })}
                  </Empty>
                }
                columns={[
                  { title: t('when'), nowrap: true, cell: ({ time }) => <Age time={time} /> },
                  { title: t('change'), nowrap: true, cell: ({ change }) => <Change change={change} /> },
                  {
                    title: t('object'),
                    wide: true,
                    cell: (one) => (
                      <Link to={linkOf(one)}>
                        {one.kind} {one.namespace === '' ? one.name : `${one.namespace}/${one.name}`}
                      </Link>
                    ),
                  },
                  { title: t('cluster'), cell: ({ cluster }) => cluster },
                  { title: t('by'), cell: ({ manager }) => manager || <span className="soft">{t('nobody')}</span> },
                  { title: t('version'), end: true, cell: ({ number }) => number },
                ]}
              />
            )
          }}
        </Read>
      </section>
    </div>
  )
}

const textOf = ({ cluster, kind, namespace, name, manager, change }: ChangedObject) => ({
  cluster,
  kind,
  namespace,
  name,
  by: manager,
  change,
})
