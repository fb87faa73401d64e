import {
  Age,
  Button,
  call,
  Failure,
  Field,
  fieldError,
  Heading,
  Note,
  TextInput,
  useRead,
  useText,
} from '@quarterdeck/ui'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { answerDeviceLogin, type DeviceLogin, findDeviceLogin } from './device.contract.ts'
import { getSession } from './session.contract.ts'
import { sessionTexts } from './texts.console.tsx'

/** `qd login` without a password: type its code, see what asks, and say yes or no. */
export function DevicePage() {
  const t = useText(sessionTexts)
  const [code, setCode] = useState('')
  const find = useMutation<DeviceLogin, Error>({ mutationFn: () => call(findDeviceLogin, { body: { code } }) })
  const answer = useMutation<unknown, Error, boolean>({
    mutationFn: (confirm) => call(answerDeviceLogin, { body: { code, confirm } }),
  })
  const wrong = fieldError(find.error, '/code')
  if (answer.isSuccess) return <Answered confirmed={answer.variables} />
  return (
    <div className="page">
      <header className="page-head">
        <div className="grow">
          <Heading>{t('device')}</Heading>
          <p className="soft">{t('deviceLead')}</p>
        </div>
      </header>
      <section className="card">
        <form
          className="body rows form"
          onSubmit={(event) => {
            event.preventDefault()
            find.mutate()
          }}
        >
          <Field label={t('code')} hint={t('codeHint')} error={wrong}>
            {(control) => (
              <TextInput
                {...control}
                className="mono"
                value={code}
                onChange={(next) => {
                  setCode(next)
                  find.reset()
                  answer.reset()
                }}
                autoCapitalize="characters"
                autoFocus
              />
            )}
          </Field>
          {find.error && !wrong && <Failure error={find.error} />}
          {!find.data && (
            <div>
              <Button type="submit" busy={find.isPending} disabled={code.replace(/[^a-z]/gi, '').length !== 8}>
                {t('see')}
              </Button>
            </div>
          )}
        </form>
        {find.data && (
          <Asking
            login={find.data}
            error={answer.error}
            busy={answer.isPending}
            answer={(confirm) => answer.mutate(confirm)}
          />
        )}
      </section>
    </div>
  )
}

function Asking({
  login,
  error,
  busy,
  answer,
}: {
  login: DeviceLogin
  error: Error | null
  busy: boolean
  answer: (confirm: boolean) => void
}) {
  const t = useText(sessionTexts)
  const me = useRead(getSession)
  return (
    <div className="body rows">
      <dl className="facts">
        <div className="fact">
          <dt>{t('asks')}</dt>
          <dd data-testid="device-client">{login.client}</dd>
        </div>
        <div className="fact">
          <dt>{t('where')}</dt>
          <dd className="mono" data-testid="device-peer">
            {login.peer}
          </dd>
        </div>
        <div className="fact">
          <dt>{t('since')}</dt>
          <dd>
            <Age time={login.createTime} />
          </dd>
        </div>
        <div className="fact">
          <dt>{t('expires')}</dt>
          <dd>{t('days', { count: login.days })}</dd>
        </div>
      </dl>
      {login.here ? (
        <Note tone="warn">{t('onlyYours', { user: me.data?.user ?? '' })}</Note>
      ) : (
        <Note tone="bad" title={t('elsewhere')}>
          {t('onlyYours', { user: me.data?.user ?? '' })}
        </Note>
      )}
      {error && <Failure error={error} />}
      <div className="cols">
        <Button kind="primary" busy={busy} onClick={() => answer(true)}>
          {t('confirm')}
        </Button>
        <Button busy={busy} onClick={() => answer(false)}>
          {t('refuse')}
        </Button>
      </div>
    </div>
  )
}

function Answered({ confirmed }: { confirmed: boolean }) {
  const t = useText(sessionTexts)
  return (
    <div className="page">
      <Heading>{t('device')}</Heading>
      <Note tone={confirmed ? 'good' : 'mute'}>{t(confirmed ? 'confirmed' : 'refused')}</Note>
    </div>
  )
}
