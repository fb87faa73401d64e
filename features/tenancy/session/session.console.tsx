import { Problem } from '@quarterdeck/kernel'
import {
  Button,
  call,
  Failure,
  Field,
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
import { createSession, getSession, type SignIn } from './session.contract.ts'
import { sessionTexts } from './texts.console.tsx'

/** A card alone on its page, with a form. */
export function LoneForm({
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

/** Goes on to where somebody wanted to be before they had to sign in. */
export function useSignedIn() {
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
