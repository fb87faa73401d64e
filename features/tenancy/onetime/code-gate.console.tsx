import type { Problem } from '@quarterdeck/kernel'
import { Button, call, Dialog, Failure, fieldError, onCodeRequired, useText } from '@quarterdeck/ui'
import { useMutation } from '@tanstack/react-query'
import { lazy, type ReactNode, Suspense, useEffect, useState } from 'react'
import { CodeField } from './code-field.console.tsx'
import { verifySession } from './onetime.contract.ts'
import { oneTimeTexts } from './texts.console.tsx'

// Few need it, and it brings the drawing of QR codes along.
const EnrolDialog = lazy(async () => ({ default: (await import('./enrol.console.tsx')).EnrolDialog }))

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
    return (
      <Suspense fallback={null}>
        <EnrolDialog lead={t('enrolNeeded')} close={refuse} done={() => end(true)} other={other} />
      </Suspense>
    )
  }
  return <CodeDialog close={refuse} done={() => end(true)} other={other} />
}

function CodeDialog({ close, done, other }: { close: () => void; done: () => void; other: ReactNode }) {
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
