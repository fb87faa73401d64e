import { Note, Section } from '../form.tsx'
import { Icon, type IconName } from '../icon.tsx'
import { Code } from '../overlay.tsx'
import { useText } from '../text.ts'
import { partTexts } from '../texts.ts'
import { FieldDiff } from './field-diff.tsx'
import { inOrder, isEmpty, type ObjectChangeView, type PlanView } from './plan.ts'

const LOOKS: Record<ObjectChangeView['action'], { icon: IconName; tone: string }> = {
  create: { icon: 'plus', tone: 'good' },
  update: { icon: 'turn', tone: 'busy' },
  delete: { icon: 'trash', tone: 'bad' },
  unchanged: { icon: 'check', tone: 'mute' },
}

/** A plan: what happens to each object, field by field, and what stands in the way. The same for every act. */
export function PlanPanel({ plan }: { plan: PlanView }) {
  const t = useText(partTexts)
  return (
    <div className="rows" data-testid="plan">
      {plan.blockers.length > 0 && (
        <Note tone="bad" title={t('blockers')}>
          <ul>
            {plan.blockers.map((blocker) => (
              <li key={blocker.pointer + blocker.detail}>{blocker.detail}</li>
            ))}
          </ul>
        </Note>
      )}
      {plan.laterOperations.length > 0 && (
        <Note tone="warn" title={t('later', { count: plan.laterOperations.length })}>
          <ul>
            {plan.laterOperations.map((later) => (
              <li key={later}>{later}</li>
            ))}
          </ul>
        </Note>
      )}
      {plan.warnings.map((warning) => (
        <Note key={warning} tone="warn">
          {warning}
        </Note>
      ))}
      <section className="card" aria-label={t('touches')}>
        <header>
          <h2 className="clip" title={plan.summary}>
            {plan.summary}
          </h2>
          <span className="soft small mono" title={plan.hash}>
            {t('hash', { hash: plan.hash.slice(0, 8) })}
          </span>
        </header>
        {isEmpty(plan) && plan.blockers.length === 0 && <p className="change soft">{t('nothing')}</p>}
        {(plan.notes ?? []).map((note) => (
          <p key={note} className="plan-note soft small">
            {note}
          </p>
        ))}
        {inOrder(plan.changes).map((change) => (
          <ObjectLine key={`${change.ref.kind}/${change.ref.namespace ?? ''}/${change.ref.name}`} change={change} />
        ))}
      </section>
    </div>
  )
}

function ObjectLine({ change }: { change: ObjectChangeView }) {
  const t = useText(partTexts)
  const look = LOOKS[change.action]
  const open = change.action === 'update'
  return (
    <div className="change" data-action={change.action}>
      <div className="head">
        <span className={`act state tone-${look.tone}`}>
          <Icon name={look.icon} />
          {t(change.action)}
        </span>
        <span className="wrap">
          {change.ref.kind} <strong>{change.ref.name}</strong>
        </span>
        {change.effect && <span className="soft grow">{change.effect}</span>}
      </div>
      {change.warnings.map((warning) => (
        <Note key={warning} tone="warn">
          {warning}
        </Note>
      ))}
      {change.conflicts.length > 0 && (
        <Note tone="warn" title={t('conflicts')}>
          <ul>
            {change.conflicts.map((conflict) => (
              <li key={conflict.manager + conflict.field}>
                <code>{conflict.field}</code> — {conflict.manager}
              </li>
            ))}
          </ul>
        </Note>
      )}
      {open && <FieldDiff fields={change.fields} />}
      {!open && change.action === 'create' && change.fields.length > 0 && (
        <Section title={t('fields', { count: change.fields.length })}>
          <FieldDiff fields={change.fields} />
        </Section>
      )}
      {change.action !== 'unchanged' && change.yaml !== '' && (
        <Section title={t('manifest')}>
          <Code text={change.yaml} label={`${t('manifest')} ${change.ref.kind} ${change.ref.name}`} highlight="yaml" />
        </Section>
      )}
    </div>
  )
}
