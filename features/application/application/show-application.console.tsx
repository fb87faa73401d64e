import {
  Age,
  ChangeDialog,
  Check,
  EventTable,
  Facts,
  Link,
  Read,
  Section,
  State,
  type Tone,
  useGo,
  useRead,
  useText,
  useUrlValue,
} from '@quarterdeck/ui'
import { type ReactNode, useState } from 'react'
import { AddressLink, shortImage } from './application.console.tsx'
import {
  type Application,
  type ApplicationSpec,
  getApplicationYaml,
  type Probe,
  restartPod,
} from './application.contract.ts'
import { ContainerTable } from './list-containers.console.tsx'
import { applicationTexts } from './texts.console.tsx'

type ReplicaSet = Application['replicaSets'][number]
type Pod = ReplicaSet['pods'][number]
type Container = Pod['containers'][number]

/** The walk from the Deployment to its containers, with addresses, conditions and events. */
export function OverviewTab({ application }: { application: Application }) {
  const t = useText(applicationTexts)
  const alive = application.replicaSets.filter((set) => set.current || set.pods.length > 0)
  const older = application.replicaSets.length - alive.length
  return (
    <div className="two">
      <div className="rows">
        <section className="card" aria-label={t('walk')}>
          <header>
            <h2>
              Deployment <span className="mono">{application.name}</span>
            </h2>
            <span className="soft num">
              {t('readyOf', { ready: application.readyReplicas, total: application.replicas })}
            </span>
          </header>
          <ul className="walk">
            {alive.map((set) => (
              <ReplicaSetNode key={set.name} set={set} application={application} />
            ))}
          </ul>
          {older > 0 && <p className="soft small pad">{t('older', { count: older })}</p>}
        </section>
        <ContainerTable application={application} />
        <Events application={application} />
      </div>
      <div className="rows">
        <section className="card">
          <header>
            <h2>{t('addresses')}</h2>
          </header>
          <ul className="plain-list">
            {application.addresses.map((address) => (
              <li key={address.url} className="wrap">
                <AddressLink address={address} />
              </li>
            ))}
            {application.addresses.length === 0 && <li className="soft">{t('noAddress')}</li>}
          </ul>
        </section>
        <Settings spec={application.spec} />
        <section className="card">
          <header>
            <h2>{t('conditions')}</h2>
          </header>
          <ul className="plain-list">
            {application.conditions.map((condition) => (
              <li key={condition.type}>
                <div className="cols apart">
                  <State tone={conditionTone(condition)}>{condition.type}</State>
                  <span className="soft small">
                    <Age time={condition.lastTransitionTime} />
                  </span>
                </div>
                {condition.message && <p className="soft small wrap">{condition.message}</p>}
              </li>
            ))}
          </ul>
        </section>
      </div>
    </div>
  )
}

const conditionTone = ({ type, status }: { type: string; status: string }): Tone =>
  status === 'Unknown' ? 'mute' : (status === 'True') === !/Failure|Pressure|Unavailable/.test(type) ? 'good' : 'bad'

function ReplicaSetNode({ set, application }: { set: ReplicaSet; application: Application }) {
  const t = useText(applicationTexts)
  return (
    <li>
      <div className="walk-head">
        <span>
          ReplicaSet <span className="mono">{set.name}</span>
        </span>
        <span className="soft">{t('revision', { revision: set.revision })}</span>
        {set.current && <span className="tag">{t('current')}</span>}
        <span className="mono soft" title={set.image}>
          {shortImage(set.image)}
        </span>
        <span className="soft num">{t('readyOf', { ready: set.readyReplicas, total: set.replicas })}</span>
      </div>
      <ul>
        {set.pods.map((pod) => (
          <PodNode key={pod.name} pod={pod} application={application} />
        ))}
        {set.pods.length === 0 && <li className="soft small">{t('noPods')}</li>}
      </ul>
    </li>
  )
}

const podTone = (pod: Pod): Tone =>
  pod.deleting ? 'mute' : pod.ready ? 'good' : pod.phase === 'Failed' ? 'bad' : pod.message ? 'warn' : 'busy'

function PodNode({ pod, application }: { pod: Pod; application: Application }) {
  const t = useText(applicationTexts)
  const go = useGo()
  const [restarting, setRestarting] = useState(false)
  const base = `/environments/${application.environment}/applications/${application.name}`
  return (
    <li data-pod={pod.name}>
      <div className="walk-head">
        <State tone={podTone(pod)}>{pod.deleting ? t('deletingPod') : pod.phase}</State>
        <span>
          Pod <span className="mono">{pod.name}</span>
        </span>
        {pod.node && <span className="soft">{t('node', { node: pod.node })}</span>}
        {pod.address && <span className="soft mono">{pod.address}</span>}
        <span className="soft">
          <Age time={pod.startTime} />
        </span>
        <span className="walk-acts">
          <button
            type="button"
            className="as-link"
            aria-label={`${t('restartPod')}: ${pod.name}`}
            onClick={() => setRestarting(true)}
          >
            {t('restart')}
          </button>
          <Link to={`${base}/logs?pod=${pod.name}`}>{t('logs')}</Link>
          <Link to={`${base}/terminal?pod=${pod.name}`}>{t('terminal')}</Link>
        </span>
      </div>
      {restarting && (
        <ChangeDialog
          title={`${t('restartPod')}: ${pod.name}`}
          act={{
            endpoint: restartPod,
            // The application is for the command; the endpoint needs the pod alone.
            params: { environment: application.environment, pod: pod.name, application: application.name },
            label: t('restart'),
          }}
          onCancel={() => setRestarting(false)}
          onAccepted={({ id }) => go(`/operations/${id}`)}
        />
      )}
      {pod.message && <p className="small wrap walk-message">{pod.message}</p>}
      <ul>
        {pod.containers.map((container) => (
          <ContainerNode key={container.name} container={container} />
        ))}
      </ul>
    </li>
  )
}

function ContainerNode({ container }: { container: Container }) {
  const t = useText(applicationTexts)
  const bad = /Error|BackOff|OOM|Crash|Err|Invalid/.test(container.state)
  return (
    <li>
      <div className="walk-head">
        <State tone={container.ready ? 'good' : bad ? 'bad' : 'busy'}>{container.state}</State>
        <span>
          {container.kind === 'main' ? 'container' : `${container.kind} container`}{' '}
          <span className="mono">{container.name}</span>
        </span>
        <span className="mono soft" title={container.image}>
          {shortImage(container.image)}
        </span>
        {container.restarts > 0 && (
          <span className="tone-warn num">{t('restartCount', { count: container.restarts })}</span>
        )}
      </div>
      {container.message && <p className="small wrap walk-message">{container.message}</p>}
    </li>
  )
}

function probeText(probe: Probe | null | undefined): string | undefined {
  if (!probe) return undefined
  const what = {
    http: `GET ${probe.path ?? '/'} :${probe.port ?? ''}`,
    tcp: `TCP :${probe.port ?? ''}`,
    exec: (probe.command ?? []).join(' '),
  }
  return `${what[probe.kind]} · ${probe.periodSeconds} s`
}

function Settings({ spec }: { spec: ApplicationSpec }) {
  const t = useText(applicationTexts)
  const amount = (request: string | undefined, limit: string | undefined) =>
    request || limit ? t('requestLimit', { request: request ?? '–', limit: limit ?? '–' }) : t('none2')
  const rows: [string, string][] = [
    [t('image'), spec.image],
    [
      t('ports'),
      (spec.ports ?? []).map((port) => `${port.name} ${port.containerPort}/${port.protocol}`).join(', ') || t('none2'),
    ],
    [t('cpu'), amount(spec.cpuRequest, spec.cpuLimit)],
    [t('memory'), amount(spec.memoryRequest, spec.memoryLimit)],
    [t('readiness'), probeText(spec.readinessProbe) ?? t('none2')],
    [t('liveness'), probeText(spec.livenessProbe) ?? t('none2')],
    [t('command'), [...(spec.command ?? []), ...(spec.args ?? [])].join(' ') || t('asImage')],
  ]
  return (
    <section className="card">
      <header>
        <h2>{t('settings')}</h2>
      </header>
      <div className="body">
        <Facts rows={rows} />
        <Section title={t('variables')} count={String(spec.variables.length)}>
          <ul className="mono small">
            {spec.variables.map((variable) => (
              <li key={variable.name} className="wrap">
                {variable.name}={variable.value}
              </li>
            ))}
          </ul>
        </Section>
      </div>
    </section>
  )
}

function Events({ application }: { application: Application }) {
  const t = useText(applicationTexts)
  return (
    <section className="card">
      <header>
        <h2>{t('events')}</h2>
      </header>
      <EventTable label={t('events')} events={application.events} />
    </section>
  )
}

/** The objects of an application as the cluster holds them. */
export function YamlTab({
  environment,
  application,
  show,
}: {
  environment: string
  application: string
  /** Shows the text and the way to change it; it belongs to the manifests, so the console passes it in. */
  show: (yaml: string) => ReactNode
}) {
  const t = useText(applicationTexts)
  const [managed, setManaged] = useUrlValue('managed')
  const query = useRead(
    getApplicationYaml,
    { params: { environment, application }, query: { managed: managed === 'true' } },
    { keep: true },
  )
  return (
    <div className="rows">
      <Check checked={managed === 'true'} onChange={(on) => setManaged(on ? 'true' : '')}>
        {t('managed')}
      </Check>
      <Read query={query}>{({ yaml }) => show(yaml)}</Read>
    </div>
  )
}
