import {
  Age,
  Button,
  Check,
  call,
  Failure,
  Field,
  fieldError,
  Heading,
  Note,
  Read,
  readKey,
  Table,
  TextInput,
  useRead,
  useText,
} from '@quarterdeck/ui'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { changePassword } from '../user/password.contract.ts'
import { getSession, listSessions, revokeSession } from './session.contract.ts'
import { sessionTexts } from './texts.console.tsx'

/** Chromium 156 on Linux, from what the browser calls itself; the whole of it when that is not recognised. */
function browserName(client: string): string {
  const browser = /(Edg|OPR|Firefox|HeadlessChrome|Chrome|Version)\/(\d+)/.exec(client)
  const system = /(Windows|Mac OS X|Android|Linux|iPhone|iPad)/.exec(client)
  if (!browser) return client
  const names: Record<string, string> = { Edg: 'Edge', OPR: 'Opera', Version: 'Safari', HeadlessChrome: 'Chrome' }
  return `${names[browser[1] ?? ''] ?? browser[1]} ${browser[2]}${system ? ` · ${system[1]}` : ''}`
}

/** Who is signed in, from where, and the password. */
export function AccountPage() {
  const t = useText(sessionTexts)
  const me = useRead(getSession)
  const sessions = useRead(listSessions)
  const queries = useQueryClient()
  const end = useMutation({
    mutationFn: (session: string) => call(revokeSession, { params: { session } }),
    onSuccess: () => queries.invalidateQueries({ queryKey: readKey(listSessions).slice(0, 1) }),
  })
  return (
    <div className="page">
      <header className="page-head">
        <div className="grow">
          <Heading>{t('account')}</Heading>
          {me.data && <p className="soft">{t('signedInAs', { user: me.data.user })}</p>}
        </div>
      </header>
      <section className="card">
        <header>
          <h2>{t('sessions')}</h2>
        </header>
        {end.error && <Failure error={end.error} />}
        <Read query={sessions}>
          {({ items }) => (
            <Table
              label={t('sessions')}
              rows={items}
              rowKey={(one) => one.id}
              columns={[
                { title: t('browser'), cell: (one) => <span title={one.client}>{browserName(one.client)}</span> },
                { title: t('where'), nowrap: true, cell: (one) => <span className="mono">{one.peer}</span> },
                { title: t('since'), nowrap: true, cell: (one) => <Age time={one.createTime} /> },
                { title: t('used'), nowrap: true, cell: (one) => <Age time={one.lastUseTime} /> },
                { title: t('ends'), nowrap: true, cell: (one) => new Date(one.expireTime).toLocaleString() },
                {
                  title: t('acts'),
                  acts: true,
                  cell: (one) =>
                    one.current ? (
                      <span className="soft">{t('thisOne')}</span>
                    ) : (
                      <Button small onClick={() => end.mutate(one.id)}>
                        {t('end')}
                      </Button>
                    ),
                },
              ]}
            />
          )}
        </Read>
      </section>
      <PasswordForm />
    </div>
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
