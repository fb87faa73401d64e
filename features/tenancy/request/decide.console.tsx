import { Button, call, Dialog, Failure, Field, Select, TextInput, useReadAgain, useText } from '@quarterdeck/ui'
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { usePlaceWords } from './place-words.console.tsx'
import { approveRequest, type GrantRequest, listRequests, refuseRequest } from './request.contract.ts'
import { requestTexts } from './texts.console.tsx'

/** Approves a request, for as long as was asked for or shorter, or refuses it with an answer. */
export function DecideDialog({
  request,
  approving,
  close,
}: {
  request: GrantRequest
  approving: boolean
  close: () => void
}) {
  const t = useText(requestTexts)
  const placeWords = usePlaceWords()
  const readAgain = useReadAgain()
  const [hours, setHours] = useState('')
  const [reason, setReason] = useState('')
  const params = { request: request.id }
  const decide = useMutation<GrantRequest, Error>({
    mutationFn: () => {
      if (!approving) return call(refuseRequest, { params, body: { reason: reason.trim() } })
      const end = hours === '' ? {} : { expireTime: new Date(Date.now() + Number(hours) * 3_600_000).toISOString() }
      return call(approveRequest, { params, body: { ...end, reason: reason.trim() } })
    },
    onSuccess: async () => {
      await readAgain(listRequests)
      close()
    },
  })
  const ready = approving || reason.trim() !== ''
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (ready) decide.mutate()
  }
  const asked = Math.max(1, Math.round(request.durationSeconds / 3_600))
  const words = (count: number) => (count < 48 ? t('hours', { count }) : t('days', { count: Math.round(count / 24) }))
  const shorter = [1, 8, 24, 168, 720].filter((count) => count < asked)
  return (
    <Dialog
      narrow
      title={t(approving ? 'approveTitle' : 'refuseTitle', { user: request.user })}
      close={close}
      footer={
        <>
          <Button onClick={close}>{t('cancel')}</Button>
          <Button
            kind={approving ? 'primary' : 'danger'}
            type="submit"
            form="decide-request"
            busy={decide.isPending}
            disabled={!ready}
          >
            {t(approving ? 'approve' : 'refuse')}
          </Button>
        </>
      }
    >
      <form id="decide-request" className="rows" onSubmit={submit}>
        <p>{request.reason}</p>
        {approving && (
          <>
            <p className="soft">
              {t('approveLead', { user: request.user, role: request.role, where: placeWords(request) })}
            </p>
            <Field label={t('duration')}>
              {(control) => (
                <Select
                  {...control}
                  value={hours}
                  onChange={setHours}
                  options={[
                    { value: '', label: words(asked) },
                    ...shorter.map((count) => ({ value: String(count), label: words(count) })),
                  ]}
                />
              )}
            </Field>
          </>
        )}
        <Field label={t('answer')} hint={t('answerHint')}>
          {(control) => (
            <TextInput {...control} value={reason} onChange={setReason} maxLength={500} autoFocus={!approving} />
          )}
        </Field>
        {decide.error && <Failure error={decide.error} />}
      </form>
    </Dialog>
  )
}
