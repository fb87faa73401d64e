import { Age, FilterLine, Link, matches, NoMatch, State, Table, useText, useUrlValue } from '@quarterdeck/ui'
import { shortImage } from './application.console.tsx'
import type { Application } from './application.contract.ts'
import { applicationTexts } from './texts.console.tsx'

/** All containers of an application in one table that can be filtered: image, pod, node, state, restarts. */
export function ContainerTable({ application }: { application: Application }) {
  const t = useText(applicationTexts)
  const [filter, setFilter] = useUrlValue('containers')
  const base = `/environments/${application.environment}/applications/${application.name}`
  const rows = application.replicaSets
    .flatMap((set) => set.pods)
    .flatMap((pod) => pod.containers.map((container) => ({ pod, container })))
  const shown = rows.filter(({ pod, container }) =>
    matches(filter, {
      name: container.name,
      image: container.image,
      pod: pod.name,
      node: pod.node,
      state: container.state,
    }),
  )
  return (
    <section className="card">
      <header>
        <h2>{t('containers')}</h2>
        <FilterLine value={filter} onChange={setFilter} placeholder={t('containerFilter')} />
      </header>
      <Table
        label={t('containers')}
        rows={shown}
        rowKey={({ pod, container }) => `${pod.name}/${container.name}`}
        empty={rows.length === 0 ? <p className="soft pad">{t('noPods')}</p> : <NoMatch clear={() => setFilter('')} />}
        columns={[
          { title: t('container'), cell: ({ container }) => container.name },
          {
            title: t('image'),
            cell: ({ container }) => (
              <span className="mono" title={container.image}>
                {shortImage(container.image)}
              </span>
            ),
          },
          {
            title: t('state'),
            cell: ({ container }) => <State tone={container.ready ? 'good' : 'warn'}>{container.state}</State>,
          },
          { title: t('pod'), cell: ({ pod }) => <Link to={`${base}/logs?pod=${pod.name}`}>{pod.name}</Link> },
          { title: t('host'), nowrap: true, cell: ({ pod }) => pod.node ?? '–' },
          { title: t('restarts'), end: true, cell: ({ container }) => container.restarts },
          { title: t('started'), nowrap: true, cell: ({ container }) => <Age time={container.startTime} /> },
        ]}
      />
    </section>
  )
}
