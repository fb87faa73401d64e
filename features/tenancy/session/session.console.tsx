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
  Select,
  TextInput,
  useGo,
  useRead,
  useText,
  useUrlValue,
} from '@quarterdeck/ui'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, type ReactNode, useState } from 'react'
import { beginSignIn, listSignInChoices } from '../provider/provider.contract.ts'
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
  const choices = useRead(listSignInChoices).data?.items ?? []
  const directories = choices.filter(({ kind }) => kind === 'ldap')
  const [chosen, setChosen] = useState<string>()
  // Who has a directory signs in with it; the platform's own passwords are for emergencies then.
  const directory = chosen ?? directories[0]?.name ?? ''
  const provider = directory === '' ? {} : { provider: directory }
  const signIn = useMutation<SignIn, Error>({
    mutationFn: () => call(createSession, { body: { user, password, ...provider } }),
    onSuccess: signedIn,
  })
  const wait = signIn.error instanceof Problem ? signIn.error.body.retryAfterSeconds : undefined
  return (
    <LoneForm title={t('signIn')} submit={() => signIn.mutate()}>
      <OtherWays choices={choices.filter(({ kind }) => kind === 'oidc')} />
      {directories.length > 0 && (
        <Field label={t('passwordOf')}>
          {(control) => (
            <Select
              {...control}
              value={directory}
              onChange={setChosen}
              options={[
                ...directories.map(({ name, title }) => ({ value: name, label: title })),
                { value: '', label: 'Quarterdeck' },
              ]}
            />
          )}
        </Field>
      )}
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

/** A button for each provider that signs in on pages of its own. */
function OtherWays({ choices }: { choices: readonly { name: string; title: string }[] }) {
  const t = useText(sessionTexts)
  const [next] = useUrlValue('next')
  const begin = useMutation({
    mutationFn: (provider: string) => call(beginSignIn, { params: { provider }, body: next === '' ? {} : { next } }),
    onSuccess: ({ url }) => location.assign(url),
  })
  if (choices.length === 0) return null
  return (
    <>
      {choices.map(({ name, title }) => (
        <Button key={name} busy={begin.isPending && begin.variables === name} onClick={() => begin.mutate(name)}>
          {t('signInWith', { title })}
        </Button>
      ))}
      {begin.error && <Failure error={begin.error} />}
      <p className="small soft">{t('orPassword')}</p>
    </>
  )
}
