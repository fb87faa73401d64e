import {
  Age,
  Button,
  call,
  Failure,
  FilterBox,
  Heading,
  Note,
  Skeleton,
  Split,
  useGo,
  useRead,
  useSearch,
  useText,
} from '@quarterdeck/ui'
import { useEffect, useMemo, useState } from 'react'
import { completeFilter, type Freshness, listKinds, type ObjectKind } from '../object/object.contract.ts'
import { Facets } from './count-objects.console.tsx'
import {
  allColumns,
  CLUSTER,
  countedFields,
  type ExploreView,
  listPath,
  type ObjectRef,
  objectPath,
  ownSort,
  shownColumns,
  sortText,
  viewOf,
  viewSearch,
  wholeOfReady,
} from './explore.rules.ts'
import { StaleNote, TrustBadge, TrustList } from './freshness.console.tsx'
import { KeysHelp } from './keys-help.console.tsx'
import { ColumnPicker, ObjectList } from './list-objects.console.tsx'
import { type LiveObjects, useLiveObjects } from './live-objects.console.tsx'
import { KindPicker } from './pick-kind.console.tsx'
import { ObjectPane, type ObjectTab } from './show-object.console.tsx'
import { exploreTexts } from './texts.console.tsx'

interface ExploreProps {
  /** As it stands in the address: a resource, or a kind or short name that somebody has typed. */
  resource: string
  /** The object whose details are shown beside the list. */
  opened: ObjectRef | undefined
  tabs?: readonly ObjectTab[]
}

/** Every kind of every cluster: the list of one kind, live, and the details of one object beside it. */
export function ExplorePage({ resource, opened, tabs }: ExploreProps) {
  const [few, setFew] = useState(true)
  const kinds = useRead(listKinds, {}, { everySeconds: few ? 1 : 10, keep: true })
  const go = useGo()
  const search = useSearch()
  const items = kinds.data?.items
  const kind = items && kindNamed(items, resource)
  // Until the clusters have been read, kinds come by the second.
  useEffect(() => setFew(kind === undefined), [kind])
  // Somebody has typed `po` or `Deployment` into the address.
  useEffect(() => {
    if (kind && kind.resource !== resource) go(listPath(kind.resource, viewOf(search)), { replace: true })
  })
  if (!items) {
    return (
      <div className="page">
        <Heading>{resource}</Heading>
        {kinds.error ? <Failure error={kinds.error} retry={() => void kinds.refetch()} /> : <Skeleton lines={12} />}
      </div>
    )
  }
  if (!kind) return <UnknownKind resource={resource} kinds={items} clusters={kinds.data?.clusters ?? []} />
  return <Explore key={kind.resource} kind={kind} kinds={items} opened={opened} tabs={tabs ?? []} />
}

/** As the server takes it: resource, plural, kind or short name, without regard to case. */
function kindNamed(kinds: readonly ObjectKind[], name: string): ObjectKind | undefined {
  const word = name.toLowerCase()
  return (
    kinds.find((kind) => kind.resource === word) ??
    kinds.find((kind) => kind.plural === word || kind.kind.toLowerCase() === word) ??
    kinds.find((kind) => kind.shortNames.includes(word))
  )
}

function UnknownKind({
  resource,
  kinds,
  clusters,
}: {
  resource: string
  kinds: readonly ObjectKind[]
  clusters: readonly Freshness[]
}) {
  const t = useText(exploreTexts)
  return (
    <div className="page">
      <Heading>{resource}</Heading>
      <p className="soft">{kinds.length === 0 ? t('noKinds') : t('notServed', { resource })}</p>
      {kinds.length > 0 && (
        <div>
          <KindPicker kinds={kinds} current={undefined} />
        </div>
      )}
      <section className="card">
        <header>
          <h2>{t('trust')}</h2>
        </header>
        <TrustList freshness={clusters} />
      </section>
    </div>
  )
}

function Explore({
  kind,
  kinds,
  opened,
  tabs,
}: {
  kind: ObjectKind
  kinds: readonly ObjectKind[]
  opened: ObjectRef | undefined
  tabs: readonly ObjectTab[]
}) {
  const t = useText(exploreTexts)
  const { view, search, change } = useView(kind, opened)
  const [faceted, setFaceted] = useFaceted()
  const all = allColumns(kind, kind.clusters.length)
  const shown = shownColumns(all, view.columns, kind.resource)
  const live = useLiveObjects(
    useLiveQuery(
      kind,
      view,
      shown.map(({ name }) => name),
    ),
  )
  const page = live.view.page
  const fields = countedFields(kind, kind.clusters.length).flatMap((name) =>
    [...kind.columns, CLUSTER].filter((column) => column.name === name),
  )
  const close = useClose(kind, viewSearch({ ...view, tab: '' }), opened)
  return (
    <div className="explore">
      <header className="explore-head">
        <Heading className="hidden">{kind.kind}</Heading>
        <KindPicker kinds={kinds} current={kind} />
        <p className="soft num" role="status">
          {page && t('total', { count: page.total, formatted: page.total.toLocaleString('en') })}
        </p>
        {page && <TrustBadge freshness={page.freshness} />}
        <span className="grow" />
        <Button
          icon="facets"
          aria-pressed={faceted}
          aria-label={t('showFacets')}
          title={t('showFacets')}
          onClick={() => setFaceted(!faceted)}
        />
        <ColumnPicker all={all} shown={shown} onChange={(columns) => change({ columns })} />
        <KeysHelp />
      </header>
      <FilterBox
        label={t('filter')}
        placeholder={t('filterHint')}
        value={view.filter}
        onChange={(filter) => change({ filter })}
        suggest={async (text, cursor, signal) =>
          (await call(completeFilter, { params: { resource: kind.resource }, query: { text, cursor } }, { signal }))
            .items
        }
        error={live.view.refused}
      />
      {page && <StaleNote freshness={page.freshness} />}
      <Connection live={live} />
      <Split
        name="explore"
        side={opened && <ObjectPane key={objectPath(opened)} object={opened} kinds={kinds} close={close} tabs={tabs} />}
      >
        <div className={faceted ? 'explore-body faceted' : 'explore-body'}>
          {faceted && (
            <Facets
              resource={kind.resource}
              fields={fields}
              filter={view.filter}
              onFilter={(filter) => change({ filter })}
            />
          )}
          <ObjectList
            kind={kind}
            view={view.sort.length > 0 ? view : { ...view, sort: ownSort(kind.resource) }}
            search={search}
            shown={shown}
            live={live}
            opened={opened}
            onSort={(sort) => change({ sort })}
            onClear={() => change({ filter: '' })}
          />
        </div>
      </Split>
    </div>
  )
}

/** What is looked at stands in the address; every change of it is a step that the browser's back button takes back. */
function useView(kind: ObjectKind, opened: ObjectRef | undefined) {
  const go = useGo()
  const view = viewOf(useSearch())
  const search = viewSearch(view)
  return {
    view,
    search,
    change: (part: Partial<ExploreView>) => {
      const next = viewSearch({ ...view, ...part })
      if (next !== search) go(opened ? objectPath(opened, next) : `${listPath(kind.resource)}${next}`)
    },
  }
}

/** The live list that an address shows; the same object as long as it is the same list. */
function useLiveQuery(kind: ObjectKind, { filter, sort: asked }: ExploreView, shown: readonly string[]) {
  const sort = asked.length > 0 ? asked : ownSort(kind.resource)
  const needed = ['name', ...(kind.namespaced ? ['namespace'] : [])]
  const whole = shown.includes('ready') ? [wholeOfReady(kind.columns.map(({ name }) => name))] : []
  const others = [...shown, ...whole].filter((name) => name !== 'cluster' && name !== '')
  const columns = [...new Set([...needed, ...others])]
  const key = JSON.stringify([kind.resource, filter, sort, columns])
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key holds all of it
  return useMemo(
    () => ({
      resource: kind.resource,
      filter: filter === '' ? undefined : filter,
      sort: sort.length === 0 ? undefined : sortText(sort),
      columns,
    }),
    [key],
  )
}

/** Closes the details; Escape does it too, unless something else takes it. */
function useClose(kind: ObjectKind, search: string, opened: ObjectRef | undefined) {
  const go = useGo()
  const close = () => go(`${listPath(kind.resource)}${search}`)
  useEffect(() => {
    if (!opened) return
    const press = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' || event.defaultPrevented) return
      if (document.querySelector('dialog[open], :popover-open')) return
      close()
    }
    document.addEventListener('keydown', press)
    return () => document.removeEventListener('keydown', press)
  })
  return close
}

const FACETED = 'quarterdeck.facets'
/** Whether values are counted beside the list: on wide windows until the person says otherwise. */
function useFaceted(): [boolean, (on: boolean) => void] {
  const [on, setOn] = useState(() => (localStorage.getItem(FACETED) ?? String(innerWidth > 1_180)) === 'true')
  return [
    on,
    (next) => {
      localStorage.setItem(FACETED, String(next))
      setOn(next)
    },
  ]
}

/** Says that what is shown is no longer live, and since when. */
function Connection({ live: { view } }: { live: LiveObjects }) {
  const t = useText(exploreTexts)
  if (view.state !== 'lost') return null
  return (
    <Note tone="warn">
      {t('lost')} {view.frameTime > 0 && <Age time={new Date(view.frameTime).toISOString()} />}
    </Note>
  )
}
