import {
  Age,
  Button,
  Empty,
  FilterLine,
  Heading,
  Link,
  Menu,
  NoMatch,
  Read,
  Select,
  Table,
  useMay,
  useRead,
  useText,
  useUrlValue,
} from '@quarterdeck/ui'
import { type ReactNode, useState } from 'react'
import { CreateUserDialog } from './create-user.console.tsx'
import { userTexts } from './texts.console.tsx'
import { listUsers, type User } from './user.contract.ts'
import { UserDrawer } from './user-drawer.console.tsx'
import { UserState } from './user-state.console.tsx'

const LIMIT = 100
/** Users and machine accounts, with their filters in the address; one of them beside the list. */
export function UsersPage({ credentials }: { credentials: (user: User) => ReactNode }) {
  const t = useText(userTexts)
  const may = useMay()
  const [search, setSearch] = useUrlValue('search')
  const [kind, setKind] = useUrlValue('kind')
  const [state, setState] = useUrlValue('state')
  const [from, setFrom] = useUrlValue('from')
  const [opened, open] = useUrlValue('user')
  const [creating, setCreating] = useState<User['kind']>()
  // Another filter begins at the beginning again.
  const filtering = (set: (value: string) => void) => (value: string) => {
    set(value)
    setFrom('')
  }
  const clear = () => {
    for (const set of [setSearch, setKind, setState, setFrom]) set('')
  }
  const filter = Object.fromEntries(
    Object.entries({ search, kind, state, continue: from }).filter(([, value]) => value !== ''),
  )
  const query = useRead(listUsers, { query: { limit: LIMIT, ...filter } }, { keep: true })
  const create = may('user.create') && (
    <>
      <Button kind="primary" icon="plus" onClick={() => setCreating('user')}>
        {t('invite')}
      </Button>
      <Menu
        icon="more"
        label={t('more')}
        items={[{ label: t('createMachine'), icon: 'token', act: () => setCreating('machine') }]}
      />
    </>
  )
  return (
    <div className="page">
      <header className="page-head">
        <div className="grow">
          <Heading>{t('users')}</Heading>
          <p className="soft">{t('usersLead')}</p>
        </div>
        {create}
      </header>
      <div className="cols">
        <FilterLine value={search} onChange={filtering(setSearch)} placeholder={t('search')} />
        <div className="pick wide">
          <Select
            aria-label={t('kind')}
            value={kind}
            onChange={filtering(setKind)}
            options={[
              { value: '', label: t('anyKind') },
              { value: 'user', label: t('kindUser') },
              { value: 'machine', label: t('kindMachine') },
            ]}
          />
        </div>
        <div className="pick">
          <Select
            aria-label={t('state')}
            value={state}
            onChange={filtering(setState)}
            options={[
              { value: '', label: t('anyState') },
              ...(['active', 'invited', 'disabled'] as const).map((value) => ({ value, label: t(value) })),
            ]}
          />
        </div>
      </div>
      <section className="card">
        <Read query={query}>
          {({ items, total = items.length, continue: next }) => (
            <>
              <UserTable
                users={items}
                open={open}
                empty={Object.keys(filter).length > 0 ? <NoMatch clear={clear} /> : <NoUsers act={create} />}
              />
              {total <= 1 && items.length === 1 && Object.keys(filter).length === 0 && <NoUsers act={create} />}
              {(from !== '' || next) && (
                <div className="cols body">
                  <span className="soft">{t('shown', { count: items.length, total })}</span>
                  {from !== '' && <Button onClick={() => setFrom('')}>{t('first')}</Button>}
                  {next && <Button onClick={() => setFrom(next)}>{t('more')}</Button>}
                </div>
              )}
            </>
          )}
        </Read>
      </section>
      {opened !== '' && <UserDrawer name={opened} close={() => open('')} credentials={credentials} />}
      {creating && <CreateUserDialog kind={creating} close={() => setCreating(undefined)} />}
    </div>
  )
}

function NoUsers({ act }: { act: ReactNode }) {
  const t = useText(userTexts)
  return (
    <Empty title={t('none')} act={<div className="cols">{act}</div>}>
      {t('noneLead')}
    </Empty>
  )
}

function UserTable({ users, open, empty }: { users: User[]; open: (name: string) => void; empty: ReactNode }) {
  const t = useText(userTexts)
  return (
    <Table
      label={t('users')}
      rows={users}
      rowKey={({ id }) => id}
      empty={empty}
      columns={[
        {
          title: t('name'),
          nowrap: true,
          cell: ({ name }) => (
            <Link to={`/users?user=${encodeURIComponent(name)}`} go={() => open(name)}>
              <strong>{name}</strong>
            </Link>
          ),
        },
        { title: t('title'), wide: true, cell: ({ title }) => title ?? <span className="soft">–</span> },
        { title: t('state'), nowrap: true, cell: ({ state }) => <UserState state={state} /> },
        { title: t('kind'), nowrap: true, cell: ({ kind }) => t(kind) },
        { title: t('source'), nowrap: true, cell: ({ source }) => (source === 'local' ? t('local') : source) },
        {
          title: t('groups'),
          nowrap: true,
          cell: ({ groups }) => groups.join(', ') || <span className="soft">–</span>,
        },
        {
          title: t('lastSignIn'),
          nowrap: true,
          cell: ({ kind, lastSignInTime }) =>
            lastSignInTime ? (
              <Age time={lastSignInTime} />
            ) : (
              <span className="soft">{kind === 'machine' ? '–' : t('never')}</span>
            ),
        },
      ]}
    />
  )
}
