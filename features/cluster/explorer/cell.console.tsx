import { formatBytes, formatCores } from '@quarterdeck/kernel'
import { Link, type ListRow, State, type Tone, useLanguage } from '@quarterdeck/ui'
import type { ReactNode } from 'react'
import { useSyncExternalStore } from 'react'
import type { ObjectColumn } from '../object/object.contract.ts'

const GOOD =
  /^(running|ready|active|bound|available|healthy|complete|completed|succeeded|normal|established|true|approved|accepted|programmed)$/i
const BUSY =
  /^(pending|progressing|containercreating|podinitializing|creating|terminating|init:|scaling|updating|waiting)/i
const BAD =
  /(fail|err|crash|backoff|invalid|unknown|lost|notready|not ready|evicted|oomkilled|unschedulable|unhealthy|denied|degraded|stalled|released|unavailable|exceeded|notaccepted)/i

/** How a word of a status is meant. */
export function toneOf(status: string): Tone {
  if (/^ready,/i.test(status)) return 'warn'
  if (BAD.test(status)) return 'bad'
  if (GOOD.test(status)) return 'good'
  if (BUSY.test(status)) return 'busy'
  if (/^(warning|schedulingdisabled|paused|suspended)/i.test(status)) return 'warn'
  return 'mute'
}

/** A status as a word with its icon. */
export const Status = ({ value }: { value: string }) => (
  <State tone={toneOf(value)} turning={false}>
    {value}
  </State>
)

let now = Math.floor(Date.now() / 1_000)
const tickers = new Set<() => void>()
setInterval(() => {
  if (document.hidden) return
  now = Math.floor(Date.now() / 1_000)
  for (const tick of tickers) tick()
}, 1_000)
const onTick = (tick: () => void) => {
  tickers.add(tick)
  return () => tickers.delete(tick)
}
/** 45 s, 12 m, 3 h, 8 d: what fits a narrow column, in both languages alike. */
function shortAge(seconds: number): string {
  const age = Math.max(0, now - seconds)
  if (age < 60) return `${age < 10 ? age : Math.floor(age / 5) * 5} s`
  if (age < 3_600) return `${Math.floor(age / 60)} m`
  if (age < 172_800) return `${Math.floor(age / 3_600)} h`
  return `${Math.floor(age / 86_400)} d`
}

/** How long ago; the instant stands in its title as soon as the pointer is on it. */
export function ShortAge({ seconds }: { seconds: number }) {
  const [language] = useLanguage()
  const text = useSyncExternalStore(onTick, () => shortAge(seconds))
  return (
    <time
      className="num"
      onPointerEnter={(event) => {
        event.currentTarget.title = new Date(seconds * 1_000).toLocaleString(language)
      }}
    >
      {text}
    </time>
  )
}

type Value = ListRow['values'][number]

/** One value as it is shown in a table. */
export function cellOf(column: ObjectColumn, value: Value): ReactNode {
  if (value === null || value === undefined) return <span className="soft">–</span>
  if (Array.isArray(value)) {
    const text = value.join(', ')
    return <span title={text}>{text}</span>
  }
  if (typeof value === 'number') {
    if (column.type === 'time') return <ShortAge seconds={value} />
    return numberText(value, column.unit)
  }
  if (column.name === 'status' || column.name === 'phase') {
    return value.length > 14 ? (
      <span title={value}>
        <Status value={value} />
      </span>
    ) : (
      <Status value={value} />
    )
  }
  if (column.type === 'text' && column.name === 'type' && value === 'Warning') return <State tone="warn">{value}</State>
  return value.length > 24 ? <span title={value}>{value}</span> : value
}

/** A number in its unit. */
export function numberText(value: number, unit: ObjectColumn['unit']): string {
  if (unit === 'bytes') return formatBytes(value)
  if (unit === 'cores') return formatCores(value)
  if (unit === 'seconds') return `${Math.round(value)} s`
  return Number.isInteger(value) ? String(value) : String(Math.round(value * 1_000) / 1_000)
}

/** A name that opens its object. The grid has the keyboard's focus, so the link is not a stop of its own. */
export const NameLink = ({ to, name }: { to: string; name: string }) => (
  <Link to={to} tabIndex={-1} title={name.length > 32 ? name : undefined}>
    {name}
  </Link>
)

const WIDTHS: Record<string, number> = {
  name: 212,
  namespace: 118,
  status: 136,
  ready: 68,
  restarts: 80,
  node: 112,
  cluster: 88,
  created: 72,
  message: 360,
  labels: 280,
  annotations: 280,
  images: 260,
  owner: 220,
  application: 104,
  roles: 130,
  version: 110,
  ip: 120,
}
/** Pixels that a column has at first. */
export function widthOf({ name, type, unit, title }: ObjectColumn): number {
  const heading = 26 + title.length * 6.6
  const own =
    WIDTHS[name] ??
    (type === 'set' ? 200 : type === 'time' ? 80 : type === 'count' || type === 'number' ? (unit ? 96 : 80) : 150)
  return Math.round(Math.max(own, Math.min(160, heading)))
}
