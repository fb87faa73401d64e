import {
  Button,
  call,
  Dialog,
  Failure,
  Field,
  fieldError,
  Note,
  Select,
  ShowAs,
  Skeleton,
  TextInput,
  useLanguage,
  useRead,
  useReadAgain,
  useText,
} from '@quarterdeck/ui'
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useEffect, useState } from 'react'
import { permissionTitle } from '../role/permission.contract.ts'
import { listRoles } from '../role/role.contract.ts'
import { EffectPanel } from './effect.console.tsx'
import { createGrant, type GrantEffect, listGrants } from './grant.contract.ts'
import { GroupField, PlaceField, placeBody, UserField } from './place-field.console.tsx'
import { grantTexts } from './texts.console.tsx'

const STEPS = ['who', 'what', 'where', 'effect', 'done'] as const
type Step = (typeof STEPS)[number]

/** What the three steps ask for. */
interface Wanted {
  kind: 'user' | 'group'
  name: string
  role: string
  place: string
  /** Hours from now; empty: until it is taken back. */
  hours: string
  reason: string
}

/** The end is taken once, so that what is shown and what is given are the same. */
const bodyOf = ({ kind, name, role, place, hours, reason }: Wanted, now: number) => ({
  role,
  [kind]: name.trim(),
  ...placeBody(place),
  ...(hours === '' ? {} : { expireTime: new Date(now + Number(hours) * 3_600_000).toISOString() }),
  ...(reason.trim() === '' ? {} : { reason: reason.trim() }),
})

/** Gives somebody access: whom, what, where and until when; then what it would open, and done. */
export function GiveDialog({
  close,
  user = '',
  group = '',
  place = '',
}: {
  close: () => void
  user?: string
  group?: string
  place?: string
}) {
  const t = useText(grantTexts)
  const readAgain = useReadAgain()
  const [wanted, setWanted] = useState<Wanted>({
    kind: group === '' ? 'user' : 'group',
    name: group || user,
    role: '',
    place,
    hours: '',
    reason: '',
  })
  const [step, setStep] = useState<Step>('who')
  const [now, setNow] = useState(Date.now)
  const body = bodyOf(wanted, now)
  const effect = useMutation<GrantEffect, Error>({
    mutationFn: async () => (await call(createGrant, { query: { dryRun: true }, body })) as GrantEffect,
  })
  const give = useMutation({
    mutationFn: () => call(createGrant, { body }),
    onSuccess: async () => {
      setStep('done')
      await readAgain(listGrants)
    },
  })
  // biome-ignore lint/correctness/useExhaustiveDependencies: asked once whenever the step is reached
  useEffect(() => {
    if (step === 'effect') effect.mutate()
  }, [step, now])
  const complete = { who: wanted.name.trim() !== '', what: wanted.role !== '', where: wanted.place !== '' }
  const ready = step === 'effect' ? effect.isSuccess : step === 'done' || complete[step]
  const set = (part: Partial<Wanted>) => setWanted({ ...wanted, ...part })
  const at = STEPS.indexOf(step)
  const go = (event: FormEvent) => {
    event.preventDefault()
    if (!ready) return
    if (step === 'done') return close()
    if (step === 'effect') return give.mutate()
    if (step === 'where') setNow(Date.now())
    setStep(STEPS[at + 1] ?? 'done')
  }
  return (
    <Dialog
      title={t('giveTitle')}
      close={close}
      footer={
        <>
          {at > 0 && step !== 'done' && (
            <Button
              onClick={() => {
                give.reset()
                setStep(STEPS[at - 1] ?? 'who')
              }}
            >
              {t('back')}
            </Button>
          )}
          {step !== 'done' && <Button onClick={close}>{t('cancel')}</Button>}
          <Button kind="primary" type="submit" form="give-access" busy={give.isPending} disabled={!ready}>
            {step === 'done' ? t('done') : step === 'effect' ? t('give') : t('next')}
          </Button>
        </>
      }
    >
      <form id="give-access" className="rows" onSubmit={go}>
        {at < 3 && (
          <p className="soft" aria-live="polite">
            {t('step', { step: at + 1, name: t(({ 0: 'stepWho', 1: 'stepWhat', 2: 'stepWhere' } as const)[at as 0]) })}
          </p>
        )}
        {step === 'who' && <WhoStep wanted={wanted} set={set} />}
        {step === 'what' && <WhatStep wanted={wanted} set={set} />}
        {step === 'where' && <WhereStep wanted={wanted} set={set} />}
        {step === 'effect' && (
          <>
            {effect.isPending && <Skeleton />}
            {effect.error && <Failure error={effect.error} retry={() => effect.mutate()} />}
            {effect.data && <EffectPanel effect={effect.data} />}
            <ShowAs endpoint={createGrant} input={{ params: {}, body }} />
            {give.error && <Failure error={give.error} />}
          </>
        )}
        {step === 'done' && <Note tone="good">{t('given', { who: wanted.name, role: wanted.role })}</Note>}
        {fieldError(effect.error, '/user') && <p className="error small">{fieldError(effect.error, '/user')}</p>}
      </form>
    </Dialog>
  )
}

interface StepProps {
  wanted: Wanted
  set: (part: Partial<Wanted>) => void
}

function WhoStep({ wanted, set }: StepProps) {
  const t = useText(grantTexts)
  const ofGroup = wanted.kind === 'group'
  const name = { value: wanted.name, onChange: (value: string) => set({ name: value }), autoFocus: true }
  return (
    <>
      <Field label={t('whom')}>
        {(control) => (
          <Select
            {...control}
            value={wanted.kind}
            onChange={(kind) => set({ kind: kind === 'group' ? 'group' : 'user', name: '' })}
            options={[
              { value: 'user', label: t('user') },
              { value: 'group', label: t('group') },
            ]}
          />
        )}
      </Field>
      <Field label={t(ofGroup ? 'groupName' : 'userName')} {...(ofGroup ? { hint: t('groupHint') } : {})}>
        {(control) => (ofGroup ? <GroupField {...control} {...name} /> : <UserField {...control} {...name} />)}
      </Field>
    </>
  )
}

function WhatStep({ wanted, set }: StepProps) {
  const t = useText(grantTexts)
  const [language] = useLanguage()
  const roles = useRead(listRoles)
  const all = roles.data?.items ?? []
  const chosen = all.find(({ name }) => name === wanted.role)
  if (roles.error) return <Failure error={roles.error} retry={() => void roles.refetch()} />
  return (
    <>
      <Field
        label={t('role')}
        hint={
          chosen &&
          (chosen.permissions.includes('*') ? t('roleAll') : t('roleHint', { count: chosen.permissions.length }))
        }
      >
        {(control) => (
          <Select
            {...control}
            autoFocus
            value={wanted.role}
            onChange={(role) => set({ role })}
            options={[
              { value: '', label: '–' },
              ...all.map(({ name, title }) => ({ value: name, label: title ? `${name} · ${title}` : name })),
            ]}
          />
        )}
      </Field>
      {chosen && !chosen.permissions.includes('*') && (
        <p className="small soft wrap">
          {chosen.permissions.map((permission) => permissionTitle(permission, language)).join(' · ')}
        </p>
      )}
    </>
  )
}

function WhereStep({ wanted, set }: StepProps) {
  const t = useText(grantTexts)
  return (
    <>
      <Field label={t('where')}>
        {(control) => <PlaceField {...control} value={wanted.place} onChange={(place) => set({ place })} />}
      </Field>
      <Field label={t('howLong')}>
        {(control) => <HoursField {...control} value={wanted.hours} onChange={(hours) => set({ hours })} />}
      </Field>
      <Field label={t('reason')} hint={t('reasonHint')}>
        {(control) => (
          <TextInput {...control} value={wanted.reason} onChange={(reason) => set({ reason })} maxLength={500} />
        )}
      </Field>
    </>
  )
}

/** How long from now on, in hours; empty: until it is taken back. */
export function HoursField({ value, onChange, ...control }: { value: string; onChange: (hours: string) => void }) {
  const t = useText(grantTexts)
  const hours = [1, 8].map((count) => ({ value: String(count), label: t('hours', { count }) }))
  const days = [1, 7, 30, 90].map((count) => ({ value: String(count * 24), label: t('days', { count }) }))
  return (
    <Select
      {...control}
      value={value}
      onChange={onChange}
      options={[{ value: '', label: t('lasting') }, ...hours, ...days]}
    />
  )
}
