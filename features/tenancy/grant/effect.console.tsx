import { Note, Table, useLanguage, useText } from '@quarterdeck/ui'
import { permissionTitle } from '../role/permission.contract.ts'
import type { GrantEffect } from './grant.contract.ts'
import { grantTexts } from './texts.console.tsx'

/** What a grant would open, in sentences and permission by permission. */
export function EffectPanel({ effect }: { effect: GrantEffect }) {
  const t = useText(grantTexts)
  const [language] = useLanguage()
  const { gaining, people, environments, clusters, permissions, future } = effect
  const more = environments.total > environments.names.length ? ' …' : ''
  const opening = permissions.filter((one) => one.people > 0)
  return (
    <section className="rows tight" aria-label={t('effect')} data-testid="grant-effect">
      <h3>{t('effect')}</h3>
      {gaining === 0 ? (
        <Note tone="mute">{t('effectNothing')}</Note>
      ) : (
        <p>{t('effectPeople', { count: gaining, people })}</p>
      )}
      <p>
        {environments.total === 0
          ? t('effectNowhere')
          : t('effectWhere', { count: environments.total, names: environments.names.join(', ') + more })}
      </p>
      {clusters.length > 0 && <p>{t('effectClusters', { names: clusters.join(', ') })}</p>}
      {future && <p className="soft">{t('effectFuture')}</p>}
      {opening.length > 0 && (
        <Table
          label={t('effect')}
          rows={opening}
          rowKey={({ permission }) => permission}
          columns={[
            {
              title: t('permission'),
              wide: true,
              cell: ({ permission }) => <span title={permission}>{permissionTitle(permission, language)}</span>,
            },
            { title: t('newFor'), end: true, cell: (one) => one.people },
          ]}
        />
      )}
    </section>
  )
}
