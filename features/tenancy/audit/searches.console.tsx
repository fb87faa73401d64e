import {
  Button,
  Check,
  ConfirmDialog,
  call,
  Dialog,
  Empty,
  Failure,
  Field,
  fieldError,
  Link,
  Read,
  Select,
  ShowAs,
  Table,
  TextInput,
  useRead,
  useReadAgain,
  useText,
} from '@quarterdeck/ui'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import {
  type AuditSearch,
  type AuditSearchFilter,
  deleteAuditSearch,
  listAuditSearches,
  saveAuditSearch,
} from './search.contract.ts'
import { filterAt } from './search.rules.ts'
import { searchTexts } from './search-texts.console.tsx'

const HOURS = [1, 24, 168, 720] as const

/** The page of the trail as a saved search asks for it now; times are the browser's own. */
function addressOf({ filter }: AuditSearch): string {
  const { since, until, ...rest } = filterAt(filter, Date.now())
  const times = { ...(since ? { since: localTime(since) } : {}), ...(until ? { until: localTime(until) } : {}) }
  return `/audit?${new URLSearchParams({ ...rest, ...times } as Record<string, string>)}`
}

function localTime(time: string): string {
  const at = new Date(time)
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}

/** Saved searches: open one, keep what is asked for now, delete one of one's own. */
export function SearchesDialog({ filter, close }: { filter: AuditSearchFilter; close: () => void }) {
  const t = useText(searchTexts)
  const searches = useRead(listAuditSearches, {})
  const [saving, setSaving] = useState(false)
  const [ending, setEnding] = useState<AuditSearch>()
  const save = (
    <Button kind="primary" icon="plus" onClick={() => setSaving(true)}>
      {t('keep')}
    </Button>
  )
  return (
    <Dialog title={t('searches')} look="drawer" close={close} footer={save}>
      <Read query={searches}>
        {({ items }) => (
          <Table
            label={t('searches')}
            rows={items}
            rowKey={({ owner, name }) => `${owner}/${name}`}
            empty={<Empty title={t('none')}>{t('noneDetail')}</Empty>}
            columns={[
              {
                title: t('name'),
                wide: true,
                cell: (search) => (
                  <div className="rows tight">
                    <Link to={addressOf(search)} onClick={close}>
                      {search.name}
                    </Link>
                    <span className="soft small">{asked(search.filter)}</span>
                  </div>
                ),
              },
              {
                title: t('whose'),
                nowrap: true,
                cell: ({ mine, owner, shared }) => (mine ? t(shared ? 'mineShared' : 'mine') : owner),
              },
              {
                title: t('acts'),
                acts: true,
                cell: (search) =>
                  search.mine && (
                    <Button small kind="danger" onClick={() => setEnding(search)}>
                      {t('delete')}
                    </Button>
                  ),
              },
            ]}
          />
        )}
      </Read>
      {saving && <SaveDialog filter={filter} close={() => setSaving(false)} />}
      {ending && <DeleteDialog search={ending} close={() => setEnding(undefined)} />}
    </Dialog>
  )
}

const asked = (filter: AuditSearchFilter): string =>
  Object.entries(filter)
    .map(([field, value]) => `${field}: ${value}`)
    .join(', ')

function SaveDialog({ filter, close }: { filter: AuditSearchFilter; close: () => void }) {
  const t = useText(searchTexts)
  const readAgain = useReadAgain()
  const [name, setName] = useState('')
  const [hours, setHours] = useState('')
  const [shared, setShared] = useState(false)
  const { since: _, until: __, ...timeless } = filter
  const input = {
    params: { search: name.trim() },
    body: { filter: hours ? { ...timeless, hours: Number(hours) } : filter, shared },
  }
  const complete = saveAuditSearch.params.safeParse(input.params).success
  const save = useMutation({
    mutationFn: () => call(saveAuditSearch, input),
    onSuccess: async () => {
      await readAgain(listAuditSearches)
      close()
    },
  })
  const error = fieldError(save.error, '/search')
  return (
    <Dialog
      narrow
      title={t('keep')}
      close={close}
      footer={
        <>
          <Button onClick={close}>{t('cancel')}</Button>
          <Button kind="primary" busy={save.isPending} disabled={!complete} onClick={() => save.mutate()}>
            {t('keep')}
          </Button>
        </>
      }
    >
      <form
        className="rows"
        onSubmit={(event) => {
          event.preventDefault()
          if (complete) save.mutate()
        }}
      >
        <p className="soft">{asked(input.body.filter) || t('everything')}</p>
        <Field label={t('name')} error={error}>
          {(control) => <TextInput {...control} value={name} onChange={setName} autoFocus />}
        </Field>
        <Field label={t('time')}>
          {(control) => (
            <Select
              {...control}
              value={hours}
              onChange={setHours}
              options={[
                { value: '', label: t('timeAsIs') },
                ...HOURS.map((count) => ({ value: String(count), label: t(`hours${count}`) })),
              ]}
            />
          )}
        </Field>
        <Check checked={shared} onChange={setShared}>
          {t('share')}
        </Check>
        {complete && <ShowAs endpoint={saveAuditSearch} input={input} />}
        {save.error && !error && <Failure error={save.error} />}
      </form>
    </Dialog>
  )
}

function DeleteDialog({ search, close }: { search: AuditSearch; close: () => void }) {
  const t = useText(searchTexts)
  const readAgain = useReadAgain()
  return (
    <ConfirmDialog
      title={t('deleteTitle', { name: search.name })}
      act={t('delete')}
      endpoint={deleteAuditSearch}
      input={{ params: { search: search.name } }}
      done={() => readAgain(listAuditSearches)}
      close={close}
    >
      {search.shared ? t('deleteShared') : t('deleteMine')}
    </ConfirmDialog>
  )
}
