import {
  Button,
  Check,
  call,
  Failure,
  Field,
  fieldError,
  Heading,
  Note,
  Read,
  TextInput,
  useLanguage,
  useRead,
  useReadAgain,
  useText,
} from '@quarterdeck/ui'
import { useMutation } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import { permissionTitle } from '../role/permission.contract.ts'
import { changePassword } from '../user/password.contract.ts'
import { getSession, listSessions, revokeSession, type SignIn } from './session.contract.ts'
import { SessionTable } from './session-table.console.tsx'
import { sessionTexts } from './texts.console.tsx'

/** Who is signed in, from where, and the password. */
export function AccountPage({ oneTimePassword }: { oneTimePassword?: ReactNode }) {
  const t = useText(sessionTexts)
  const me = useRead(getSession)
  const sessions = useRead(listSessions)
  const readAgain = useReadAgain()
  const end = useMutation({
    mutationFn: (session: string) => call(revokeSession, { params: { session } }),
    onSuccess: () => readAgain(listSessions),
  })
  return (
    <div className="page">
      <header className="page-head">
        <div className="grow">
          <Heading>{t('account')}</Heading>
          {me.data && (
            <p className="soft">
              {t('signedInAs', { user: me.data.user })}
              {me.data.title && ` · ${me.data.title}`}
            </p>
          )}
        </div>
      </header>
      <section className="card">
        <header>
          <h2>{t('sessions')}</h2>
        </header>
        {end.error && <Failure error={end.error} />}
        <Read query={sessions}>
          {({ items }) => <SessionTable sessions={items} end={(session) => end.mutate(session)} />}
        </Read>
      </section>
      {me.data?.source === 'local' && me.data.kind === 'user' && <PasswordForm />}
      {me.data?.kind === 'user' && oneTimePassword}
      {me.data && <Rights me={me.data} />}
    </div>
  )
}

/** What the account is, belongs to and may do. */
function Rights({ me }: { me: SignIn }) {
  const t = useText(sessionTexts)
  const [language] = useLanguage()
  return (
    <section className="card">
      <header>
        <h2>{t('mayDo')}</h2>
      </header>
      <div className="body rows">
        {me.permissions.length === 0 ? (
          <p className="soft">{t('nothing')}</p>
        ) : (
          <p className="small wrap">{me.permissions.map((one) => permissionTitle(one, language)).join(' · ')}</p>
        )}
        <dl className="facts">
          <div className="fact">
            <dt>{t('groups')}</dt>
            <dd>{me.groups.join(', ') || t('noGroups')}</dd>
          </div>
          <div className="fact">
            <dt>{t('accountId')}</dt>
            <dd className="mono">{me.id}</dd>
          </div>
        </dl>
      </div>
    </section>
  )
}

function PasswordForm() {
  const t = useText(sessionTexts)
  const [current, setCurrent] = useState('')
  const [next, setNext] = useState('')
  const [keepTokens, setKeepTokens] = useState(false)
  const change = useMutation({
    mutationFn: () => call(changePassword, { body: { currentPassword: current, newPassword: next, keepTokens } }),
    onSuccess: () => {
      setCurrent('')
      setNext('')
    },
  })
  return (
    <section className="card">
      <header>
        <h2>{t('changePassword')}</h2>
      </header>
      <form
        className="body rows form"
        onSubmit={(event) => {
          event.preventDefault()
          change.mutate()
        }}
      >
        <Field label={t('currentPassword')}>
          {(control) => (
            <TextInput
              {...control}
              type="password"
              autoComplete="current-password"
              value={current}
              onChange={setCurrent}
            />
          )}
        </Field>
        <Field label={t('newPassword')} hint={t('newPasswordHint')} error={fieldError(change.error, '/newPassword')}>
          {(control) => (
            <TextInput {...control} type="password" autoComplete="new-password" value={next} onChange={setNext} />
          )}
        </Field>
        <Check checked={keepTokens} onChange={setKeepTokens}>
          {t('keepTokens')}
        </Check>
        {change.isSuccess && <Note tone="good">{t('changed')}</Note>}
        {change.error && !fieldError(change.error, '/newPassword') && <Failure error={change.error} />}
        <div>
          <Button type="submit" busy={change.isPending} disabled={current === '' || next.length < 8}>
            {t('changePassword')}
          </Button>
        </div>
      </form>
    </section>
  )
}
