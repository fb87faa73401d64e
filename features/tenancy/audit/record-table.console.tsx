import { Age, Link, Table, useText } from '@quarterdeck/ui'
import type { ReactNode } from 'react'
import type { AuditOutcome, AuditRecord } from './audit.contract.ts'
import { auditTexts } from './texts.console.tsx'

/** Records as rows, with who, what and how it ended. */
export function RecordTable({ items, label, empty }: { items: AuditRecord[]; label: string; empty: ReactNode }) {
  const t = useText(auditTexts)
  return (
    <Table
      label={label}
      rows={items}
      rowKey={({ number }) => String(number)}
      empty={empty}
      columns={[
        { title: t('number'), end: true, cell: ({ number }) => number },
        { title: t('when'), nowrap: true, cell: ({ time }) => <Age time={time} /> },
        {
          title: t('who'),
          nowrap: true,
          cell: ({ actor, peer, client }) => (
            <span title={client}>
              {actor} {peer && <span className="soft small">{peer}</span>}
            </span>
          ),
        },
        { title: t('act'), nowrap: true, cell: ({ act }) => <code>{act}</code> },
        { title: t('what'), wide: true, cell: ({ what }) => what },
        { title: t('result'), nowrap: true, cell: ({ outcome }) => <Outcome outcome={outcome} /> },
        {
          title: t('words'),
          wide: true,
          cell: ({ act, detail, operation }) => (
            <p>
              {detail}{' '}
              {operation && !act.startsWith('native.') && <Link to={`/operations/${operation}`}>{t('operation')}</Link>}
            </p>
          ),
        },
      ]}
    />
  )
}

const TONES = { intent: 'mute', succeeded: 'good', failed: 'bad' } as const

function Outcome({ outcome }: { outcome: AuditOutcome }) {
  const t = useText(auditTexts)
  return <span className={`state tone-${TONES[outcome]}`}>{t(outcome)}</span>
}
