import {
  Button,
  ButtonLink,
  call,
  Failure,
  Field,
  fieldError,
  Note,
  Skeleton,
  TextInput,
  useText,
} from '@quarterdeck/ui'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { choosePassword, createAdministrator, findPasswordLink } from '../user/password.contract.ts'
import { LoneForm, useSignedIn } from './session.console.tsx'
import type { SignIn } from './session.contract.ts'
import { sessionTexts } from './texts.console.tsx'

/** The secret behind the # of the page's address, which browsers do not send. */
const secretOfAddress = () => location.hash.slice(1) || (new URLSearchParams(location.search).get('token') ?? '')

/** The one-time link of the first start: chooses the administrator's password and signs in. */
export function FirstPage() {
  const t = useText(sessionTexts)
  const [token] = useState(secretOfAddress)
  if (token === '') return <Incomplete text={t('noToken')} />
  return (
    <ChooseForm
      title={t('firstTitle')}
      lead={t('firstLead')}
      choose={(password) => call(createAdministrator, { body: { token, password } })}
    />
  )
}

/** The link of an invitation, or for a new password: chooses it and signs in. */
export function PasswordLinkPage() {
  const t = useText(sessionTexts)
  const [token] = useState(secretOfAddress)
  const link = useQuery({
    queryKey: [findPasswordLink.id],
    queryFn: () => call(findPasswordLink, { body: { token } }),
    enabled: token !== '',
    // The address is counted as an attempt each time.
    staleTime: Number.POSITIVE_INFINITY,
  })
  if (token === '') return <Incomplete text={t('linkIncomplete')} />
  if (link.error) {
    return (
      <main className="lone rows">
        <Failure error={link.error} />
        <ButtonLink to="/sign-in">{t('signIn')}</ButtonLink>
      </main>
    )
  }
  if (!link.data) {
    return (
      <main className="lone">
        <Skeleton lines={3} />
      </main>
    )
  }
  const { user, title = user, expireTime } = link.data
  return (
    <ChooseForm
      title={t('welcome', { title })}
      lead={t('welcomeLead', { user, time: new Date(expireTime).toLocaleString() })}
      user={user}
      choose={(password) => call(choosePassword, { body: { token, password } })}
    />
  )
}

const Incomplete = ({ text }: { text: string }) => (
  <main className="lone">
    <Note tone="warn">{text}</Note>
  </main>
)

function ChooseForm({
  title,
  lead,
  user,
  choose,
}: {
  title: string
  lead: string
  /** For the browser's own password store. */
  user?: string
  choose: (password: string) => Promise<SignIn>
}) {
  const t = useText(sessionTexts)
  const signedIn = useSignedIn()
  const [password, setPassword] = useState('')
  const [again, setAgain] = useState('')
  const [left, setLeft] = useState(false)
  const choosing = useMutation<SignIn, Error>({ mutationFn: () => choose(password), onSuccess: signedIn })
  const checked = choosePassword.body.shape.password.safeParse(password)
  const refused = fieldError(choosing.error, '/password')
  return (
    <LoneForm title={title} lead={lead} submit={() => choosing.mutate()}>
      {user && <input className="hidden" type="text" autoComplete="username" value={user} readOnly tabIndex={-1} />}
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
      {choosing.error && !refused && <Failure error={choosing.error} />}
      <Button type="submit" kind="primary" busy={choosing.isPending} disabled={!checked.success || again !== password}>
        {t('choose')}
      </Button>
    </LoneForm>
  )
}
