import {
  Button,
  ButtonLink,
  Code,
  call,
  Dialog,
  Failure,
  Field,
  fieldError,
  Note,
  ShowAs,
  TextInput,
  useMay,
  useText,
} from '@quarterdeck/ui'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { userTexts } from './texts.console.tsx'
import { createUser, type PasswordLink, type User } from './user.contract.ts'
import { useUsersChanged } from './user-state.console.tsx'

/** Invites a user and shows the link, or makes a machine account. */
export function CreateUserDialog({ kind, close }: { kind: User['kind']; close: () => void }) {
  const t = useText(userTexts)
  const changed = useUsersChanged()
  const [name, setName] = useState('')
  const [title, setTitle] = useState('')
  const [email, setEmail] = useState('')
  const [left, setLeft] = useState(false)
  const body = {
    name,
    ...(kind === 'machine' ? { kind } : {}),
    ...(title === '' ? {} : { title }),
    ...(email === '' ? {} : { email }),
  }
  const create = useMutation<{ link?: PasswordLink | undefined }, Error>({
    mutationFn: () => call(createUser, { body }),
    onSuccess: async ({ link }) => {
      await changed()
      if (!link) close()
    },
  })
  const checked = createUser.body.safeParse(body)
  const wrong = (field: string) =>
    fieldError(create.error, `/${field}`) ??
    (left && !checked.success ? checked.error.issues.find(({ path }) => path[0] === field)?.message : undefined)
  if (create.data?.link) return <LinkDialog name={name} link={create.data.link} close={close} />
  const act = t(kind === 'machine' ? 'createMachine' : 'invite')
  const other = create.error && !['name', 'title', 'email'].some((field) => fieldError(create.error, `/${field}`))
  return (
    <Dialog
      narrow
      title={act}
      close={close}
      footer={
        <>
          <Button onClick={close}>{t('cancel')}</Button>
          <Button kind="primary" busy={create.isPending} disabled={!checked.success} onClick={() => create.mutate()}>
            {act}
          </Button>
        </>
      }
    >
      <div className="rows">
        <p className="soft">{t(kind === 'machine' ? 'machineLead' : 'inviteLead')}</p>
        <Field label={t('name')} error={wrong('name')}>
          {(control) => (
            <TextInput {...control} value={name} onChange={setName} onBlur={() => setLeft(true)} autoFocus />
          )}
        </Field>
        <Field label={t('title')} hint={t('optional')} error={title === '' ? undefined : wrong('title')}>
          {(control) => <TextInput {...control} value={title} onChange={setTitle} onBlur={() => setLeft(true)} />}
        </Field>
        {kind === 'user' && (
          <Field label={t('email')} hint={t('optional')} error={email === '' ? undefined : wrong('email')}>
            {(control) => (
              <TextInput {...control} type="email" value={email} onChange={setEmail} onBlur={() => setLeft(true)} />
            )}
          </Field>
        )}
        {checked.success && <ShowAs endpoint={createUser} input={{ params: {}, body }} />}
        {other && <Failure error={create.error} />}
      </div>
    </Dialog>
  )
}

/** The link to pass on, shown once. */
export function LinkDialog({ name, link, close }: { name: string; link: PasswordLink; close: () => void }) {
  const t = useText(userTexts)
  const may = useMay()
  return (
    <Dialog
      narrow
      title={t('link', { name })}
      close={close}
      footer={
        <>
          {may('grant.create') && (
            <ButtonLink to={`/access?give=true&user=${encodeURIComponent(name)}`}>{t('giveAccess')}</ButtonLink>
          )}
          <Button kind="primary" onClick={close}>
            {t('done')}
          </Button>
        </>
      }
    >
      <div className="rows">
        <Note tone="warn">{t('linkLead')}</Note>
        <div data-testid="password-link">
          <Code text={link.url} label={t('link', { name })} />
        </div>
        <p className="soft">
          {t('linkUntil')} {new Date(link.expireTime).toLocaleString()}
        </p>
      </div>
    </Dialog>
  )
}
