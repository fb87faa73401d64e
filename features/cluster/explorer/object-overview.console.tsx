import { Age, Link, Note, State, Table, useText } from '@quarterdeck/ui'
import type { ObjectDetail, ObjectKind } from '../object/object.contract.ts'
import { cellOf } from './cell.console.tsx'
import { useColumnTitle } from './column-title.console.tsx'
import { conditionsOf, whyNotRunning } from './condition.rules.ts'
import { listPath, type ObjectRef, objectPath } from './explore.rules.ts'
import { exploreTexts } from './texts.console.tsx'

/** Shown elsewhere in the details. */
const ELSEWHERE = ['name', 'namespace', 'labels', 'annotations', 'status', 'phase', 'cluster', 'generation']

/** What an object's row says, its conditions, labels, and who changed it. */
export function ObjectOverview({
  object,
  kind,
  detail,
}: {
  object: ObjectRef
  kind: ObjectKind | undefined
  detail: ObjectDetail
}) {
  const t = useText(exploreTexts)
  const why = object.resource === 'pods' ? whyNotRunning(detail.object) : []
  return (
    <div className="rows">
      {why.length > 0 && (
        <Note tone="warn" title={t('pending')}>
          {why.map(({ what, why: message }) => (
            <p key={`${what}/${message}`} className="wrap">
              <strong>{what}</strong> {message}
            </p>
          ))}
        </Note>
      )}
      <Facts object={object} kind={kind} detail={detail} />
      <Conditions detail={detail} />
      <Marks title={t('labels')} object={object} marks={marksOf(detail, 'labels')} linked />
      <Marks title={t('annotations')} object={object} marks={marksOf(detail, 'annotations')} />
      <Managers managers={detail.managers} />
    </div>
  )
}

function Facts({ object, kind, detail }: { object: ObjectRef; kind: ObjectKind | undefined; detail: ObjectDetail }) {
  const t = useText(exploreTexts)
  const owner = detail.related.find(({ relation, found }) => relation === 'owner' && found)
  const ownerPath = owner && objectPath({ ...owner, cluster: object.cluster })
  const titleOf = useColumnTitle()
  const facts = (kind?.columns ?? []).flatMap((column) => {
    const value = detail.row?.values[detail.columns.indexOf(column.name)]
    const empty = value === undefined || value === null || (Array.isArray(value) && value.length === 0)
    return ELSEWHERE.includes(column.name) || empty ? [] : [{ column, value }]
  })
  return (
    <dl className="facts">
      {object.namespace !== '' && (
        <div className="fact">
          <dt>{t('namespace')}</dt>
          <dd>
            <Link to={objectPath({ ...object, resource: 'namespaces', namespace: '', name: object.namespace })}>
              {object.namespace}
            </Link>
          </dd>
        </div>
      )}
      {facts.map(({ column, value }) => (
        <div className="fact" key={column.name}>
          <dt>{titleOf(column)}</dt>
          <dd>
            {column.name === 'owner' && ownerPath ? (
              <Link to={ownerPath}>{String(value)}</Link>
            ) : column.name === 'node' ? (
              <Link to={objectPath({ ...object, resource: 'nodes', namespace: '', name: String(value) })}>
                {String(value)}
              </Link>
            ) : column.type === 'time' ? (
              <Age time={new Date(Number(value) * 1_000).toISOString()} />
            ) : Array.isArray(value) ? (
              value.map((one) => (
                <div key={one} className="mono wrap">
                  {one}
                </div>
              ))
            ) : (
              cellOf(column, value)
            )}
          </dd>
        </div>
      ))}
    </dl>
  )
}

function Conditions({ detail }: { detail: ObjectDetail }) {
  const t = useText(exploreTexts)
  const conditions = conditionsOf(detail.object)
  if (conditions.length === 0) return null
  return (
    <section className="rows tight">
      <h3>{t('conditions')}</h3>
      <ul className="plain-list flush">
        {conditions.map((condition) => (
          <li key={condition.type}>
            <div className="cols apart">
              <State tone={condition.tone}>
                {condition.type}: {condition.status}
              </State>
              <span className="soft small">
                <Age time={condition.time} />
              </span>
            </div>
            {(condition.reason || condition.message) && (
              <p className="soft small wrap">{[condition.reason, condition.message].filter(Boolean).join(': ')}</p>
            )}
          </li>
        ))}
      </ul>
    </section>
  )
}

function marksOf(detail: ObjectDetail, member: 'labels' | 'annotations'): [string, string][] {
  const metadata = (detail.object as { metadata?: Record<string, Record<string, string> | undefined> }).metadata
  return Object.entries(metadata?.[member] ?? {})
}

/** Labels or annotations; a label leads to everything that has it as well. */
function Marks({
  title,
  object,
  marks,
  linked,
}: {
  title: string
  object: ObjectRef
  marks: [string, string][]
  linked?: boolean
}) {
  if (marks.length === 0) return null
  return (
    <section className="rows tight">
      <h3>{title}</h3>
      <ul className="marks mono small">
        {marks.map(([key, value]) => (
          <li key={key} className="wrap">
            <span className="soft">{key}</span>
            {' = '}
            {linked ? (
              <Link to={listPath(object.resource, { filter: `label:${key}${value === '' ? '' : `=${value}`}` })}>
                {value === '' ? '""' : value}
              </Link>
            ) : (
              <span>{value}</span>
            )}
          </li>
        ))}
      </ul>
    </section>
  )
}

function Managers({ managers }: { managers: ObjectDetail['managers'] }) {
  const t = useText(exploreTexts)
  return (
    <section className="rows tight">
      <h3>{t('managers')}</h3>
      <Table
        label={t('managers')}
        rows={managers}
        rowKey={(one) => `${one.manager}/${one.operation}/${one.subresource}/${one.time}`}
        empty={<p className="soft">{t('noManagers')}</p>}
        columns={[
          { title: t('manager'), cell: (one) => <span className="mono wrap">{one.manager}</span> },
          {
            title: t('operation'),
            cell: (one) => (one.subresource ? `${one.operation} ${one.subresource}` : one.operation),
          },
          { title: t('fields'), end: true, cell: (one) => one.fields },
          { title: t('time'), nowrap: true, cell: (one) => <Age time={one.time} /> },
        ]}
      />
    </section>
  )
}
