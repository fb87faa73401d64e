import { isProblem, notFound } from '@quarterdeck/kernel'
import {
  Age,
  Button,
  Code,
  Empty,
  FieldDiff,
  Link,
  Note,
  Read,
  Section,
  State,
  Table,
  useRead,
  useText,
} from '@quarterdeck/ui'
import { useState } from 'react'
import { versionTexts } from './texts.console.tsx'
import { getVersion, listVersions, type ObjectVersion, type VersionDetail } from './version.contract.ts'

/** Names one object. */
export interface ObjectPlace {
  cluster: string
  resource: string
  namespace: string
  name: string
}

const TONES = { listed: 'mute', added: 'good', changed: 'mute', deleted: 'bad' } as const

/** How a version came about, in a word. */
export function Change({ change }: { change: ObjectVersion['change'] }) {
  const t = useText(versionTexts)
  return <State tone={TONES[change]}>{t(change)}</State>
}

/** Who had it done, with what, and the operation that did it. */
function By({ version: { user, operation, manager } }: { version: ObjectVersion }) {
  const t = useText(versionTexts)
  if (user === undefined) return manager || <span className="soft">{t('nobody')}</span>
  return (
    <span className="cols">
      <strong>{user}</strong>
      {operation === undefined ? (
        <span className="soft">{manager}</span>
      ) : (
        <Link to={`/operations/${operation}`}>{t('operation')}</Link>
      )}
    </span>
  )
}

const PAGE = 50

/** Versions of one object: who changed it and when, and what each of them changed. */
export function VersionsOfObject({ place }: { place: ObjectPlace }) {
  const t = useText(versionTexts)
  const { namespace, ...params } = place
  const [limit, setLimit] = useState(PAGE)
  const [shown, setShown] = useState<number>()
  const versions = useRead(listVersions, { params, query: { namespace, limit } }, { everySeconds: 5, keep: true })
  if (!versions.data && isProblem(versions.error, notFound)) return <Empty title={t('none')}>{t('noneDetail')}</Empty>
  return (
    <Read query={versions}>
      {({ items, continue: more }) => (
        <div className="rows">
          <Table
            label={t('versions')}
            rows={items}
            rowKey={({ number }) => String(number)}
            columns={[
              { title: t('version'), end: true, cell: ({ number }) => number },
              { title: t('change'), nowrap: true, cell: ({ change }) => <Change change={change} /> },
              {
                title: t('by'),
                wide: true,
                cell: (version) => <By version={version} />,
              },
              { title: t('when'), nowrap: true, cell: ({ time }) => <Age time={time} /> },
              {
                title: t('acts'),
                acts: true,
                cell: ({ number }) => (
                  <Button
                    small
                    aria-expanded={shown === number}
                    aria-label={t('showVersion', { number })}
                    onClick={() => setShown(shown === number ? undefined : number)}
                  >
                    {t('show')}
                  </Button>
                ),
              },
            ]}
          />
          {more !== undefined && limit < 500 && (
            <Button onClick={() => setLimit(Math.min(500, limit + 4 * PAGE))}>{t('older')}</Button>
          )}
          {shown !== undefined && <OneVersion place={place} number={shown} newest={items[0]?.number ?? shown} />}
        </div>
      )}
    </Read>
  )
}

function OneVersion({ place, number, newest }: { place: ObjectPlace; number: number; newest: number }) {
  const { namespace, ...params } = place
  const [withNow, setWithNow] = useState(false)
  const against = withNow ? newest : undefined
  const version = useRead(getVersion, { params: { ...params, number: String(number) }, query: { namespace, against } })
  return (
    <Read query={version}>
      {(detail) => <Detail detail={detail} withNow={withNow} setWithNow={number === newest ? undefined : setWithNow} />}
    </Read>
  )
}

/** What one version changed, and its YAML. */
export function Detail({
  detail,
  withNow = false,
  setWithNow,
}: {
  detail: VersionDetail
  withNow?: boolean
  setWithNow?: ((withNow: boolean) => void) | undefined
}) {
  const t = useText(versionTexts)
  const { number, comparedWith, changes, change, yaml } = detail
  return (
    <section className="card" aria-label={t('versionNumber', { number })}>
      <header>
        <h2 className="grow">
          {comparedWith === undefined
            ? t('versionNumber', { number })
            : t('compared', { number, with: withNow ? t('theNewest') : comparedWith })}
        </h2>
        {setWithNow && (
          <Button small onClick={() => setWithNow(!withNow)}>
            {withNow ? t('withBefore') : t('withNewest')}
          </Button>
        )}
      </header>
      <div className="change">
        {comparedWith === undefined && <Note tone="mute">{t('first')}</Note>}
        {comparedWith !== undefined && changes.length === 0 && (
          <p className="soft">{change === 'deleted' ? t('wasDeleted') : t('same')}</p>
        )}
        {comparedWith !== undefined && <FieldDiff fields={changes} />}
        <Section title="YAML">
          <Code text={yaml} label={`YAML, ${t('versionNumber', { number })}`} highlight="yaml" />
        </Section>
      </div>
    </section>
  )
}
