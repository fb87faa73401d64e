import type { Output, Problem } from '@quarterdeck/kernel'
import {
  Button,
  call,
  Dialog,
  Failure,
  fieldError,
  Note,
  onCodeRequired,
  Read,
  readKey,
  useRead,
  useText,
} from '@quarterdeck/ui'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { CodeField, EnrolDialog, RecoveryCodes } from './enrol.console.tsx'
import { getVerification, removeOneTimePassword, renewRecoveryCodes, verifySession } from './onetime.contract.ts'
import { oneTimeTexts } from './texts.console.tsx'

/** Stands by, in every page, to ask for a code when a request needs one. */
export function CodeGate({ signOut }: { signOut: () => void }) {
  const t = useText(oneTimeTexts)
  const [asked, setAsked] = useState<{ problem: Problem; answer: (given: boolean) => void }>()
  useEffect(() => onCodeRequired((problem) => new Promise((answer) => setAsked({ problem, answer }))), [])
  if (!asked) return null
  const { enrolled, maxAgeMinutes } = asked.problem.body
  const end = (given: boolean) => {
    setAsked(undefined)
    asked.answer(given)
  }
  // Without a rule nothing else is answered before the code: whoever would rather not can only leave.
  const leave = maxAgeMinutes === undefined
  const refuse = () => {
    end(false)
    if (leave) signOut()
  }
  const other = <Button onClick={refuse}>{t(leave ? 'signOut' : 'cancel')}</Button>
  if (enrolled !== true) {
    return <EnrolDialog lead={t('enrolNeeded')} close={refuse} done={() => end(true)} other={other} />
  }
  return <CodeDialog close={refuse} done={() => end(true)} other={other} />
}

function CodeDialog({ close, done, other }: { close: () => void; done: () => void; other: React.ReactNode }) {
  const t = useText(oneTimeTexts)
  const [code, setCode] = useState('')
  const verify = useMutation({
    mutationFn: () => call(verifySession, { body: { code } }),
    onSuccess: done,
    onError: () => setCode(''),
  })
  const wrong = fieldError(verify.error, '/code')
  return (
    <Dialog
      narrow
      title={t('give')}
      close={close}
      footer={
        <>
          {other}
          <Button kind="primary" busy={verify.isPending} disabled={code === ''} onClick={() => verify.mutate()}>
            {t('go')}
          </Button>
        </>
      }
    >
      <form
        className="rows"
        onSubmit={(event) => {
          event.preventDefault()
          if (code !== '') verify.mutate()
        }}
      >
        <p className="soft">{t('giveLead')}</p>
        <CodeField label={t('code')} hint={t('codeHint')} value={code} onChange={setCode} error={wrong} />
        {verify.error && !wrong && <Failure error={verify.error} />}
      </form>
    </Dialog>
  )
}

/** One's own one-time password, on the account page. */
export function OneTimeSection() {
  const t = useText(oneTimeTexts)
  const verification = useRead(getVerification)
  const [open, setOpen] = useState<'enrol' | 'renew' | 'remove'>()
  const close = () => setOpen(undefined)
  return (
    <section className="card">
      <header>
        <h2>{t('title')}</h2>
      </header>
      <div className="body rows">
        <Read query={verification}>
          {({ enrolled, enrolTime = '', recoveryCodesLeft: count }) =>
            enrolled ? (
              <>
                <p>{t('since', { time: new Date(enrolTime).toLocaleString(), count })}</p>
                {count <= 3 && <Note tone="warn">{t('few')}</Note>}
                <div className="row">
                  <Button onClick={() => setOpen('renew')}>{t('renew')}</Button>
                  <Button kind="danger" onClick={() => setOpen('remove')}>
                    {t('remove')}
                  </Button>
                </div>
              </>
            ) : (
              <>
                <p className="soft">{t('none')}</p>
                <div>
                  <Button kind="primary" onClick={() => setOpen('enrol')}>
                    {t('enrol')}
                  </Button>
                </div>
              </>
            )
          }
        </Read>
      </div>
      {open === 'enrol' && <EnrolDialog close={close} done={close} />}
      {open === 'renew' && <WithCodeDialog act="renew" close={close} />}
      {open === 'remove' && <WithCodeDialog act="remove" close={close} />}
    </section>
  )
}

function WithCodeDialog({ act, close }: { act: 'renew' | 'remove'; close: () => void }) {
  const t = useText(oneTimeTexts)
  const queries = useQueryClient()
  const [code, setCode] = useState('')
  const send = useMutation<Output<typeof renewRecoveryCodes> | null>({
    mutationFn: () => call(act === 'renew' ? renewRecoveryCodes : removeOneTimePassword, { body: { code } }),
    onSuccess: async (answer) => {
      await queries.invalidateQueries({ queryKey: readKey(getVerification).slice(0, 1) })
      if (answer === null) close()
    },
  })
  const wrong = fieldError(send.error, '/code')
  const codes = send.data?.recoveryCodes
  const go = codes ? close : () => send.mutate()
  return (
    <Dialog
      narrow
      title={t(act)}
      close={close}
      footer={
        <>
          {!codes && <Button onClick={close}>{t('cancel')}</Button>}
          <Button
            kind={act === 'remove' ? 'danger' : 'primary'}
            busy={send.isPending}
            disabled={!codes && code === ''}
            onClick={go}
          >
            {t(codes ? 'kept' : act)}
          </Button>
        </>
      }
    >
      <form
        className="rows"
        onSubmit={(event) => {
          event.preventDefault()
          go()
        }}
      >
        {codes ? (
          <RecoveryCodes codes={codes} />
        ) : (
          <>
            <p>{t(act === 'renew' ? 'renewLead' : 'removeLead')}</p>
            <CodeField label={t('code')} hint={t('codeHint')} value={code} onChange={setCode} error={wrong} />
            {send.error && !wrong && <Failure error={send.error} />}
          </>
        )}
      </form>
    </Dialog>
  )
}
