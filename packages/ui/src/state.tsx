import { serverUnreachable } from '@quarterdeck/client'
import { clusterForbidden, isProblem, Problem, type ProblemBody, permissionMissing, Scope } from '@quarterdeck/kernel'
import type { UseQueryResult } from '@tanstack/react-query'
import { type ReactNode, useEffect, useState, useSyncExternalStore } from 'react'
import { detailOf } from './api.tsx'
import { Button, ButtonLink } from './button.tsx'
import { Note } from './form.tsx'
import { Icon, type IconName } from './icon.tsx'
import { useLanguage, useText } from './text.ts'
import { partTexts } from './texts.ts'

export type Tone = 'good' | 'busy' | 'warn' | 'bad' | 'mute'
const ICONS: Record<Tone, IconName> = { good: 'check', busy: 'busy', warn: 'alert', bad: 'cross', mute: 'stop' }

/** A state: a word with an icon in its colour; never the colour alone. */
export function State({ tone, children, turning }: { tone: Tone; children: ReactNode; turning?: boolean }) {
  return (
    <span className={`state tone-${tone}`}>
      <Icon name={ICONS[tone]} turning={turning ?? tone === 'busy'} />
      {children}
    </span>
  )
}

/** How near to customers an environment is; always visible beside its name. */
export const Stage = ({ stage }: { stage: string }) => (
  <span className={`stage stage-${stage}`} data-stage={stage}>
    {stage.toUpperCase()}
  </span>
)

let now = Date.now()
const tickers = new Set<() => void>()
setInterval(() => {
  if (document.hidden) return
  now = Date.now()
  for (const tick of tickers) tick()
}, 1_000)
const onTick = (tick: () => void) => {
  tickers.add(tick)
  return () => tickers.delete(tick)
}
const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
]
/** Age in the coarsest unit that fits; seconds below a minute in steps of five. */
function ageText(time: string, language: string, justNow: string): string {
  const seconds = Math.max(0, (now - Date.parse(time)) / 1_000)
  if (seconds < 5) return justNow
  const format = new Intl.RelativeTimeFormat(language, { style: 'narrow', numeric: 'always' })
  for (const [unit, size] of STEPS) if (seconds >= size) return format.format(-Math.floor(seconds / size), unit)
  return format.format(-Math.floor(seconds / 5) * 5, 'second')
}

/** How long ago; the instant is its title. */
export function Age({ time }: { time: string | undefined }) {
  const t = useText(partTexts)
  const [language] = useLanguage()
  const text = useSyncExternalStore(onTick, () => (time ? ageText(time, language, t('justNow')) : ''))
  if (!time) return <span className="soft">–</span>
  return (
    <time className="num" dateTime={time} title={new Date(time).toLocaleString(language)}>
      {text}
    </time>
  )
}

/** Seconds between two instants, or until now, as 1 m 20 s. */
export function Elapsed({ from, to }: { from: string | undefined; to?: string | undefined }) {
  const seconds = useSyncExternalStore(onTick, () =>
    from ? Math.max(0, Math.round(((to ? Date.parse(to) : now) - Date.parse(from)) / 1_000)) : -1,
  )
  return <span className="num">{seconds < 0 ? '–' : secondsText(seconds)}</span>
}
/** 80 → 1 m 20 s. */
export const secondsText = (seconds: number): string =>
  seconds < 60 ? `${Math.round(seconds)} s` : `${Math.floor(seconds / 60)} m ${Math.round(seconds % 60)} s`

/** Grey bars, only once waiting has become noticeable: after 200 ms. */
export function Skeleton({ lines = 5 }: { lines?: number }) {
  const t = useText(partTexts)
  const [shown, setShown] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setShown(true), 200)
    return () => clearTimeout(timer)
  }, [])
  if (!shown) return null
  return (
    <div className="skeleton" role="status" aria-label={t('loading')}>
      {Array.from({ length: lines }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they are all alike
        <i key={index} style={{ width: `${92 - ((index * 37) % 45)}%` }} />
      ))}
    </div>
  )
}

/** Nothing there: one sentence, and the act that comes next. */
export const Empty = ({ title, children, act }: { title: string; children?: ReactNode; act?: ReactNode }) => (
  <div className="empty">
    <h2>{title}</h2>
    {children && <p className="soft">{children}</p>}
    {act}
  </div>
)

/** A failure: what, why, and the next act; a missing permission is named with who can grant it. */
export function Failure({ error, retry }: { error: unknown; retry?: () => void }) {
  const t = useText(partTexts)
  if (isProblem(error, permissionMissing) || isProblem(error, clusterForbidden)) {
    return (
      <div className="empty" role="alert">
        <h2>{t('forbidden')}</h2>
        <p className="soft">{error.body.detail ?? t('forbiddenDetail', { permission: error.body.permission ?? '' })}</p>
        {isProblem(error, permissionMissing) && <RequestAccess body={error.body} />}
      </div>
    )
  }
  const title = error instanceof Problem ? error.body.title : t('failed')
  const errors = (error instanceof Problem ? (error.body.errors ?? []) : []).filter(
    (one) => one.detail !== detailOf(error),
  )
  return (
    <div className="rows tight">
      <Note tone="bad" title={title}>
        <p>{detailOf(error)}</p>
        {errors.map((one) => (
          <p key={one.pointer + one.detail} className="small">
            <code>{one.pointer}</code> {one.detail}
          </p>
        ))}
      </Note>
      {retry && (
        <div>
          <Button onClick={retry}>{t('retry')}</Button>
        </div>
      )}
    </div>
  )
}

/** Leads to a request for the permission that is missing, filled in. Requests are the page's matter. */
function RequestAccess({ body }: { body: ProblemBody }) {
  const t = useText(partTexts)
  const scope = Scope.safeParse(body.scope)
  if (body.permission === undefined || !scope.success) return null
  const [place = 'platform'] = Object.entries(scope.data).map(([kind, name]) => `${kind}:${name}`)
  const query = new URLSearchParams({ ask: body.permission, at: place })
  return <ButtonLink to={`/requests?${query}`}>{t('requestAccess')}</ButtonLink>
}

/**
 * Loading, failed, forbidden, or what was read. An answer that is already there stays while a new one fails; that the
 * whole server does not answer is told once, by the frame.
 */
export function Read<T>({
  query,
  children,
  lines,
}: {
  query: UseQueryResult<T, Error>
  children: (value: T) => ReactNode
  lines?: number
}) {
  if (query.data !== undefined) {
    return (
      <>
        {query.error && !isProblem(query.error, serverUnreachable) && (
          <Failure error={query.error} retry={() => void query.refetch()} />
        )}
        {children(query.data)}
      </>
    )
  }
  if (query.error) {
    return (
      <div className="pad">
        <Failure error={query.error} retry={() => void query.refetch()} />
      </div>
    )
  }
  return <Skeleton {...(lines ? { lines } : {})} />
}
