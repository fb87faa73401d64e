import { Problem } from '@quarterdeck/kernel'
import {
  Button,
  call,
  Failure,
  Field,
  fieldError,
  Heading,
  Link,
  Note,
  readKey,
  TextInput,
  useGo,
  useText,
  useUrlValue,
} from '@quarterdeck/ui'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, type ReactNode, useState } from 'react'
import { createAdministrator } from '../user/password.contract.ts'
import { createSession, getSession, type SignIn } from './session.contract.ts'
import { sessionTexts } from './texts.console.tsx'

function LoneForm({
  title,
  lead,
  submit,
  children,
}: {
  title: string
  lead?: string
  submit: () => void
  children: ReactNode
}) {
  return (
    <main className="lone">
      <form
        className="card body rows"
        onSubmit={(event: FormEvent) => {
          event.preventDefault()
          submit()
        }}
      >
        <p className="brand">Quarterdeck</p>
        <Heading>{title}</Heading>
        {lead && <p className="soft">{lead}</p>}
        {children}
      </form>
    </main>
  )
}

function useSignedIn() {
  const queries = useQueryClient()
  const go = useGo()
  const [next] = useUrlValue('next')
  return (signIn: SignIn) => {
    queries.setQueryData(readKey(getSession), signIn)
    // Only a path of this console: never an address that somebody has put into a link.
    go(/^\/(?![/\\])/.test(next) ? next : '/', { replace: true })
  }
}

/** Sign in with user name and password. */
export function SignInPage() {
  const t = useText(sessionTexts)
  const signedIn = useSignedIn()
  const [user, setUser] = useState('admin')
  const [password, setPassword] = useState('')
  const signIn = useMutation<SignIn, Error>({
    mutationFn: () => call(createSession, { body: { user, password } }),
    onSuccess: signedIn,
  })
  const wait = signIn.error instanceof Problem ? signIn.error.body.retryAfterSeconds : undefined
  return (
    <LoneForm title={t('signIn')} submit={() => signIn.mutate()}>
      <Field label={t('user')}>
        {(control) => <TextInput {...control} value={user} onChange={setUser} autoComplete="username" />}
      </Field>
      <Field label={t('password')}>
        {(control) => (
          <TextInput
            {...control}
            type="password"
            value={password}
            onChange={setPassword}
            autoComplete="current-password"
            autoFocus
          />
        )}
      </Field>
      {signIn.error &&
        (wait ? (
          <Note tone="warn">{t('retryIn', { seconds: Math.ceil(wait) })}</Note>
        ) : (
          <Failure error={signIn.error} />
        ))}
      <Button type="submit" kind="primary" busy={signIn.isPending} disabled={user === '' || password === ''}>
        {t('signIn')}
      </Button>
      <p className="small">
        <Link to="/setup">{t('setup')}</Link>
      </p>
    </LoneForm>
  )
}

/** The one-time link of the first start: chooses the administrator's password and signs in. */
export function FirstPage() {
  const t = useText(sessionTexts)
  const signedIn = useSignedIn()
  const [token] = useState(() => location.hash.slice(1) || (new URLSearchParams(location.search).get('token') ?? ''))
  const [password, setPassword] = useState('')
  const [again, setAgain] = useState('')
  const [left, setLeft] = useState(false)
  const create = useMutation<SignIn, Error>({
    mutationFn: () => call(createAdministrator, { body: { token, password } }),
    onSuccess: signedIn,
  })
  const checked = createAdministrator.body.shape.password.safeParse(password)
  const refused = fieldError(create.error, '/password')
  if (token === '')
    return (
      <main className="lone">
        <Note tone="warn">{t('noToken')}</Note>
      </main>
    )
  return (
    <LoneForm title={t('firstTitle')} lead={t('firstLead')} submit={() => create.mutate()}>
      <Field
        label={t('newPassword')}
        hint={t('newPasswordHint')}
        error={refused ?? (left && !checked.success ? checked.error.issues[0]?.message : undefined)}
      >
        {(control) => (
          <TextInput
            {...control}
            type="password"
            value={password}
            onChange={setPassword}
            onBlur={() => setLeft(true)}
            autoComplete="new-password"
            autoFocus
          />
        )}
      </Field>
      <Field label={t('again')} error={again !== '' && again !== password ? t('differ') : undefined}>
        {(control) => (
          <TextInput {...control} type="password" value={again} onChange={setAgain} autoComplete="new-password" />
        )}
      </Field>
      {create.error && !refused && <Failure error={create.error} />}
      <Button type="submit" kind="primary" busy={create.isPending} disabled={!checked.success || again !== password}>
        {t('choose')}
      </Button>
    </LoneForm>
  )
}
