import {
  Button,
  Empty,
  Field,
  Heading,
  Note,
  Read,
  Section,
  Select,
  Table,
  useLanguage,
  useMay,
  useRead,
  useText,
  useUrlValue,
} from '@quarterdeck/ui'
import { type FormEvent, useState } from 'react'
import { listPermissions, type PermissionInfo } from '../role/role.contract.ts'
import { getSession } from '../session/session.contract.ts'
import { listHolders, listUserPermissions, type Through } from './explain.contract.ts'
import { PlaceField, placeQuery, UserField, usePlaceWords } from './place-field.console.tsx'
import { grantTexts } from './texts.console.tsx'

/** What can they do here, and who can do this here; what is asked stands in the address. */
export function WhoCanPage() {
  const t = useText(grantTexts)
  const me = useRead(getSession).data
  const may = useMay()
  const [user, setUser] = useUrlValue('user')
  const [permission, setPermission] = useUrlValue('permission')
  const [at, setAt] = useUrlValue('at')
  const [language] = useLanguage()
  const all = useRead(listPermissions).data?.items ?? []
  const asked = user || me?.user || ''
  return (
    <div className="page">
      <header className="page-head">
        <div className="grow">
          <Heading>{t('explain')}</Heading>
          <p className="soft">{t('explainLead')}</p>
        </div>
      </header>
      <div className="cols">
        <Field label={t('where')}>
          {(control) => <PlaceField {...control} none={t('platform')} value={at} onChange={setAt} />}
        </Field>
      </div>
      <section className="card">
        <header>
          <h2>{t('whatCan')}</h2>
        </header>
        <div className="body rows">
          <AskedUser key={asked} user={asked} ask={setUser} />
          {asked === '' ? <p className="soft">{t('chooseUser')}</p> : <Held user={asked} at={at} all={all} />}
        </div>
      </section>
      {may('grant.list') && (
        <section className="card">
          <header>
            <h2>{t('whoCan')}</h2>
          </header>
          <div className="body rows">
            <Field label={t('permission')}>
              {(control) => (
                <Select
                  {...control}
                  value={permission}
                  onChange={setPermission}
                  options={[
                    { value: '', label: t('choosePermission') },
                    ...all.map((one) => ({ value: one.permission, label: `${one.permission} · ${one[language]}` })),
                  ]}
                />
              )}
            </Field>
            {permission !== '' && <Holders permission={permission} at={at} />}
          </div>
        </section>
      )}
    </div>
  )
}

/** A name counts once it is typed in full. */
function AskedUser({ user, ask }: { user: string; ask: (user: string) => void }) {
  const t = useText(grantTexts)
  const [name, setName] = useState(user)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    ask(name.trim())
  }
  return (
    <form className="cols bottom" onSubmit={submit}>
      <Field label={t('userName')}>{(control) => <UserField {...control} value={name} onChange={setName} />}</Field>
      <Button type="submit">{t('show')}</Button>
    </form>
  )
}

function useThroughWords(): (through: Through) => string {
  const t = useText(grantTexts)
  const placeWords = usePlaceWords()
  return (through) =>
    t(through.group === undefined ? 'throughRole' : 'throughGroup', {
      role: through.role,
      group: through.group,
      place: placeWords(through),
    })
}

function ThroughCell({ through }: { through: Through[] }) {
  const words = useThroughWords()
  return (
    <>
      {through.map((one) => (
        <div key={one.grant}>{words(one)}</div>
      ))}
    </>
  )
}

function Held({ user, at, all }: { user: string; at: string; all: PermissionInfo[] }) {
  const t = useText(grantTexts)
  const [language] = useLanguage()
  const query = useRead(listUserPermissions, { params: { user }, query: placeQuery(at) }, { keep: true })
  const titleOf = (permission: string) => all.find((one) => one.permission === permission)?.[language]
  return (
    <Read query={query}>
      {({ items, disabled }) => {
        const missing = all.filter(({ permission }) => !items.some((one) => one.permission === permission))
        return (
          <>
            {disabled && <Note tone="warn">{t('disabled')}</Note>}
            <Table
              label={t('whatCan')}
              rows={items}
              rowKey={({ permission }) => permission}
              empty={<Empty title={t('mayNothing', { user })}>{t('mayNothingLead')}</Empty>}
              columns={[
                { title: t('permission'), nowrap: true, cell: ({ permission }) => <code>{permission}</code> },
                { title: t('meaning'), wide: true, cell: ({ permission }) => titleOf(permission) },
                { title: t('through'), wide: true, cell: ({ through }) => <ThroughCell through={through} /> },
              ]}
            />
            {missing.length > 0 && items.length > 0 && (
              <Section title={t('missing', { count: missing.length })}>
                <p className="mono small soft wrap">{missing.map(({ permission }) => permission).join(', ')}</p>
              </Section>
            )}
          </>
        )
      }}
    </Read>
  )
}

function Holders({ permission, at }: { permission: string; at: string }) {
  const t = useText(grantTexts)
  const query = useRead(listHolders, { query: { permission, limit: 500, ...placeQuery(at) } }, { keep: true })
  return (
    <Read query={query}>
      {({ items }) => (
        <Table
          label={t('whoCan')}
          rows={items}
          rowKey={({ user }) => user}
          empty={<Empty title={t('nobodyCan')}>{t('nobodyCanLead')}</Empty>}
          columns={[
            {
              title: t('user'),
              nowrap: true,
              cell: ({ user, machine }) => (
                <>
                  <strong>{user}</strong> {machine && <span className="soft">{t('machine')}</span>}
                </>
              ),
            },
            { title: t('through'), wide: true, cell: ({ through }) => <ThroughCell through={through} /> },
          ]}
        />
      )}
    </Read>
  )
}
