import {
  Age,
  Button,
  call,
  Dialog,
  Empty,
  Failure,
  Field,
  FilterLine,
  fieldError,
  Heading,
  Link,
  NoMatch,
  Read,
  ShowAs,
  Table,
  TextInput,
  useMay,
  useRead,
  useReadAgain,
  useText,
  useUrlValue,
} from '@quarterdeck/ui'
import { useMutation } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import { createGroup, type Group, listGroups } from './group.contract.ts'
import { GroupDrawer } from './group-drawer.console.tsx'
import { groupTexts } from './texts.console.tsx'

const LIMIT = 100

/** Groups, with the filter in the address; one of them beside the list. */
export function GroupsPage() {
  const t = useText(groupTexts)
  const may = useMay()
  const [search, setSearch] = useUrlValue('search')
  const [from, setFrom] = useUrlValue('from')
  const [opened, open] = useUrlValue('group')
  const [creating, setCreating] = useState(false)
  const filtering = (value: string) => {
    setSearch(value)
    setFrom('')
  }
  const filter = { ...(search === '' ? {} : { search }), ...(from === '' ? {} : { continue: from }) }
  const query = useRead(listGroups, { query: { limit: LIMIT, ...filter } }, { keep: true })
  const create = may('user.update') && (
    <Button kind="primary" icon="plus" onClick={() => setCreating(true)}>
      {t('create')}
    </Button>
  )
  return (
    <div className="page">
      <header className="page-head">
        <div className="grow">
          <Heading>{t('groups')}</Heading>
          <p className="soft">{t('groupsLead')}</p>
        </div>
        {create}
      </header>
      <FilterLine value={search} onChange={filtering} placeholder={t('search')} />
      <section className="card">
        <Read query={query}>
          {({ items, total = items.length, continue: next }) => (
            <>
              <GroupTable
                groups={items}
                open={open}
                empty={
                  search === '' ? (
                    <Empty title={t('none')} act={create}>
                      {t('noneLead')}
                    </Empty>
                  ) : (
                    <NoMatch clear={() => filtering('')} />
                  )
                }
              />
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
      {opened !== '' && <GroupDrawer name={opened} may={may} close={() => open('')} />}
      {creating && <CreateDialog close={() => setCreating(false)} made={open} />}
    </div>
  )
}

function GroupTable({ groups, open, empty }: { groups: Group[]; open: (name: string) => void; empty: ReactNode }) {
  const t = useText(groupTexts)
  return (
    <Table
      label={t('groups')}
      rows={groups}
      rowKey={({ id }) => id}
      empty={empty}
      columns={[
        {
          title: t('name'),
          nowrap: true,
          cell: ({ name }) => (
            <Link to={`/groups?group=${encodeURIComponent(name)}`} go={() => open(name)}>
              <strong>{name}</strong>
            </Link>
          ),
        },
        { title: t('title'), wide: true, cell: ({ title }) => title ?? <span className="soft">–</span> },
        { title: t('members'), end: true, cell: ({ members }) => members },
        { title: t('source'), nowrap: true, cell: ({ source }) => (source === 'local' ? t('local') : source) },
        { title: t('created'), nowrap: true, cell: ({ createTime }) => <Age time={createTime} /> },
      ]}
    />
  )
}

function CreateDialog({ close, made }: { close: () => void; made: (name: string) => void }) {
  const t = useText(groupTexts)
  const readAgain = useReadAgain()
  const [name, setName] = useState('')
  const [title, setTitle] = useState('')
  const [left, setLeft] = useState(false)
  const body = { name, ...(title === '' ? {} : { title }) }
  const create = useMutation<Group, Error>({
    mutationFn: () => call(createGroup, { body }),
    onSuccess: async (group) => {
      await readAgain(listGroups)
      close()
      made(group.name)
    },
  })
  const checked = createGroup.body.safeParse(body)
  const wrong = (field: string) =>
    fieldError(create.error, `/${field}`) ??
    (left && !checked.success ? checked.error.issues.find(({ path }) => path[0] === field)?.message : undefined)
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
        <Field label={t('name')} error={wrong('name')}>
          {(control) => (
            <TextInput {...control} value={name} onChange={setName} onBlur={() => setLeft(true)} autoFocus />
          )}
        </Field>
        <Field label={t('title')} hint={t('optional')} error={title === '' ? undefined : wrong('title')}>
          {(control) => <TextInput {...control} value={title} onChange={setTitle} onBlur={() => setLeft(true)} />}
        </Field>
        {checked.success && <ShowAs endpoint={createGroup} input={{ params: {}, body }} />}
        {create.error && !wrong('name') && !wrong('title') && <Failure error={create.error} />}
      </div>
    </Dialog>
  )
}
