import { Link, Note, State, useText } from '@quarterdeck/ui'
import type { ReactNode } from 'react'
import type { ObjectDetail, Related } from '../object/object.contract.ts'
import { Status } from './cell.console.tsx'
import { type ObjectRef, objectPath } from './explore.rules.ts'
import { exploreTexts } from './texts.console.tsx'

/** Lines of one relation before the rest is folded away. */
const MOST = 30

/** What the object belongs to and holds, as a tree; then what it names, and what names it. */
export function RelatedTree({ object, detail }: { object: ObjectRef; detail: ObjectDetail }) {
  const t = useText(exploreTexts)
  const of = (relation: Related['relation']) => detail.related.filter((one) => one.relation === relation)
  const owners = of('owner')
  const owned = of('owned')
  const self = (
    <li>
      <span className="walk-head">
        <strong>
          {detail.kind} {object.name}
        </strong>
      </span>
      {owned.length > 0 && (
        <ul>
          <Lines object={object} all={owned} />
        </ul>
      )}
    </li>
  )
  return (
    <div className="rows">
      {detail.relatedMessage && <Note tone="warn">{detail.relatedMessage}</Note>}
      {detail.related.length === 0 && <p className="soft">{t('noRelated')}</p>}
      {(owners.length > 0 || owned.length > 0) && (
        <section className="rows tight">
          <h3>{t('owner')}</h3>
          <ul className="walk flush">{under(object, owners, self)}</ul>
        </section>
      )}
      {(['uses', 'usedBy'] as const).map((relation) => {
        const all = of(relation)
        return (
          all.length > 0 && (
            <section key={relation} className="rows tight">
              <h3>{t(relation)}</h3>
              <ul className="walk flush">
                <Lines object={object} all={all} />
              </ul>
            </section>
          )
        )
      })}
    </div>
  )
}

/** The owners from the farthest down to the object itself. */
function under(object: ObjectRef, owners: readonly Related[], self: ReactNode): ReactNode {
  let tree = self
  for (const owner of owners) {
    tree = (
      <li>
        <Line object={object} one={owner} />
        <ul>{tree}</ul>
      </li>
    )
  }
  return tree
}

function Lines({ object, all }: { object: ObjectRef; all: readonly Related[] }) {
  const t = useText(exploreTexts)
  const line = (one: Related) => (
    <li key={`${one.resource}/${one.namespace}/${one.name}/${one.because}`}>
      <Line object={object} one={one} />
    </li>
  )
  return (
    <>
      {all.slice(0, MOST).map(line)}
      {all.length > MOST && (
        <li>
          <details>
            <summary>{t('further', { count: all.length - MOST })}</summary>
            <ul>{all.slice(MOST).map(line)}</ul>
          </details>
        </li>
      )}
    </>
  )
}

function Line({ object, one }: { object: ObjectRef; one: Related }) {
  const t = useText(exploreTexts)
  const ref = { resource: one.resource, cluster: object.cluster, namespace: one.namespace, name: one.name }
  return (
    <span className="walk-head">
      <span className="soft">{one.kind}</span>
      {one.found ? (
        <Link to={objectPath(ref)}>{one.name}</Link>
      ) : (
        <>
          <span>{one.name}</span>
          <span title={t('missingDetail')}>
            <State tone={one.optional ? 'mute' : 'bad'}>{one.optional ? t('absent') : t('missing')}</State>
          </span>
        </>
      )}
      {one.namespace !== '' && one.namespace !== object.namespace && <span className="soft">{one.namespace}</span>}
      {one.found && one.state !== '' && <Status value={one.state} />}
      <span className="soft small mono wrap">{one.because}</span>
    </span>
  )
}
