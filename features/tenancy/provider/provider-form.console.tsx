import { Button, Check, call, Dialog, Failure, Field, Select, TextInput, useReadAgain, useText } from '@quarterdeck/ui'
import { useMutation } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import { createProvider, listProviders, type SignInProvider, updateProvider } from './provider.contract.ts'
import { faultAt, settingsFrom, settingsText, type Typed } from './provider-form.rules.ts'
import { providerTexts } from './texts.console.tsx'

type Key = Exclude<keyof Typed, 'kind' | 'titleAttribute' | 'emailAttribute' | 'groupNameAttribute'>
type Entry = [
  key: Key,
  hint?:
    | 'urlHint'
    | 'bindDnHint'
    | 'userFilterHint'
    | 'groupBaseDnHint'
    | 'groupFilterHint'
    | 'groupsClaimHint'
    | 'askAgainHint'
    | 'scopesHint',
]
const OIDC: readonly Entry[] = [
  ['issuer'],
  ['clientId'],
  ['nameClaim'],
  ['groupsClaim', 'groupsClaimHint'],
  ['scopes', 'scopesHint'],
  ['askAgainMinutes', 'askAgainHint'],
]
const LDAP: readonly Entry[] = [
  ['url', 'urlHint'],
  ['bindDn', 'bindDnHint'],
  ['baseDn'],
  ['userFilter', 'userFilterHint'],
  ['keyAttribute'],
  ['nameAttribute'],
  ['groupBaseDn', 'groupBaseDnHint'],
  ['groupFilter', 'groupFilterHint'],
]
const PLACEHOLDERS: Partial<Record<Key, string>> = {
  issuer: 'https://login.example.com',
  clientId: 'quarterdeck',
  groupsClaim: 'groups',
  url: 'ldaps://directory.example.com',
  bindDn: 'cn=reader,dc=example,dc=com',
  baseDn: 'ou=people,dc=example,dc=com',
  groupBaseDn: 'ou=groups,dc=example,dc=com',
}

/** Connects a provider, or changes one. */
export function ProviderDialog({
  provider,
  close,
  saved,
}: {
  provider?: SignInProvider
  close: () => void
  saved: (provider: SignInProvider) => void
}) {
  const t = useText(providerTexts)
  const readAgain = useReadAgain()
  const [name, setName] = useState(provider?.name ?? '')
  const [title, setTitle] = useState(provider?.title ?? '')
  const [enabled, setEnabled] = useState(provider?.enabled ?? true)
  const [secret, setSecret] = useState('')
  const [typed, setTyped] = useState(() => settingsText(provider?.settings))
  const body = { title, enabled, settings: settingsFrom(typed), ...(secret === '' ? {} : { secret }) }
  const checked = provider ? updateProvider.body.safeParse(body) : createProvider.body.safeParse({ ...body, name })
  const save = useMutation<SignInProvider, Error>({
    mutationFn: () =>
      provider
        ? call(updateProvider, { params: { provider: provider.name }, body })
        : call(createProvider, { body: { ...body, name } }),
    onSuccess: async (made) => {
      await readAgain(listProviders)
      saved(made)
    },
  })
  const change = (some: Partial<Typed>) => setTyped({ ...typed, ...some })
  const fault = (path: string) => faultAt(save.error, checked.error, path)
  const field = ([key, hint]: Entry): ReactNode => (
    <Field
      key={key}
      label={t(key)}
      hint={hint && t(hint)}
      error={typed[key] === '' ? undefined : fault(`settings/${key}`)}
    >
      {(control) => (
        <TextInput
          {...control}
          value={typed[key]}
          onChange={(value) => change({ [key]: value })}
          placeholder={PLACEHOLDERS[key] ?? ''}
        />
      )}
    </Field>
  )
  const isOidc = typed.kind === 'oidc'
  const secretHint = provider?.hasSecret ? t('secretKept') : isOidc ? t('secretHint') : undefined
  return (
    <Dialog
      look="drawer"
      title={provider ? t('edit', { name: provider.title }) : t('add')}
      close={close}
      footer={
        <>
          <Button onClick={close}>{t('cancel')}</Button>
          <Button kind="primary" busy={save.isPending} disabled={!checked.success} onClick={() => save.mutate()}>
            {t('save')}
          </Button>
        </>
      }
    >
      <form
        className="rows"
        onSubmit={(event) => {
          event.preventDefault()
          if (checked.success) save.mutate()
        }}
      >
        {!provider && (
          <>
            <Field label={t('kind')}>
              {(control) => (
                <Select
                  {...control}
                  value={typed.kind}
                  onChange={(kind) => setTyped(settingsText(undefined, kind === 'ldap' ? 'openldap' : 'oidc'))}
                  options={[
                    { value: 'oidc', label: t('oidc') },
                    { value: 'ldap', label: t('ldap') },
                  ]}
                />
              )}
            </Field>
            {!isOidc && (
              <div className="row">
                <span className="soft">{t('directory')}</span>
                <Button small onClick={() => setTyped({ ...settingsText(undefined, 'openldap'), url: typed.url })}>
                  {t('openldap')}
                </Button>
                <Button
                  small
                  onClick={() => setTyped({ ...settingsText(undefined, 'active-directory'), url: typed.url })}
                >
                  {t('activeDirectory')}
                </Button>
              </div>
            )}
            <Field label={t('name')} hint={t('nameHint')} error={name === '' ? undefined : fault('name')}>
              {(control) => <TextInput {...control} value={name} onChange={setName} autoFocus />}
            </Field>
          </>
        )}
        <Field label={t('titleLabel')} hint={t('titleHint')} error={title === '' ? undefined : fault('title')}>
          {(control) => <TextInput {...control} value={title} onChange={setTitle} />}
        </Field>
        {(isOidc ? OIDC : LDAP).map(field)}
        <Field label={t(isOidc ? 'secret' : 'bindPassword')} hint={secretHint} error={fault('secret')}>
          {(control) => (
            <TextInput {...control} type="password" autoComplete="off" value={secret} onChange={setSecret} />
          )}
        </Field>
        <Field label={t('authorities')} hint={t('authoritiesHint')} error={fault('settings/authorities')}>
          {(control) => (
            <textarea
              {...control}
              className="input mono small"
              rows={4}
              value={typed.authorities}
              onChange={(event) => change({ authorities: event.target.value })}
            />
          )}
        </Field>
        {!provider && (
          <Check checked={enabled} onChange={setEnabled}>
            {t('enabled')}
          </Check>
        )}
        {save.error && !fault('secret') && <Failure error={save.error} />}
      </form>
    </Dialog>
  )
}
