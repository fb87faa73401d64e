import {
  Age,
  Button,
  ButtonLink,
  Check,
  ConfirmDialog,
  call,
  Dialog,
  Empty,
  Failure,
  Field,
  Heading,
  Menu,
  NoMatch,
  Read,
  Select,
  Table,
  useGo,
  useMay,
  useRead,
  useReadAgain,
  useText,
  useUrlValue,
} from '@quarterdeck/ui'
import { useMutation } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import { listRoles } from '../role/role.contract.ts'
import { GiveDialog, HoursField } from './give.console.tsx'
import { deleteGrant, type Grant, listGrants, updateGrant } from './grant.contract.ts'
import { GroupField, PlaceField, placeQuery, UserField, usePlaceWords } from './place-field.console.tsx'
import { grantTexts } from './texts.console.tsx'

const LIMIT = 100

/** Who has which role where, with its filters in the address; giving, changing the end and taking back. */
export function AccessPage() {
  const t = useText(grantTexts)
  const may = useMay()
  const [user, setUser] = useUrlValue('user')
  const [group, setGroup] = useUrlValue('group')
  const [role, setRole] = useUrlValue('role')
  const [at, setAt] = useUrlValue('at')
  const [inherited, setInherited] = useUrlValue('inherited')
  const [from, setFrom] = useUrlValue('from')
  const [giving, setGiving] = useUrlValue('give')
  const roles = useRead(listRoles)
  const filtering = (set: (value: string) => void) => (value: string) => {
    set(value)
    setFrom('')
  }
  const clear = () => {
    for (const set of [setUser, setGroup, setRole, setAt, setInherited, setFrom]) set('')
  }
  const place = placeQuery(at)
  const filter = {
    user,
    group,
    role,
    ...place,
    platform: at === 'platform' ? 'true' : '',
    inherited: Object.keys(place).length > 0 ? inherited : '',
  }
  const asked = Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== ''))
  const query = { limit: LIMIT, ...asked, ...(from === '' ? {} : { continue: from }) }
  const grants = useRead(listGrants, { query }, { keep: true })
  const give = may('grant.create') && (
    <Button kind="primary" icon="plus" onClick={() => setGiving('true')}>
      {t('give')}
    </Button>
  )
  return (
    <div className="page">
      <header className="page-head">
        <div className="grow">
          <Heading>{t('access')}</Heading>
          <p className="soft">{t('lead')}</p>
        </div>
        <ButtonLink to="/who-can">{t('explain')}</ButtonLink>
        {give}
      </header>
      <div className="cols">
        <Field label={t('user')}>
          {(control) => <UserField {...control} value={user} onChange={filtering(setUser)} />}
        </Field>
        <Field label={t('group')}>
          {(control) => <GroupField {...control} value={group} onChange={filtering(setGroup)} />}
        </Field>
        <Field label={t('role')}>
          {(control) => (
            <Select
              {...control}
              value={role}
              onChange={filtering(setRole)}
              options={[
                { value: '', label: t('anyRole') },
                ...(roles.data?.items ?? []).map(({ name }) => ({ value: name, label: name })),
              ]}
            />
          )}
        </Field>
        <Field label={t('where')}>
          {(control) => <PlaceField {...control} none={t('anywhere')} value={at} onChange={filtering(setAt)} />}
        </Field>
        {Object.keys(place).length > 0 && (
          <Check checked={inherited === 'true'} onChange={(on) => filtering(setInherited)(on ? 'true' : '')}>
            {t('inherited')}
          </Check>
        )}
      </div>
      <section className="card">
        <Read query={grants}>
          {({ items, total = items.length, continue: next }) => (
            <>
              <GrantTable
                grants={items}
                empty={
                  Object.keys(asked).length > 0 ? (
                    <NoMatch clear={clear} />
                  ) : (
                    <Empty title={t('none')} act={give}>
                      {t('noneLead')}
                    </Empty>
                  )
                }
              />
              {(from !== '' || next) && (
                <div className="cols body">
                  <span className="soft">{t('shown', { count: items.length, total })}</span>
                  {from !== '' && <Button onClick={() => setFrom('')}>{t('first')}</Button>}
                  {next && <Button onClick={() => setFrom(next)}>{t('older')}</Button>}
                </div>
              )}
            </>
          )}
        </Read>
      </section>
      {giving === 'true' && <GiveDialog user={user} group={group} place={at} close={() => setGiving('')} />}
    </div>
  )
}

const holderOf = ({ user, group }: Grant) => user ?? group ?? ''

function GrantTable({ grants, empty }: { grants: Grant[]; empty: ReactNode }) {
  const t = useText(grantTexts)
  const placeWords = usePlaceWords()
  const go = useGo()
  const may = useMay()
  const [taking, setTaking] = useState<Grant>()
  const [changing, setChanging] = useState<Grant>()
  const actsOf = (grant: Grant) => [
    ...(grant.user === undefined
      ? []
      : [
          {
            label: t('whatCan'),
            icon: 'help' as const,
            act: () => go(`/who-can?user=${encodeURIComponent(grant.user ?? '')}&at=${placeText(grant)}`),
          },
        ]),
    ...(may('grant.create') ? [{ label: t('change'), icon: 'wait' as const, act: () => setChanging(grant) }] : []),
    ...(may('grant.delete')
      ? [{ label: t('take'), icon: 'trash' as const, danger: true, rule: true, act: () => setTaking(grant) }]
      : []),
  ]
  return (
    <>
      <Table
        label={t('access')}
        rows={grants}
        rowKey={({ id }) => id}
        empty={empty}
        columns={[
          {
            title: t('who'),
            nowrap: true,
            cell: (grant) => <strong>{grant.user ?? t('aGroup', { name: grant.group })}</strong>,
          },
          { title: t('role'), nowrap: true, cell: ({ role }) => role },
          { title: t('where'), wide: true, cell: placeWords },
          {
            title: t('until'),
            nowrap: true,
            cell: ({ expireTime }) =>
              expireTime ? new Date(expireTime).toLocaleString() : <span className="soft">{t('untilTaken')}</span>,
          },
          { title: t('by'), nowrap: true, cell: ({ grantor }) => grantor },
          { title: t('reason'), wide: true, cell: ({ reason }) => reason || <span className="soft">–</span> },
          { title: t('age'), nowrap: true, cell: ({ createTime }) => <Age time={createTime} /> },
          {
            title: t('acts'),
            acts: true,
            cell: (grant) => {
              const items = actsOf(grant)
              const label = t('more', { name: `${holderOf(grant)} ${grant.role}` })
              return items.length > 0 && <Menu small kind="plain" icon="more" label={label} items={items} />
            },
          },
        ]}
      />
      {taking && <TakeDialog grant={taking} close={() => setTaking(undefined)} />}
      {changing && <EndDialog grant={changing} close={() => setChanging(undefined)} />}
    </>
  )
}

const placeText = ({ environment, project, tenant }: Grant): string => {
  if (environment) return `environment:${environment}`
  if (project) return `project:${project}`
  return tenant ? `tenant:${tenant}` : 'platform'
}

function useGrantsChanged(close: () => void) {
  const readAgain = useReadAgain()
  return async () => {
    await readAgain(listGrants)
    close()
  }
}

function TakeDialog({ grant, close }: { grant: Grant; close: () => void }) {
  const t = useText(grantTexts)
  const placeWords = usePlaceWords()
  const readAgain = useReadAgain()
  return (
    <ConfirmDialog
      title={t('takeTitle', { role: grant.role, who: holderOf(grant) })}
      act={t('take')}
      endpoint={deleteGrant}
      input={{ params: { grant: grant.id } }}
      done={() => readAgain(listGrants)}
      close={close}
    >
      <p>
        <strong>{placeWords(grant)}</strong>
      </p>
      <p>{t('takeLead')}</p>
    </ConfirmDialog>
  )
}

function EndDialog({ grant, close }: { grant: Grant; close: () => void }) {
  const t = useText(grantTexts)
  const [hours, setHours] = useState('168')
  const changed = useGrantsChanged(close)
  const change = useMutation({
    mutationFn: () => {
      const end = hours === '' ? null : new Date(Date.now() + Number(hours) * 3_600_000).toISOString()
      return call(updateGrant, { params: { grant: grant.id }, body: { expireTime: end } })
    },
    onSuccess: changed,
  })
  return (
    <Dialog
      narrow
      title={t('change')}
      close={close}
      footer={
        <>
          <Button onClick={close}>{t('cancel')}</Button>
          <Button kind="primary" busy={change.isPending} onClick={() => change.mutate()}>
            {t('save')}
          </Button>
        </>
      }
    >
      <div className="rows">
        <Field label={t('howLong')}>{(control) => <HoursField {...control} value={hours} onChange={setHours} />}</Field>
        {change.error && <Failure error={change.error} />}
      </div>
    </Dialog>
  )
}
