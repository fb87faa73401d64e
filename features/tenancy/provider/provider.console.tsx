import {
  Age,
  Button,
  ConfirmDialog,
  call,
  Dialog,
  Empty,
  Failure,
  Field,
  Heading,
  Menu,
  Note,
  Read,
  Table,
  TextInput,
  useRead,
  useReadAgain,
  useText,
} from '@quarterdeck/ui'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import {
  deleteProvider,
  listProviders,
  type SignInProvider,
  syncProvider,
  testProvider,
  updateProvider,
} from './provider.contract.ts'
import { ProviderDialog } from './provider-form.console.tsx'
import { providerTexts } from './texts.console.tsx'

type Opened = { what: 'add' } | { what: 'change' | 'test' | 'disable' | 'remove'; provider: SignInProvider }

/** Who else says who people are. */
export function ProvidersPage() {
  const t = useText(providerTexts)
  const providers = useRead(listProviders, {}, { everySeconds: 15 })
  const readAgain = useReadAgain()
  const [opened, setOpened] = useState<Opened>()
  const close = () => setOpened(undefined)
  const again = () => readAgain(listProviders)
  const sync = useMutation({
    mutationFn: (provider: string) => call(syncProvider, { params: { provider } }),
    onSettled: again,
  })
  const enable = useMutation({
    mutationFn: ({ name, title, settings }: SignInProvider) =>
      call(updateProvider, { params: { provider: name }, body: { title, enabled: true, settings } }),
    onSettled: again,
  })
  const rareActs = (provider: SignInProvider) => [
    provider.enabled
      ? { label: t('disable'), danger: true, act: () => setOpened({ what: 'disable', provider }) }
      : { label: t('enable'), act: () => enable.mutate(provider) },
    { label: t('remove'), danger: true, act: () => setOpened({ what: 'remove', provider }) },
  ]
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
      {enable.error && <Failure error={enable.error} />}
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
                cell: ({ settings, syncTime, syncMessage }) => (
                  <span title={syncMessage}>
                    {syncTime ? <Age time={syncTime} /> : t(settings.kind === 'oidc' ? 'atSignIn' : 'never')}
                  </span>
                ),
              },
              { title: t('sessions'), nowrap: true, cell: ({ sessions }) => sessions },
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
                    <Menu icon="more" label={t('moreOf', { name: provider.title })} items={rareActs(provider)} />
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
      {opened?.what === 'disable' && <DisableDialog provider={opened.provider} close={close} />}
      {opened?.what === 'remove' && <RemoveDialog provider={opened.provider} close={close} />}
    </div>
  )
}

function TestDialog({
  provider: { name, title, settings, redirectUri, logoutUri },
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
        {logoutUri && (
          <p>
            {t('logoutAt')}: <span className="mono small wrap">{logoutUri}</span>
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

function RemoveDialog({ provider, close }: { provider: SignInProvider; close: () => void }) {
  const t = useText(providerTexts)
  const readAgain = useReadAgain()
  const { name, title, sessions: count } = provider
  return (
    <ConfirmDialog
      title={t('removeTitle', { name: title })}
      act={t('remove')}
      endpoint={deleteProvider}
      input={{ params: { provider: name } }}
      done={() => readAgain(listProviders)}
      close={close}
    >
      <p>{t('removeLead')}</p>
      <p>{count === 0 ? t('endsNone') : t('ends', { count })}</p>
    </ConfirmDialog>
  )
}

/** Switches a provider off. */
function DisableDialog({ provider, close }: { provider: SignInProvider; close: () => void }) {
  const t = useText(providerTexts)
  const readAgain = useReadAgain()
  const { name, title, settings, sessions: count } = provider
  return (
    <ConfirmDialog
      title={t('disableTitle', { name: title })}
      act={t('disable')}
      endpoint={updateProvider}
      input={{ params: { provider: name }, body: { title, enabled: false, settings } }}
      done={() => readAgain(listProviders)}
      close={close}
    >
      <p>{t('disableLead')}</p>
      <p>{count === 0 ? t('endsNone') : t('ends', { count })}</p>
    </ConfirmDialog>
  )
}
