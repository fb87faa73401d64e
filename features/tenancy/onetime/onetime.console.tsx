import type { Output } from '@quarterdeck/kernel'
import { Button, call, Dialog, Failure, fieldError, Note, Read, useRead, useReadAgain, useText } from '@quarterdeck/ui'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { CodeField } from './code-field.console.tsx'
import { EnrolDialog, RecoveryCodes } from './enrol.console.tsx'
import { getVerification, removeOneTimePassword, renewRecoveryCodes } from './onetime.contract.ts'
import { oneTimeTexts } from './texts.console.tsx'

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
  const readAgain = useReadAgain()
  const [code, setCode] = useState('')
  const send = useMutation<Output<typeof renewRecoveryCodes> | null>({
    mutationFn: () => call(act === 'renew' ? renewRecoveryCodes : removeOneTimePassword, { body: { code } }),
    onSuccess: async (answer) => {
      await readAgain(getVerification)
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
