import { isProblem } from '@quarterdeck/kernel'
import {
  Button,
  Code,
  call,
  Dialog,
  Failure,
  Field,
  fieldError,
  Note,
  TextInput,
  useReadAgain,
  useText,
} from '@quarterdeck/ui'
import { useMutation } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import { encode } from 'uqr'
import { CodeField } from './code-field.console.tsx'
import { confirmOneTimePassword, enrolOneTimePassword, getVerification, signInNotFresh } from './onetime.contract.ts'
import { oneTimeTexts } from './texts.console.tsx'

const QUIET_ZONE = 4 // ISO/IEC 18004 §6.3.8

/** A QR code as one path; dark on light in every theme, as readers expect. */
export function QrCode({ text, label }: { text: string; label: string }) {
  const { data, size } = encode(text, { border: QUIET_ZONE })
  const dark = data.flatMap((row, y) => row.flatMap((on, x) => (on ? [`M${x} ${y}h1v1h-1z`] : [])))
  return (
    <svg
      viewBox={`0 0 ${size} ${size}`}
      width="200"
      height="200"
      role="img"
      aria-label={label}
      shapeRendering="crispEdges"
    >
      <rect width={size} height={size} fill="#fff" />
      <path d={dark.join('')} fill="#000" />
    </svg>
  )
}

/** The ten recovery codes, this once. */
export function RecoveryCodes({ codes }: { codes: string[] }) {
  const t = useText(oneTimeTexts)
  return (
    <div className="rows">
      <Note tone="warn">{t('recoveryLead')}</Note>
      <Code text={codes.join('\n')} label={t('recovery')} />
    </div>
  )
}

/** Sets up a one-time password: begin, scan, first code, recovery codes. `done`: it is set up, and this session has its code. */
export function EnrolDialog({
  lead,
  close,
  done,
  other,
}: {
  lead?: string
  close: () => void
  done: () => void
  other?: ReactNode
}) {
  const t = useText(oneTimeTexts)
  const readAgain = useReadAgain()
  const [password, setPassword] = useState('')
  const [code, setCode] = useState('')
  const begin = useMutation({
    mutationFn: () => call(enrolOneTimePassword, { body: password === '' ? {} : { password } }),
  })
  const confirm = useMutation({
    mutationFn: () => call(confirmOneTimePassword, { body: { code } }),
    onSuccess: () => readAgain(getVerification),
  })
  const asksPassword = isProblem(begin.error, signInNotFresh) || password !== ''
  const begun = begin.data
  const codes = confirm.data?.recoveryCodes
  const wrong = fieldError(confirm.error, '/code')
  const step = codes ? 'kept' : begun ? 'confirm' : 'begin'
  const act = { kept: done, confirm: () => confirm.mutate(), begin: () => begin.mutate() }[step]
  return (
    <Dialog
      narrow
      title={t('enrol')}
      close={codes ? done : close}
      footer={
        <>
          {!codes && (other ?? <Button onClick={close}>{t('cancel')}</Button>)}
          <Button
            kind="primary"
            busy={begin.isPending || confirm.isPending}
            disabled={step === 'confirm' && code === ''}
            onClick={act}
          >
            {t(step)}
          </Button>
        </>
      }
    >
      <form
        className="rows"
        onSubmit={(event) => {
          event.preventDefault()
          act()
        }}
      >
        {lead && !begun && <Note tone="warn">{lead}</Note>}
        {!begun && <p>{t('none')}</p>}
        {!begun && asksPassword && (
          <Field label={t('password')} hint={t('passwordHint')}>
            {(control) => (
              <TextInput
                {...control}
                type="password"
                autoComplete="current-password"
                value={password}
                onChange={setPassword}
                autoFocus
              />
            )}
          </Field>
        )}
        {begin.error && !(isProblem(begin.error, signInNotFresh) && password === '') && <Failure error={begin.error} />}
        {begun && !codes && (
          <>
            <p>{t('scan')}</p>
            <QrCode text={begun.uri} label={t('qr')} />
            <p className="small soft">
              {t('key')}: <span className="mono wrap">{begun.secret.match(/.{1,4}/g)?.join(' ')}</span>. {t('keyOnce')}
            </p>
            <CodeField label={t('code')} hint={t('firstCode')} value={code} onChange={setCode} error={wrong} />
            {confirm.error && !wrong && <Failure error={confirm.error} />}
          </>
        )}
        {codes && <RecoveryCodes codes={codes} />}
      </form>
    </Dialog>
  )
}
