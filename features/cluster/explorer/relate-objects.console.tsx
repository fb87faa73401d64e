import { Link, Note, Read, State, useRead, useText } from '@quarterdeck/ui'
import { type KeyboardEvent, useRef } from 'react'
import { listEnvironments } from '../../tenancy/environment/environment.contract.ts'
import { getObjectTree, type TreeLine } from '../object/related.contract.ts'
import { Status } from './cell.console.tsx'
import { listPath, type ObjectRef, objectPath } from './explore.rules.ts'
import { exploreTexts } from './texts.console.tsx'

/** Owners, what the object has made, what it uses and what uses it, each as a tree that the arrow keys walk. */
export function RelatedTree({ object }: { object: ObjectRef }) {
  const t = useText(exploreTexts)
  const { cluster, resource, name, namespace } = object
  const query = namespace === '' ? {} : { namespace }
  const tree = useRead(getObjectTree, { params: { cluster, resource, name }, query }, { everySeconds: 10, keep: true })
  return (
    <Read query={tree} lines={6}>
      {({ belongs, uses, usedBy, message }) => (
        <div className="rows">
          {message !== '' && <Note tone="warn">{message}</Note>}
          {belongs.length <= 1 && uses.length + usedBy.length === 0 && <p className="soft">{t('noRelated')}</p>}
          {belongs.length > 1 && <Branch title={t('owner')} object={object} lines={belongs} />}
          {uses.length > 0 && <Branch title={t('uses')} object={object} lines={uses} />}
          {usedBy.length > 0 && <Branch title={t('usedBy')} object={object} lines={usedBy} />}
        </div>
      )}
    </Read>
  )
}

const keyOf = ({ depth, resource, namespace, name, because, more }: TreeLine) =>
  [depth, resource, namespace, name, because, more?.filter].join('/')

const STEPS: Record<string, (at: number, last: number) => number> = {
  ArrowDown: (at, last) => Math.min(at + 1, last),
  ArrowUp: (at) => Math.max(at - 1, 0),
  Home: () => 0,
  End: (_, last) => last,
}

function Branch({ title, object, lines }: { title: string; object: ObjectRef; lines: readonly TreeLine[] }) {
  const ref = useRef<HTMLDivElement>(null)
  /** From line to line; the links are in the order of the page for the tab key, too. */
  const move = (event: KeyboardEvent) => {
    const step = STEPS[event.key]
    if (!step || event.altKey || event.ctrlKey || event.metaKey) return
    const links = [...(ref.current?.querySelectorAll<HTMLElement>('a') ?? [])]
    const at = links.indexOf(document.activeElement as HTMLElement)
    if (at < 0) return
    event.preventDefault()
    links[step(at, links.length - 1)]?.focus()
  }
  return (
    <section className="rows tight">
      <h3>{title}</h3>
      <div ref={ref} role="tree" aria-label={title} className="tree" onKeyDown={move}>
        {lines.map((line) => (
          <div
            key={keyOf(line)}
            role="treeitem"
            aria-level={line.depth + 1}
            aria-current={line.itself}
            tabIndex={-1}
            style={{ paddingInlineStart: `${line.depth * 20}px` }}
          >
            <Line object={object} line={line} />
          </div>
        ))}
      </div>
    </section>
  )
}

function Line({ object, line }: { object: ObjectRef; line: TreeLine }) {
  const t = useText(exploreTexts)
  const { kind, namespace, ready, revision, state, because, more, resource } = line
  if (more) {
    return (
      <span className="walk-head">
        <span className="soft">{kind}</span>
        <Link to={listPath(resource, { filter: more.filter })}>
          {t('andMore', { count: more.count, formatted: more.count.toLocaleString() })}
        </Link>
      </span>
    )
  }
  return (
    <span className="walk-head">
      <span className="soft">{kind}</span>
      <Name object={object} line={line} />
      {revision !== undefined && <span className="soft">{t('revisionOf', { revision })}</span>}
      {namespace !== '' && namespace !== object.namespace && <span className="soft">{namespace}</span>}
      {line.found && state !== '' && <Status value={state} />}
      {ready !== '' && <span className="num">{ready}</span>}
      {because !== '' && <span className="soft small mono wrap">{because}</span>}
    </span>
  )
}

function Name({ object, line }: { object: ObjectRef; line: TreeLine }) {
  const t = useText(exploreTexts)
  const { resource, namespace, name, found, optional, itself } = line
  if (itself) return <strong>{name}</strong>
  if (line.kind === 'Application' && resource === '') return <Application object={object} name={name} />
  if (found && resource !== '') {
    return <Link to={objectPath({ resource, cluster: object.cluster, namespace, name }, '?tab=related')}>{name}</Link>
  }
  return (
    <>
      <span>{name}</span>
      {!found && (
        <span title={t('missingDetail')}>
          <State tone={optional ? 'mute' : 'bad'}>{optional ? t('absent') : t('missing')}</State>
        </span>
      )}
    </>
  )
}

/** The application's page, where Quarterdeck has its environment. */
function Application({ object: { cluster, namespace }, name }: { object: ObjectRef; name: string }) {
  const { data } = useRead(listEnvironments, {})
  const environment = data?.items.find((one) => one.cluster === cluster && one.namespace === namespace)
  if (!environment) return <span>{name}</span>
  return <Link to={`/environments/${environment.name}/applications/${name}/overview`}>{name}</Link>
}
