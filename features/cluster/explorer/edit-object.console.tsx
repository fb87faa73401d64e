import {
  Button,
  ChangePanel,
  call,
  Failure,
  FieldDiff,
  FileText,
  Note,
  Read,
  Skeleton,
  useGo,
  useRead,
  useText,
} from '@quarterdeck/ui'
import { type KeyboardEvent, useState } from 'react'
import { type EditableObject, editObject, getEditable, rebaseEdit } from '../object/edit.contract.ts'
import { actTexts } from './act-texts.console.tsx'
import { type ObjectRef, objectPath } from './explore.rules.ts'

/** An edit that is not applied yet: what it began from, and what has become of it. */
interface Draft {
  base: EditableObject
  yaml: string
}

/** Edits outlive a look at another tab, as long as the page is not loaded anew. */
const drafts = new Map<string, Draft>()
const inputOf = ({ cluster, resource, namespace, name }: ObjectRef) => ({
  params: { cluster, resource, name },
  query: namespace === '' ? {} : { namespace },
})

/** Whether an edit of this object has been begun. */
export const hasDraft = (object: ObjectRef): boolean => drafts.has(objectPath(object))

/** The YAML of an object to write in, then the plan of what that does. */
export function EditObject({ object, close }: { object: ObjectRef; close: () => void }) {
  const key = objectPath(object)
  const [kept] = useState(() => drafts.get(key))
  const query = useRead(getEditable, inputOf(object), { enabled: kept === undefined })
  // What was read at an earlier time may be old.
  const fresh = query.isFetchedAfterMount || query.error !== null
  if (kept) return <Editor object={object} begun={kept} resumed close={close} />
  if (!fresh) return <Skeleton lines={14} />
  return (
    <Read query={query} lines={14}>
      {(base) => <Editor object={object} begun={{ base, yaml: base.yaml }} close={close} />}
    </Read>
  )
}

type Rebased = Awaited<ReturnType<typeof rebased>>
const rebased = ({ cluster, resource, namespace, name }: ObjectRef, { base, yaml }: Draft) =>
  call(rebaseEdit, { params: { cluster, resource, name }, body: { namespace, base: base.yaml, yaml } })

function Editor({
  object,
  begun,
  resumed = false,
  close,
}: {
  object: ObjectRef
  begun: Draft
  resumed?: boolean
  close: () => void
}) {
  const t = useText(actTexts)
  const go = useGo()
  const [draft, setDraft] = useState(begun)
  const [theirs, setTheirs] = useState<Rebased>()
  const [planning, setPlanning] = useState(false)
  const [busy, setBusy] = useState(false)
  const [failure, setFailure] = useState<Error>()
  const { base, yaml } = draft
  const changed = yaml !== base.yaml
  const keep = (next: Draft) => {
    if (next.yaml === next.base.yaml) drafts.delete(objectPath(object))
    else drafts.set(objectPath(object), next)
    setDraft(next)
  }
  const leave = () => {
    drafts.delete(objectPath(object))
    close()
  }
  /** Looks first whether somebody else was here; a status that has changed is nobody's edit. */
  const toPlan = async () => {
    setBusy(true)
    setFailure(undefined)
    try {
      const now = await rebased(object, draft)
      if (now.theirs.length > 0) return setTheirs(now)
      keep({ base: { ...base, resourceVersion: now.resourceVersion, digest: now.digest }, yaml })
      setPlanning(true)
    } catch (error) {
      setFailure(error as Error)
    } finally {
      setBusy(false)
    }
  }
  const takeOver = ({ base: text, yaml: merged, theirs: _, overlaps: __, ...now }: Rebased) => {
    keep({ base: { ...now, yaml: text }, yaml: merged })
    setTheirs(undefined)
  }
  if (planning) {
    const { cluster, resource, namespace, name } = object
    const { resourceVersion, digest } = base
    return (
      <ChangePanel
        act={{
          endpoint: editObject,
          params: { cluster, resource, name },
          body: { namespace, yaml, resourceVersion, digest },
          label: t('apply'),
        }}
        cancelLabel={t('back')}
        onCancel={() => setPlanning(false)}
        onAccepted={({ id }) => {
          leave()
          go(`/operations/${id}`)
        }}
      />
    )
  }
  const press = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && changed && !busy) {
      event.preventDefault()
      void toPlan()
    } else if (event.key === 'Escape') {
      // The details stay open, and with them what has been written.
      event.preventDefault()
      if (!changed) leave()
    }
  }
  return (
    <form
      className="rows"
      onKeyDown={press}
      onSubmit={(event) => {
        event.preventDefault()
        void toPlan()
      }}
    >
      {base.application !== undefined && (
        <Note tone="warn" title={t('ofApplication', { application: base.application })}>
          {t('ofApplicationDetail')}
        </Note>
      )}
      {resumed && changed && <Note tone="mute">{t('draft')}</Note>}
      {theirs && <Theirs found={theirs} rebase={() => takeOver(theirs)} />}
      {failure && <Failure error={failure} />}
      <FileText
        label={t('editYaml', { name: object.name })}
        hint={t('editHint')}
        fileLabel={t('editFile')}
        value={yaml}
        onChange={(text) => keep({ base, yaml: text })}
        rows={24}
        className="yaml"
      />
      <div className="cols page-acts">
        <Button onClick={leave}>{t('cancel')}</Button>
        <Button type="submit" kind="primary" disabled={!changed} busy={busy}>
          {t('toPlan')}
        </Button>
      </div>
    </form>
  )
}

/** What somebody else has changed since the edit was begun, and the way on. */
function Theirs({ found: { theirs, overlaps }, rebase }: { found: Rebased; rebase: () => void }) {
  const t = useText(actTexts)
  return (
    <Note tone="warn" title={t('changed')}>
      <div className="rows tight">
        <FieldDiff fields={theirs} />
        {overlaps.length > 0 && <p>{t('overlaps', { fields: overlaps.join(', ') })}</p>}
        <div>
          <Button onClick={rebase}>{t('rebase')}</Button>
        </div>
      </div>
    </Note>
  )
}
