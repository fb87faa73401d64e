import {
  Age,
  Button,
  call,
  Dialog,
  Empty,
  Failure,
  Field,
  Heading,
  Note,
  Read,
  readKey,
  ShowAs,
  Table,
  TextInput,
  useRead,
  useText,
} from '@quarterdeck/ui'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { deleteProvider, listProviders, type SignInProvider, syncProvider, testProvider } from './provider.contract.ts'
import { ProviderDialog } from './provider-form.console.tsx'
import { providerTexts } from './texts.console.tsx'

type Opened = { what: 'add' } | { what: 'change' | 'test' | 'remove'; provider: SignInProvider }

/** Who else says who people are. */
export function ProvidersPage() {
  const t = useText(providerTexts)
  const providers = useRead(listProviders, {}, { everySeconds: 15 })
  const queries = useQueryClient()
  const [opened, setOpened] = useState<Opened>()
  const close = () => setOpened(undefined)
  const again = () => queries.invalidateQueries({ queryKey: readKey(listProviders).slice(0, 1) })
  const sync = useMutation({
    mutationFn: (provider: string) => call(syncProvider, { params: { provider } }),
    onSettled: again,
  })
  return (
    <div className="page">
      <header className="page-head">
        <div className="grow">
          <Heading>{t('title')}</Heading>
          <p className="soft">{t('lead')}</p>
        </div>
        <Button kind="primary" icon="plus" onClick={() => setOpened({ what: 'add' })}>
          {t('add')}
        </Button>
      </header>
      {sync.error && <Failure error={sync.error} />}
      <Read query={providers}>
        {({ items }) => (
          <Table
            label={t('title')}
            rows={items}
            rowKey={({ name }) => name}
            empty={<Empty title={t('none')}>{t('noneLead')}</Empty>}
            columns={[
              {
                title: t('name'),
                cell: ({ name, title }) => (
                  <>
                    <strong>{title}</strong> <span className="soft">{name}</span>
                  </>
                ),
              },
              { title: t('kind'), nowrap: true, cell: ({ settings }) => t(settings.kind) },
              {
                title: t('url'),
                wide: true,
                cell: ({ settings }) => (
                  <span className="mono small">{settings.kind === 'oidc' ? settings.issuer : settings.url}</span>
                ),
              },
              { title: t('state'), nowrap: true, cell: ({ enabled }) => t(enabled ? 'on' : 'off') },
              {
                title: t('compared'),
                cell: ({ settings, syncTime, syncMessage }) =>
                  settings.kind === 'oidc' ? (
                    ''
                  ) : (
                    <span title={syncMessage}>{syncTime ? <Age time={syncTime} /> : t('never')}</span>
                  ),
              },
              {
                title: t('acts'),
                acts: true,
                cell: (provider) => (
                  <div className="row end">
                    <Button small onClick={() => setOpened({ what: 'test', provider })}>
                      {t('test')}
                    </Button>
                    {provider.settings.kind === 'ldap' && provider.enabled && (
                      <Button
                        small
                        busy={sync.variables === provider.name && sync.isPending}
                        onClick={() => sync.mutate(provider.name)}
                      >
                        {t('compare')}
                      </Button>
                    )}
                    <Button small onClick={() => setOpened({ what: 'change', provider })}>
                      {t('change')}
                    </Button>
                    <Button small kind="danger" onClick={() => setOpened({ what: 'remove', provider })}>
                      {t('remove')}
                    </Button>
                  </div>
                ),
              },
            ]}
          />
        )}
      </Read>
      {opened?.what === 'add' && (
        <ProviderDialog close={close} saved={(provider) => setOpened({ what: 'test', provider })} />
      )}
      {opened?.what === 'change' && (
        <ProviderDialog
          provider={opened.provider}
          close={close}
          saved={(provider) => setOpened({ what: 'test', provider })}
        />
      )}
      {opened?.what === 'test' && <TestDialog provider={opened.provider} close={close} />}
      {opened?.what === 'remove' && <RemoveDialog provider={opened.provider} close={close} />}
    </div>
  )
}

function TestDialog({
  provider: { name, title, settings, redirectUri },
  close,
}: {
  provider: SignInProvider
  close: () => void
}) {
  const t = useText(providerTexts)
  const [user, setUser] = useState('')
  const test = useMutation({
    mutationFn: () => call(testProvider, { params: { provider: name }, body: user === '' ? {} : { user } }),
  })
  return (
    <Dialog
      narrow
      title={t('testTitle', { name: title })}
      close={close}
      footer={
        <>
          <Button onClick={close}>{t('close')}</Button>
          <Button kind="primary" busy={test.isPending} onClick={() => test.mutate()}>
            {t('again')}
          </Button>
        </>
      }
    >
      <form
        className="rows"
        onSubmit={(event) => {
          event.preventDefault()
          test.mutate()
        }}
      >
        {redirectUri && (
          <p>
            {t('redirect')}: <span className="mono small wrap">{redirectUri}</span>
          </p>
        )}
        {settings.kind === 'ldap' && (
          <Field label={t('testUser')} hint={t('testUserHint')}>
            {(control) => <TextInput {...control} value={user} onChange={setUser} autoFocus />}
          </Field>
        )}
        {test.data?.steps.map(({ step, succeeded, detail }) => (
          <Note key={step} tone={succeeded ? 'good' : 'bad'} title={t(`step_${step}`)}>
            {detail}
          </Note>
        ))}
        {test.error && <Failure error={test.error} />}
      </form>
    </Dialog>
  )
}

function RemoveDialog({ provider: { name, title }, close }: { provider: SignInProvider; close: () => void }) {
  const t = useText(providerTexts)
  const queries = useQueryClient()
  const input = { params: { provider: name } }
  const remove = useMutation({
    mutationFn: () => call(deleteProvider, input),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: readKey(listProviders).slice(0, 1) })
      close()
    },
  })
  return (
    <Dialog
      narrow
      title={t('removeTitle', { name: title })}
      close={close}
      footer={
        <>
          <Button onClick={close}>{t('cancel')}</Button>
          <Button kind="danger" busy={remove.isPending} onClick={() => remove.mutate()}>
            {t('remove')}
          </Button>
        </>
      }
    >
      <div className="rows">
        <p>{t('removeLead')}</p>
        <ShowAs endpoint={deleteProvider} input={input} />
        {remove.error && <Failure error={remove.error} />}
      </div>
    </Dialog>
  )
}
