import { Link, Popover, TextInput, useGo, useText } from '@quarterdeck/ui'
import { type KeyboardEvent, useState } from 'react'
import type { ObjectKind } from '../object/object.contract.ts'
import { listPath } from './explore.rules.ts'
import { groupedKinds, likeliest, objectsOf } from './kind-group.rules.ts'
import { exploreTexts } from './texts.console.tsx'

/** The kind that is shown, as a button that lists all others: type to find one, Enter takes the likeliest. */
export function KindPicker({ kinds, current }: { kinds: readonly ObjectKind[]; current: ObjectKind | undefined }) {
  const t = useText(exploreTexts)
  return (
    <Popover
      icon="down"
      className="kind-button"
      kind="plain"
      label={t('kinds')}
      text={<span className="kind-name">{current?.kind ?? t('kinds')}</span>}
    >
      {(close) => <Kinds kinds={kinds} current={current} close={close} />}
    </Popover>
  )
}

function Kinds({
  kinds,
  current,
  close,
}: {
  kinds: readonly ObjectKind[]
  current: ObjectKind | undefined
  close: () => void
}) {
  const t = useText(exploreTexts)
  const go = useGo()
  const [text, setText] = useState('')
  const groups = groupedKinds(kinds, text)
  const best = text.trim() === '' ? undefined : likeliest(kinds, text)
  const key = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || !best) return
    event.preventDefault()
    close()
    go(listPath(best.resource))
  }
  return (
    <div className="kinds">
      <TextInput
        type="search"
        aria-label={t('findKind')}
        placeholder={t('findKind')}
        value={text}
        onChange={setText}
        onKeyDown={key}
      />
      {groups.length === 0 && <p className="soft pad">{kinds.length === 0 ? t('noKinds') : t('noKind')}</p>}
      <div className="kind-groups">
        {groups.map(({ group, kinds: inGroup }) => (
          <section key={group} aria-label={t(group)}>
            <h3>{t(group)}</h3>
            <ul>
              {inGroup.map((kind) => (
                <li key={kind.resource}>
                  <Link
                    to={listPath(kind.resource)}
                    onClick={close}
                    className={kind === best ? 'kind best' : 'kind'}
                    title={kind.resource}
                    {...(kind.resource === current?.resource ? { 'aria-current': 'page' as const } : {})}
                  >
                    <span className="clip">{kind.kind}</span>
                    {kind.group !== '' && group === 'custom' && <span className="soft small clip">{kind.group}</span>}
                    <span className="soft small num">{objectsOf(kind).toLocaleString('en')}</span>
                  </Link>
                </li>
              ))}
            </ul>
          </section>
        ))}
      </div>
    </div>
  )
}
