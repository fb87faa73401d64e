import { isProblem, notFound } from '@quarterdeck/kernel'
import {
  Age,
  Button,
  Code,
  Failure,
  Menu,
  Note,
  Read,
  State,
  Table,
  useRead,
  useText,
  useUrlValue,
} from '@quarterdeck/ui'
import { type ReactNode, useState } from 'react'
import { getObject, listObjectEvents, type ObjectDetail, type ObjectKind } from '../object/object.contract.ts'
import { actsOf, EDIT_KEY } from './act-kind.rules.ts'
import { ACT_ICONS, useActs, useKeys } from './act-objects.console.tsx'
import { actTexts } from './act-texts.console.tsx'
import { Status } from './cell.console.tsx'
import { DeleteDialog } from './delete-objects.console.tsx'
import { EditObject, hasDraft } from './edit-object.console.tsx'
import type { ObjectRef } from './explore.rules.ts'
import { ObjectOverview } from './object-overview.console.tsx'
import { PodLinks } from './pod-links.console.tsx'
import { RelatedTree } from './relate-objects.console.tsx'
import { exploreTexts } from './texts.console.tsx'

/** A tab that another feature adds to the details of every object. */
export interface ObjectTab {
  key: string
  title: string
  render: (object: ObjectRef) => ReactNode
}

const OWN = ['overview', 'yaml', 'events', 'related'] as const
const inputOf = ({ cluster, resource, namespace, name }: ObjectRef) => ({
  params: { cluster, resource, name },
  query: namespace === '' ? {} : { namespace },
})

/** Everything about one object, read live from its API server. */
export function ObjectPane({
  object,
  kinds,
  close,
  tabs,
}: {
  object: ObjectRef
  kinds: readonly ObjectKind[]
  close: () => void
  tabs: readonly ObjectTab[]
}) {
  const t = useText(exploreTexts)
  const [asked, setTab] = useUrlValue('tab')
  const titles = [...OWN.map((key) => ({ key: key as string, title: t(key) })), ...tabs]
  const tab = titles.some(({ key }) => key === asked) ? asked : 'overview'
  const query = useRead(getObject, inputOf(object), { everySeconds: 5 })
  const kind = kinds.find(({ resource }) => resource === object.resource)
  const gone = isProblem(query.error, notFound)
  const [editing, setEditing] = useState(() => hasDraft(object))
  const edit = () => {
    setTab('yaml')
    setEditing(true)
  }
  return (
    <section className="pane" aria-label={object.name}>
      <PaneHead object={object} kind={kind} detail={query.data} close={close} edit={edit} />
      <nav className="tabs" aria-label={object.name}>
        {titles.map(({ key, title }) => (
          <button
            key={key}
            type="button"
            aria-current={key === tab ? 'page' : undefined}
            onClick={() => setTab(key === 'overview' ? '' : key)}
          >
            {title}
          </button>
        ))}
      </nav>
      <div className="pane-body">
        {gone && (
          <Note tone="warn" title={t('gone')}>
            {t('goneDetail')}
          </Note>
        )}
        {tab === 'events' ? (
          <ObjectEvents object={object} />
        ) : tab === 'yaml' && editing ? (
          <EditObject object={object} close={() => setEditing(false)} />
        ) : (
          (tabs.find(({ key }) => key === tab)?.render(object) ??
          (gone && !query.data ? null : query.data ? (
            <Body
              tab={tab}
              object={object}
              kind={kind}
              detail={query.data}
              error={gone ? undefined : query.error}
              edit={edit}
            />
          ) : (
            <Read query={query} lines={10}>
              {() => null}
            </Read>
          )))
        )}
      </div>
    </section>
  )
}

function PaneHead({
  object,
  kind,
  detail,
  close,
  edit,
}: {
  object: ObjectRef
  kind: ObjectKind | undefined
  detail: ObjectDetail | undefined
  close: () => void
  edit: () => void
}) {
  const t = useText(exploreTexts)
  const a = useText(actTexts)
  const [deleting, setDeleting] = useState(false)
  const acts = actsOf(object.resource)
  const { choose, dialog } = useActs({
    acts,
    objects: [{ ...object, uid: detail?.row?.uid }],
    done: () => {},
    unlessPicked: true,
  })
  const editable = object.resource !== 'secrets'
  useKeys(editable ? { [EDIT_KEY]: edit } : {})
  const value = (name: string) => detail?.row?.values[detail.columns.indexOf(name)]
  const status = value('status')
  return (
    <header className="pane-head">
      <div className="grow">
        <p className="soft small clip">
          {kind?.kind ?? object.resource} · {object.cluster}
          {object.namespace !== '' && ` / ${object.namespace}`}
        </p>
        <h2 className="wrap">{object.name}</h2>
        <p className="cols">
          {typeof status === 'string' && status !== '' && <Status value={status} />}
          {kind?.resource === 'pods' && <PodLinks object={object} application={String(value('application') ?? '')} />}
        </p>
      </div>
      <Menu
        kind="plain"
        icon="more"
        label={t('moreActs')}
        items={[
          ...(editable ? [{ label: a('edit'), icon: 'changes' as const, act: edit }] : []),
          ...acts.map((act) => ({ label: a(act), icon: ACT_ICONS[act], act: () => choose(act) })),
          { label: t('delete'), icon: 'trash', danger: true, rule: true, act: () => setDeleting(true) },
        ]}
      />
      {dialog}
      {deleting && (
        <DeleteDialog
          objects={[{ ...object, uid: detail?.row?.uid }]}
          close={() => setDeleting(false)}
          done={() => setDeleting(false)}
        />
      )}
      <Button kind="plain" icon="cross" aria-label={t('close')} title={`${t('close')} (Esc)`} onClick={close} />
    </header>
  )
}

function Body({
  tab,
  object,
  kind,
  detail,
  error,
  edit,
}: {
  tab: string
  object: ObjectRef
  kind: ObjectKind | undefined
  detail: ObjectDetail
  error: Error | null | undefined
  edit: () => void
}) {
  const t = useText(exploreTexts)
  const a = useText(actTexts)
  return (
    <>
      {error && <Failure error={error} />}
      {tab === 'yaml' && (
        <div className="rows tight">
          {object.resource === 'secrets' ? (
            <Note tone="mute">{t('secret')}</Note>
          ) : (
            <div>
              <Button
                small
                icon="changes"
                title={`${a('edit')} (${EDIT_KEY})`}
                aria-keyshortcuts={EDIT_KEY}
                onClick={edit}
              >
                {a('edit')}
              </Button>
            </div>
          )}
          <Code text={detail.yaml} label={t('yaml')} highlight="yaml" />
        </div>
      )}
      {tab === 'related' && <RelatedTree object={object} />}
      {tab === 'overview' && <ObjectOverview object={object} kind={kind} detail={detail} />}
    </>
  )
}

/** What the cluster has reported about the object lately. */
function ObjectEvents({ object }: { object: ObjectRef }) {
  const t = useText(exploreTexts)
  const query = useRead(listObjectEvents, inputOf(object), { everySeconds: 3 })
  return (
    <Read query={query}>
      {({ items }) => (
        <Table
          label={t('events')}
          rows={items}
          rowKey={(event) => `${event.reason}/${event.message}/${event.reporter}/${event.lastTime}`}
          empty={<p className="soft">{t('noEvents')}</p>}
          columns={[
            {
              title: t('reason'),
              nowrap: true,
              cell: (event) =>
                event.type === 'Warning' ? <State tone="warn">{event.reason}</State> : <span>{event.reason}</span>,
            },
            {
              title: t('message'),
              wide: true,
              cell: (event) => (
                <span className="small wrap">
                  {event.message} <span className="soft">{event.reporter}</span>
                </span>
              ),
            },
            { title: t('count'), end: true, cell: (event) => event.count },
            { title: t('time'), nowrap: true, cell: (event) => <Age time={event.lastTime} /> },
          ]}
        />
      )}
    </Read>
  )
}
