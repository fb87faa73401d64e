import {
  Age,
  Button,
  ConfirmDialog,
  call,
  Dialog,
  Failure,
  Field,
  fieldError,
  Link,
  Menu,
  Note,
  Read,
  TextInput,
  useMay,
  useRead,
  useText,
} from '@quarterdeck/ui'
import { useMutation } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import { LinkDialog } from './create-user.console.tsx'
import { userTexts } from './texts.console.tsx'
import { createPasswordLink, deleteUser, getUser, type PasswordLink, type User, updateUser } from './user.contract.ts'
import { UserState, useUsersChanged } from './user-state.console.tsx'

type Asked = 'edit' | 'disable' | 'remove' | 'reset'

/** One user: what they are and belong to, their sessions and tokens, and what can be done about them. */
export function UserDrawer({
  name,
  close,
  credentials,
}: {
  name: string
  close: () => void
  credentials: (user: User) => ReactNode
}) {
  const user = useRead(getUser, { params: { user: name } })
  return (
    <Dialog look="drawer" title={name} close={close}>
      <div className="rows">
        <Read query={user}>
          {(found) => (
            <>
              <Acts user={found} gone={close} />
              <UserFacts user={found} />
              {credentials(found)}
            </>
          )}
        </Read>
      </div>
    </Dialog>
  )
}

function UserFacts({ user }: { user: User }) {
  const t = useText(userTexts)
  // A machine account has none of these.
  const ownFacts: [string, ReactNode][] = [
    [t('email'), user.email ?? '–'],
    [t('source'), user.source === 'local' ? t('local') : user.source],
    [t('lastSignIn'), user.lastSignInTime ? <Age key="signed" time={user.lastSignInTime} /> : t('never')],
  ]
  const facts: [string, ReactNode][] = [
    [t('state'), <UserState key="state" state={user.state} />],
    [t('kind'), t(user.kind)],
    [t('title'), user.title ?? '–'],
    ...(user.kind === 'user' ? ownFacts : []),
    [t('groups'), <Groups key="groups" names={user.groups} />],
    [t('created'), <Age key="created" time={user.createTime} />],
    [t('identity'), <code key="id">{user.id}</code>],
  ]
  return (
    <>
      {user.linkExpireTime && Date.parse(user.linkExpireTime) > Date.now() && (
        <Note tone="mute">{t('linkOpen', { time: new Date(user.linkExpireTime).toLocaleString() })}</Note>
      )}
      <dl className="facts">
        {facts.map(([term, value]) => (
          <div key={term} className="fact">
            <dt>{term}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </>
  )
}

function Groups({ names }: { names: string[] }) {
  const t = useText(userTexts)
  if (names.length === 0) return <>{t('noGroups')}</>
  return names.map((name, index) => (
    <span key={name}>
      {index > 0 && ', '}
      <Link to={`/groups?group=${encodeURIComponent(name)}`}>{name}</Link>
    </span>
  ))
}

function Acts({ user, gone }: { user: User; gone: () => void }) {
  const t = useText(userTexts)
  const may = useMay()
  const changed = useUsersChanged()
  const [asked, ask] = useState<Asked>()
  const enable = useMutation<unknown, Error>({
    mutationFn: () => call(updateUser, { params: { user: user.name }, body: { disabled: false } }),
    onSuccess: changed,
  })
  const local = user.source === 'local'
  const disabled = user.state === 'disabled'
  const update = may('user.update')
  const items = [
    ...(update && local ? [{ label: t('edit'), act: () => ask('edit') }] : []),
    ...(update && !disabled ? [{ label: t('disable'), act: () => ask('disable'), danger: true }] : []),
    ...(may('user.delete') ? [{ label: t('remove'), act: () => ask('remove'), danger: true, rule: true }] : []),
  ]
  const shut = () => ask(undefined)
  const removed = () => {
    gone()
    return changed()
  }
  return (
    <>
      <div className="cols">
        {update && disabled && (
          <Button kind="primary" busy={enable.isPending} onClick={() => enable.mutate()}>
            {t('enable')}
          </Button>
        )}
        {update && local && !disabled && user.kind === 'user' && (
          <Button icon="link" onClick={() => ask('reset')}>
            {t('reset')}
          </Button>
        )}
        {items.length > 0 && <Menu icon="more" label={t('acts', { name: user.name })} items={items} />}
      </div>
      {enable.error && <Failure error={enable.error} />}
      {asked === 'edit' && <EditDialog user={user} close={shut} />}
      {asked === 'reset' && <ResetDialog user={user} close={shut} />}
      {asked === 'disable' && (
        <ConfirmDialog
          title={t('disableTitle', { name: user.name })}
          act={t('disable')}
          endpoint={updateUser}
          input={{ params: { user: user.name }, body: { disabled: true } }}
          done={changed}
          close={shut}
        >
          {t('disableLead')}
        </ConfirmDialog>
      )}
      {asked === 'remove' && (
        <ConfirmDialog
          title={t('removeTitle', { name: user.name })}
          act={t('remove')}
          endpoint={deleteUser}
          input={{ params: { user: user.name } }}
          done={removed}
          close={shut}
        >
          {t('removeLead')}
        </ConfirmDialog>
      )}
    </>
  )
}

function ResetDialog({ user, close }: { user: User; close: () => void }) {
  const t = useText(userTexts)
  const changed = useUsersChanged()
  const reset = useMutation<PasswordLink, Error>({
    mutationFn: () => call(createPasswordLink, { params: { user: user.name } }),
    onSuccess: changed,
  })
  if (reset.data) return <LinkDialog name={user.name} link={reset.data} close={close} />
  return (
    <Dialog
      narrow
      title={t('resetTitle', { name: user.name })}
      close={close}
      footer={
        <>
          <Button onClick={close}>{t('cancel')}</Button>
          <Button kind="primary" busy={reset.isPending} onClick={() => reset.mutate()}>
            {t('make')}
          </Button>
        </>
      }
    >
      <div className="rows">
        <p>{t('resetLead')}</p>
        {reset.error && <Failure error={reset.error} />}
      </div>
    </Dialog>
  )
}

function EditDialog({ user, close }: { user: User; close: () => void }) {
  const t = useText(userTexts)
  const changed = useUsersChanged()
  const [title, setTitle] = useState(user.title ?? '')
  const [email, setEmail] = useState(user.email ?? '')
  const save = useMutation<unknown, Error>({
    mutationFn: () =>
      call(updateUser, { params: { user: user.name }, body: { title: title || null, email: email || null } }),
    onSuccess: async () => {
      await changed()
      close()
    },
  })
  const wrong = (field: string) => fieldError(save.error, `/${field}`)
  return (
    <Dialog
      narrow
      title={t('editTitle', { name: user.name })}
      close={close}
      footer={
        <>
          <Button onClick={close}>{t('cancel')}</Button>
          <Button kind="primary" busy={save.isPending} onClick={() => save.mutate()}>
            {t('save')}
          </Button>
        </>
      }
    >
      <div className="rows">
        <Field label={t('title')} hint={t('optional')} error={wrong('title')}>
          {(control) => <TextInput {...control} value={title} onChange={setTitle} autoFocus />}
        </Field>
        <Field label={t('email')} hint={t('optional')} error={wrong('email')}>
          {(control) => <TextInput {...control} type="email" value={email} onChange={setEmail} />}
        </Field>
        {save.error && !wrong('title') && !wrong('email') && <Failure error={save.error} />}
      </div>
    </Dialog>
  )
}
