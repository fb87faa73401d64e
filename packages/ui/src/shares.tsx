import { Table } from './table.tsx'
import { defineTexts, useText } from './text.ts'

const shareTexts = defineTexts(
  'shares',
  {
    what: 'What',
    share: 'Share',
    used: 'Used',
    reserved: 'Given out',
    free: 'Free',
    allowed: 'Quota',
    noLimit: 'no limit',
    unknown: 'not known',
    sentence: '{{label}}: {{used}} used, {{reserved}} given out, of {{allowed}}',
  },
  {
    what: '资源',
    share: '占用',
    used: '已使用',
    reserved: '已分配',
    free: '可用',
    allowed: '配额',
    noLimit: '不限',
    unknown: '未知',
    sentence: '{{label}}：已使用 {{used}}，已分配 {{reserved}}，配额 {{allowed}}',
  },
)

/** One resource of a place: what there is, what was given to its parts, what is used of it. `say` puts it in words. */
export interface Share {
  key: string
  label: string
  allowed?: number | undefined
  reserved: number
  used?: number | undefined
  free?: number | undefined
  say: (value: number) => string
}

/** How full each resource of a place is: used, given out, free. `whole`: it has no parts, so nothing is given out. */
export function Shares({ label, shares, whole }: { label: string; shares: readonly Share[]; whole?: boolean }) {
  const t = useText(shareTexts)
  const said = ({ say }: Share, value: number | undefined, otherwise: string) =>
    value === undefined ? <span className="soft">{otherwise}</span> : <span className="num">{say(value)}</span>
  return (
    <Table
      label={label}
      rows={shares}
      rowKey={(share) => share.key}
      columns={[
        { title: t('what'), nowrap: true, cell: (share) => share.label },
        { title: t('share'), wide: true, cell: (share) => <ShareBar share={share} whole={whole} /> },
        { title: t('used'), end: true, cell: (share) => said(share, share.used, t('unknown')) },
        ...(whole
          ? []
          : [{ title: t('reserved'), end: true, cell: (share: Share) => said(share, share.reserved, '') }]),
        { title: t('free'), end: true, cell: (share) => said(share, share.free, '–') },
        { title: t('allowed'), end: true, cell: (share) => said(share, share.allowed, t('noLimit')) },
      ]}
    />
  )
}

function ShareBar({ share, whole }: { share: Share; whole: boolean | undefined }) {
  const t = useText(shareTexts)
  const { label, allowed, reserved, used, say } = share
  if (allowed === undefined) return null
  const part = (value: number) => (allowed > 0 ? Math.min(1, value / allowed) : value > 0 ? 1 : 0)
  const text = t('sentence', {
    label,
    used: used === undefined ? t('unknown') : say(used),
    reserved: say(reserved),
    allowed: say(allowed),
  })
  const full = part(whole ? (used ?? 0) : reserved)
  return (
    <div className={full > 0.85 ? 'bar shares warn' : 'bar shares'} role="img" aria-label={text} title={text}>
      {!whole && <i className="given" style={{ width: `${part(reserved) * 100}%` }} />}
      <i style={{ width: `${part(used ?? 0) * 100}%` }} />
    </div>
  )
}
