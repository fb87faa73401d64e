import {
  Button,
  Check,
  call,
  Dialog,
  Empty,
  Failure,
  Field,
  Heading,
  Read,
  Select,
  ShowAs,
  Table,
  TextInput,
  useRead,
  useReadAgain,
  useText,
} from '@quarterdeck/ui'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { Stage } from '../environment/environment.contract.ts'
import { listOneTimeRules, OneTimeRule, setOneTimeRules } from './onetime.contract.ts'
import { oneTimeTexts } from './texts.console.tsx'

/** When a one-time password is asked for. */
export function OneTimeRulesPage() {
  const t = useText(oneTimeTexts)
  const rules = useRead(listOneTimeRules)
  const readAgain = useReadAgain()
  const [adding, setAdding] = useState(false)
  const save = useMutation({
    mutationFn: (next: OneTimeRule[]) => call(setOneTimeRules, { body: { rules: next } }),
    onSuccess: async () => {
      await readAgain(listOneTimeRules)
      setAdding(false)
    },
  })
  const current = rules.data?.rules ?? []
  const actsText = ({ acts }: OneTimeRule) => (typeof acts === 'string' ? t(acts) : acts.join(', '))
  const add = (
    <Button kind="primary" icon="plus" onClick={() => setAdding(true)}>
      {t('addRule')}
    </Button>
  )
  return (
    <div className="page">
      <header className="page-head">
        <div className="grow">
          <Heading>{t('rules')}</Heading>
          <p className="soft">{t('rulesLead')}</p>
        </div>
        {add}
      </header>
      {save.error && !adding && <Failure error={save.error} />}
      <Read query={rules}>
        {({ rules: items }) => (
          <Table
            label={t('rules')}
            rows={items}
            rowKey={(rule) => JSON.stringify(rule)}
            empty={<Empty title={t('noRules')}>{t('noRulesLead')}</Empty>}
            columns={[
              { title: t('who'), cell: ({ roles }) => roles.join(', ') || t('everybody') },
              { title: t('where'), cell: ({ stages }) => stages.join(', ') || t('anywhere') },
              { title: t('what'), wide: true, cell: actsText },
              { title: t('age'), nowrap: true, cell: ({ maxAgeMinutes: count }) => t('minutes', { count }) },
              {
                title: t('acting'),
                acts: true,
                cell: (rule) => (
                  <Button
                    small
                    kind="danger"
                    busy={save.isPending}
                    onClick={() => save.mutate(current.filter((one) => one !== rule))}
                  >
                    {t('removeRule')}
                  </Button>
                ),
              },
            ]}
          />
        )}
      </Read>
      {adding && (
        <RuleDialog
          others={current}
          busy={save.isPending}
          error={save.error}
          close={() => setAdding(false)}
          save={(rule) => save.mutate([...current, rule])}
        />
      )}
    </div>
  )
}

const listed = (text: string) =>
  text
    .split(/[\s,]+/)
    .map((one) => one.trim())
    .filter((one) => one !== '')

function RuleDialog({
  others,
  busy,
  error,
  close,
  save,
}: {
  others: OneTimeRule[]
  busy: boolean
  error: Error | null
  close: () => void
  save: (rule: OneTimeRule) => void
}) {
  const t = useText(oneTimeTexts)
  const [roles, setRoles] = useState('')
  const [stages, setStages] = useState<Stage[]>(['prod'])
  const [kind, setKind] = useState('changes')
  const [acts, setActs] = useState('container.exec')
  const [minutes, setMinutes] = useState('15')
  const checked = OneTimeRule.safeParse({
    roles: listed(roles),
    stages,
    acts: kind === 'these' ? listed(acts) : kind,
    maxAgeMinutes: Number(minutes),
  })
  return (
    <Dialog
      narrow
      title={t('addRule')}
      close={close}
      footer={
        <>
          <Button onClick={close}>{t('cancel')}</Button>
          <Button
            kind="primary"
            busy={busy}
            disabled={!checked.success}
            onClick={() => checked.success && save(checked.data)}
          >
            {t('save')}
          </Button>
        </>
      }
    >
      <div className="rows">
        <Field label={t('roles')} hint={t('rolesHint')}>
          {(control) => (
            <TextInput {...control} value={roles} onChange={setRoles} placeholder="administrator" autoFocus />
          )}
        </Field>
        <fieldset className="rows tight">
          <legend>{t('stages')}</legend>
          <div className="row">
            {Stage.options.map((stage) => (
              <Check
                key={stage}
                checked={stages.includes(stage)}
                onChange={(on) => setStages(on ? [...stages, stage] : stages.filter((one) => one !== stage))}
              >
                {stage}
              </Check>
            ))}
          </div>
          <p className="small soft">{t('stagesHint')}</p>
        </fieldset>
        <Field label={t('what')}>
          {(control) => (
            <Select
              {...control}
              value={kind}
              onChange={setKind}
              options={['changes', 'these', 'everything'].map((value) => ({
                value,
                label: t(value as 'changes' | 'these' | 'everything'),
              }))}
            />
          )}
        </Field>
        {kind === 'these' && (
          <Field label={t('acts')} hint={t('actsHint')}>
            {(control) => <TextInput {...control} value={acts} onChange={setActs} />}
          </Field>
        )}
        <Field label={t('ageMinutes')}>
          {(control) => <TextInput {...control} inputMode="numeric" value={minutes} onChange={setMinutes} />}
        </Field>
        {checked.success && (
          <ShowAs endpoint={setOneTimeRules} input={{ params: {}, body: { rules: [...others, checked.data] } }} />
        )}
        {error && <Failure error={error} />}
      </div>
    </Dialog>
  )
}
