import { Age, Button, ButtonLink, Heading, Icon, Menu, State, type Tone, useText } from '@quarterdeck/ui'
import { type ReactNode, useState } from 'react'
import type { Application, ApplicationState, ApplicationSummary } from './application.contract.ts'
import { ActDialog, type ActName } from './change-application.console.tsx'
import { applicationTexts } from './texts.console.tsx'

const TONES: Record<ApplicationState, Tone> = {
  Healthy: 'good',
  Progressing: 'busy',
  Degraded: 'warn',
  Failed: 'bad',
  Stopped: 'mute',
  Unknown: 'mute',
  Deleting: 'busy',
}

/** The one condition of an application, in words. */
export function ApplicationBadge({ state }: { state: ApplicationState }) {
  const t = useText(applicationTexts)
  return (
    <span data-state={state}>
      <State tone={TONES[state]}>{t(state)}</State>
    </span>
  )
}

/** An address: a link when it answers, else text with why it is not one. */
export function AddressLink({ address }: { address: ApplicationSummary['address'] }) {
  const t = useText(applicationTexts)
  if (!address) return <span className="soft">–</span>
  const text = address.url.replace(/^https?:\/\//, '')
  if (address.answers) {
    return (
      <a href={address.url} target="_blank" rel="noreferrer" aria-label={t('open', { url: address.url })}>
        {text} <Icon name="link" />
      </a>
    )
  }
  return (
    <span className="soft" title={address.answers === null ? t('untried') : t('noAnswer')}>
      {text} <span className="small">({address.answers === null ? t('untried') : t('noAnswer')})</span>
    </span>
  )
}

/** The last path member of an image reference: `shop:1.8`. */
export const shortImage = (image: string): string =>
  image
    .split('/')
    .at(-1)
    ?.replace(/@sha256:(.{8}).*/, '@$1…') ?? image

/** The window that undoes an operation; it belongs to the operations, so the console passes it in. */
export type UndoWindow = (
  operation: { id: string; summary: string; application: string },
  close: () => void,
) => ReactNode

/** The header line of an application's page: its condition, the numbers that matter, and its acts. */
export function ApplicationHead({
  application,
  stage,
  undo,
}: {
  application: Application
  stage: string | undefined
  undo: UndoWindow
}) {
  const t = useText(applicationTexts)
  const [act, setAct] = useState<ActName>()
  const [undoing, setUndoing] = useState(false)
  const { name, state, message, readyReplicas, replicas, restarts, lastOperation } = application
  return (
    <>
      <header className="page-head">
        <div className="grow">
          <Heading>{name}</Heading>
          <p className="cols soft">
            <ApplicationBadge state={state} />
            <span className="num">{t('readyOf', { ready: readyReplicas, total: replicas })}</span>
            {restarts > 0 && <span className="num">{t('restartCount', { count: restarts })}</span>}
            <span className="mono wrap" title={application.image}>
              {shortImage(application.image)}
            </span>
            <Age time={application.changeTime} />
            {application.address && <AddressLink address={application.address} />}
          </p>
        </div>
        <Button kind="primary" icon="deploy" onClick={() => setAct('image')}>
          {t('deployNew')}
        </Button>
        <Button icon="scale" onClick={() => setAct('scale')}>
          {t('scale')}
        </Button>
        <Menu
          label={t('more')}
          icon="more"
          items={[
            { label: t('restart'), icon: 'restart', act: () => setAct('restart') },
            { label: t('undoLast'), icon: 'undo', disabled: !lastOperation, act: () => setUndoing(true) },
            { label: t('delete'), icon: 'trash', danger: true, rule: true, act: () => setAct('delete') },
          ]}
        />
      </header>
      {message && state !== 'Healthy' && (
        <p className={`note tone-${TONES[state]}`}>
          <Icon name={state === 'Progressing' ? 'wait' : 'alert'} />
          <span className="message wrap">{message}</span>
        </p>
      )}
      {act && <ActDialog act={act} application={application} stage={stage} close={() => setAct(undefined)} />}
      {undoing &&
        lastOperation &&
        undo({ id: lastOperation, summary: name, application: name }, () => setUndoing(false))}
    </>
  )
}

/** Links of one row of the list. */
export const rowLinks = (application: ApplicationSummary) => {
  const base = `/environments/${application.environment}/applications/${application.name}`
  return { overview: `${base}/overview`, logs: `${base}/logs`, terminal: `${base}/terminal` }
}

/** The acts on a row that are pages of their own. */
export function RowLinks({ application }: { application: ApplicationSummary }) {
  const t = useText(applicationTexts)
  const to = rowLinks(application)
  return (
    <>
      <ButtonLink small kind="plain" icon="logs" to={to.logs}>
        {t('logs')}
      </ButtonLink>
      <ButtonLink small kind="plain" icon="terminal" to={to.terminal}>
        {t('terminal')}
      </ButtonLink>
    </>
  )
}
