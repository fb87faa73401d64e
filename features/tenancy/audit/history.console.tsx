import { ButtonLink, Read, useMay, useRead, useText } from '@quarterdeck/ui'
import { listAudit } from './audit.contract.ts'
import { RecordTable } from './record-table.console.tsx'
import { auditTexts } from './texts.console.tsx'

const SHOWN = 10

/** What was last done in an environment, or to what is called so (`tenant retail`), for who may read the trail. */
export function History(of: { environment: string } | { about: string }) {
  const t = useText(auditTexts)
  const may = useMay()
  const readable = may('audit.list')
  const query = useRead(listAudit, { query: { ...of, limit: SHOWN } }, { everySeconds: 10, enabled: readable })
  if (!readable) return null
  return (
    <section className="card">
      <header>
        <h2>{t('history')}</h2>
        <ButtonLink small to={`/audit?${new URLSearchParams(of)}`}>
          {t('wholeTrail')}
        </ButtonLink>
      </header>
      <Read query={query}>
        {({ items }) => (
          <RecordTable items={items} label={t('history')} empty={<p className="soft pad">{t('noHistory')}</p>} />
        )}
      </Read>
    </section>
  )
}
