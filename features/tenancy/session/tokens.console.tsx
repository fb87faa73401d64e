import {
  Age,
  Button,
  Code,
  call,
  Dialog,
  Empty,
  Failure,
  Field,
  fieldError,
  Heading,
  Note,
  Read,
  readKey,
  Select,
  ShowAs,
  Table,
  TextInput,
  useRead,
  useText,
} from '@quarterdeck/ui'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { sessionTexts } from './texts.console.tsx'
import { createToken, deleteToken, listTokens, type Token } from './token.contract.ts'

/** My tokens: make, see, revoke. */
export function TokensPage() {
  const t = useText(sessionTexts)
  const query = useRead(listTokens)
  const [creating, setCreating] = useState(false)
  const [revoking, setRevoking] = useState<Token>()
  const create = (
    <Button kind="primary" icon="plus" onClick={() => setCreating(true)}>
      {t('create')}
    </Button>
  )
  return (
    <div className="page">
      <header className="page-head">
        <div className="grow">
          <Heading>{t('tokens')}</Heading>
          <p className="soft">{t('tokensLead')}</p>
        </div>
        {create}
      </header>
      <section className="card">
        <Read query={query}>
          {({ items }) => (
            <Table
              label={t('tokens')}
              rows={items}
              rowKey={(one) => one.name}
              empty={
                <Empty title={t('noTokens')} act={create}>
                  {t('noTokensLead')}
                </Empty>
              }
              columns={[
                { title: t('name'), cell: (one) => <strong>{one.name}</strong> },
                {
                  title: t('may'),
                  cell: (one) =>
                    one.permissions.includes('*') ? (
                      t('all')
                    ) : (
                      <span className="mono small">{one.permissions.join(', ')}</span>
                    ),
                },
                { title: t('created'), nowrap: true, cell: (one) => <Age time={one.createTime} /> },
                {
                  title: t('used'),
                  nowrap: true,
                  cell: (one) => (one.lastUseTime ? <Age time={one.lastUseTime} /> : t('unused')),
                },
                {
                  title: t('until'),
                  nowrap: true,
                  cell: (one) => (one.expireTime ? new Date(one.expireTime).toLocaleDateString() : t('never')),
                },
                {
                  title: t('acts'),
                  acts: true,
                  cell: (one) => (
                    <Button
                      small
                      kind="danger"
                      aria-label={t('revokeTitle', { name: one.name })}
                      onClick={() => setRevoking(one)}
                    >
                      {t('revoke')}
                    </Button>
                  ),
                },
              ]}
            />
          )}
        </Read>
      </section>
      {creating && <CreateDialog close={() => setCreating(false)} />}
      {revoking && <RevokeDialog token={revoking} close={() => setRevoking(undefined)} />}
    </div>
  )
}

/** Valid for whole days from today's midnight on, so that what is shown does not change while it is looked at. */
function bodyOf(name: string, days: string) {
  if (days === '') return { name }
  const end = new Date()
  end.setHours(24, 0, 0, 0)
  return { name, expireTime: new Date(end.getTime() + (Number(days) - 1) * 86_400_000).toISOString() }
}

function CreateDialog({ close }: { close: () => void }) {
  const t = useText(sessionTexts)
  const queries = useQueryClient()
  const [name, setName] = useState('')
  const [days, setDays] = useState('90')
  const [left, setLeft] = useState(false)
  const checked = createToken.body.shape.name.safeParse(name)
  const create = useMutation<{ secret: string }, Error>({
    mutationFn: () => call(createToken, { body: bodyOf(name, days) }),
    onSuccess: () => queries.invalidateQueries({ queryKey: readKey(listTokens).slice(0, 1) }),
  })
  if (create.data) return <SecretDialog name={name} secret={create.data.secret} close={close} />
  const nameError = fieldError(create.error, '/name')
  return (
    <Dialog
      narrow
      title={t('create')}
      close={close}
      footer={
        <>
          <Button onClick={close}>{t('cancel')}</Button>
          <Button kind="primary" busy={create.isPending} disabled={!checked.success} onClick={() => create.mutate()}>
            {t('create')}
          </Button>
        </>
      }
    >
      <div className="rows">
        <Field
          label={t('name')}
          error={nameError ?? (left && !checked.success ? checked.error.issues[0]?.message : undefined)}
        >
          {(control) => (
            <TextInput {...control} value={name} onChange={setName} onBlur={() => setLeft(true)} autoFocus />
          )}
        </Field>
        <Field label={t('expires')}>
          {(control) => (
            <Select
              {...control}
              value={days}
              onChange={setDays}
              options={[
                ...['7', '30', '90', '365'].map((value) => ({ value, label: t('days', { count: Number(value) }) })),
                { value: '', label: t('never') },
              ]}
            />
          )}
        </Field>
        {checked.success && <ShowAs endpoint={createToken} input={{ params: {}, body: bodyOf(name, days) }} />}
        {create.error && !nameError && <Failure error={create.error} />}
      </div>
    </Dialog>
  )
}

function SecretDialog({ name, secret, close }: { name: string; secret: string; close: () => void }) {
  const t = useText(sessionTexts)
  return (
    <Dialog
      narrow
      title={t('secret', { name })}
      close={close}
      footer={
        <Button kind="primary" onClick={close}>
          {t('done')}
        </Button>
      }
    >
      <div className="rows">
        <Note tone="warn">{t('secretLead')}</Note>
        <div data-testid="token-secret">
          <Code text={secret} label={t('secret', { name })} />
        </div>
        <h3>{t('secretUse')}</h3>
        <Code text={`export QUARTERDECK_TOKEN='${secret}'`} label={t('secretUse')} />
      </div>
    </Dialog>
  )
}

function RevokeDialog({ token, close }: { token: Token; close: () => void }) {
  const t = useText(sessionTexts)
  const queries = useQueryClient()
  const revoke = useMutation({
    mutationFn: () => call(deleteToken, { params: { token: token.name } }),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: readKey(listTokens).slice(0, 1) })
      close()
    },
  })
  return (
    <Dialog
      narrow
      title={t('revokeTitle', { name: token.name })}
      close={close}
      footer={
        <>
          <Button onClick={close}>{t('cancel')}</Button>
          <Button kind="danger" busy={revoke.isPending} onClick={() => revoke.mutate()}>
            {t('revoke')}
          </Button>
        </>
      }
    >
      <div className="rows">
        <p>{t('revokeLead')}</p>
        <ShowAs endpoint={deleteToken} input={{ params: { token: token.name } }} />
        {revoke.error && <Failure error={revoke.error} />}
      </div>
    </Dialog>
  )
}
