import {
  Button,
  call,
  Dialog,
  Failure,
  Field,
  Note,
  Select,
  ShowAs,
  TextInput,
  useLanguage,
  useRead,
  useReadAgain,
  useText,
} from '@quarterdeck/ui'
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, type ReactNode, useState } from 'react'
import { listPermissions } from '../role/role.contract.ts'
import { createRequest, listRequests, proposeRole } from './request.contract.ts'
import { requestTexts } from './texts.console.tsx'

/** How a place is chosen and sent, as grants have it. */
export interface PlaceChoice {
  field(props: { id?: string; value: string; onChange: (place: string) => void }): ReactNode
  body(place: string): { [kind: string]: string | true }
}

const HOURS = [1, 8, 24, 168, 720, 2_160]

/** Asks for a permission somewhere for some time; filled in where a refusal led here. */
export function AskDialog({
  permission: first,
  place: there,
  places,
  close,
}: {
  permission: string
  place: string
  places: PlaceChoice
  close: () => void
}) {
  const t = useText(requestTexts)
  const [language] = useLanguage()
  const readAgain = useReadAgain()
  const [permission, setPermission] = useState(first)
  const [place, setPlace] = useState(there)
  const [hours, setHours] = useState('168')
  const [reason, setReason] = useState('')
  const all = useRead(listPermissions).data?.items ?? []
  const proposal = useRead(proposeRole, { query: { permission } }, { enabled: permission !== '' })
  const body = { permission, ...places.body(place), durationSeconds: Number(hours) * 3_600, reason: reason.trim() }
  const ready = permission !== '' && place !== '' && reason.trim() !== ''
  const ask = useMutation({
    mutationFn: () => call(createRequest, { body }),
    onSuccess: async () => {
      await readAgain(listRequests)
      close()
    },
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (ready) ask.mutate()
  }
  return (
    <Dialog
      narrow
      title={t('ask')}
      close={close}
      footer={
        <>
          <Button onClick={close}>{t('cancel')}</Button>
          <Button kind="primary" type="submit" form="ask-access" busy={ask.isPending} disabled={!ready}>
            {t('send')}
          </Button>
        </>
      }
    >
      <form id="ask-access" className="rows" onSubmit={submit}>
        <Field label={t('permission')}>
          {(control) => (
            <Select
              {...control}
              value={permission}
              onChange={setPermission}
              options={[
                { value: '', label: t('choosePermission') },
                ...all.map((one) => ({ value: one.permission, label: `${one[language]} (${one.permission})` })),
              ]}
            />
          )}
        </Field>
        {proposal.data && permission !== '' && (
          <Note tone={proposal.data.permissions.includes('*') ? 'warn' : 'mute'}>
            {t(proposal.data.permissions.includes('*') ? 'proposedAll' : 'proposed', {
              role: proposal.data.role,
              count: proposal.data.permissions.length,
            })}
          </Note>
        )}
        <Field label={t('where')}>{(control) => places.field({ ...control, value: place, onChange: setPlace })}</Field>
        <Field label={t('duration')}>
          {(control) => (
            <Select
              {...control}
              value={hours}
              onChange={setHours}
              options={HOURS.map((count) => ({
                value: String(count),
                label: count < 24 ? t('hours', { count }) : t('days', { count: count / 24 }),
              }))}
            />
          )}
        </Field>
        <Field label={t('reason')} hint={t('reasonHint')}>
          {(control) => (
            <TextInput {...control} value={reason} onChange={setReason} maxLength={500} autoFocus={first !== ''} />
          )}
        </Field>
        {ready && <ShowAs endpoint={createRequest} input={{ params: {}, body }} />}
        {ask.error && <Failure error={ask.error} />}
      </form>
    </Dialog>
  )
}
