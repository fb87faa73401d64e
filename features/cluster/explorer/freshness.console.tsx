import { Note, Popover, State, secondsText, type Tone, useText } from '@quarterdeck/ui'
import type { Freshness } from '../object/object.contract.ts'
import { trustIn } from './explore.rules.ts'
import { exploreTexts } from './texts.console.tsx'

const TONES: Record<Freshness['state'], Tone> = { live: 'good', syncing: 'busy', stale: 'warn', unknown: 'mute' }

function StateOf({ state, percent }: { state: Freshness['state']; percent?: number | undefined }) {
  const t = useText(exploreTexts)
  const word = state !== 'syncing' ? t(state) : percent === undefined ? t('syncingPlain') : t('syncing', { percent })
  return <State tone={TONES[state]}>{word}</State>
}

/** How fresh a list is, in a word; each of its clusters on a click. */
export function TrustBadge({ freshness }: { freshness: readonly Freshness[] }) {
  const t = useText(exploreTexts)
  const { state, percent } = trustIn(freshness)
  if (freshness.length === 0) return null
  return (
    <Popover
      kind="plain"
      small
      label={t('trust')}
      text={
        <span data-trust={state}>
          <StateOf state={state} percent={percent} />
        </span>
      }
    >
      {() => (
        <div className="rows tight trust">
          <h2>{t('trust')}</h2>
          <TrustList freshness={freshness} />
        </div>
      )}
    </Popover>
  )
}

/** Each cluster with how fresh it is, and what is the matter where it is not. */
export function TrustList({ freshness }: { freshness: readonly Freshness[] }) {
  const t = useText(exploreTexts)
  return (
    <ul className="plain-list">
      {freshness.map((one) => (
        <li key={one.cluster}>
          <div className="cols apart">
            <strong>{one.cluster}</strong>
            <StateOf state={one.state} percent={one.percent === undefined ? undefined : Math.floor(one.percent)} />
          </div>
          {one.message && <p className="small wrap">{one.message}</p>}
          {one.state !== 'unknown' && (
            <p className="soft small num">
              {t('heard', { seconds: Math.round(one.ageSeconds) })} · {t('revision')} {one.revision}
            </p>
          )}
        </li>
      ))}
    </ul>
  )
}

/** Says which clusters have not been heard of, and since when; their rows stay. */
export function StaleNote({ freshness }: { freshness: readonly Freshness[] }) {
  const t = useText(exploreTexts)
  const { stale } = trustIn(freshness)
  if (stale.length === 0) return null
  const ago = secondsText(Math.max(...stale.map(({ ageSeconds }) => ageSeconds)))
  const clusters = stale.map(({ cluster }) => cluster).join(', ')
  const messages = [...new Set(stale.map(({ message }) => message).filter(Boolean))]
  return (
    <Note tone="warn" title={t('staleNote', { count: stale.length, clusters, ago })}>
      {messages.length > 0 && <p className="small">{messages.join(' ')}</p>}
    </Note>
  )
}
