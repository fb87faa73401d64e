import { call, readKey, useText } from '@quarterdeck/ui'
import { keepPreviousData, useQueries } from '@tanstack/react-query'
import { useRef, useState } from 'react'
import { countObjects, type ObjectColumn } from '../object/object.contract.ts'
import { toneOf } from './cell.console.tsx'
import { useColumnTitle } from './column-title.console.tsx'
import { askedValues, toggleValue, withoutField } from './filter-text.rules.ts'
import { exploreTexts } from './texts.console.tsx'

const VALUES = 8
const MOST_VALUES = 100
const EVERY_MS = 5_000

interface FacetsProps {
  resource: string
  fields: readonly ObjectColumn[]
  filter: string
  onFilter: (filter: string) => void
}
interface Counted {
  field: string
  distinct: number
  values: { value: string; count: number }[]
}

/**
 * How often each value occurs among what is shown; a click asks for it in the filter. What a field itself asks for does
 * not count for its own values, so that another can be added.
 */
export function Facets({ resource, fields, filter, onFilter }: FacetsProps) {
  const t = useText(exploreTexts)
  const titleOf = useColumnTitle()
  const [open, setOpen] = useState<readonly string[]>([])
  const counted = useCounts(resource, fields, filter, open)
  return (
    <nav className="facets" aria-label={t('facets')}>
      {fields.map((column) => {
        const found = counted.find(({ field }) => field === column.name)
        const asked = askedValues(filter, column.name)
        // Where every object has a value of its own, counting tells nothing.
        const each = found !== undefined && found.distinct > 1 && (found.values[0]?.count ?? 0) <= 1
        if (!found || ((found.distinct === 0 || each) && asked.length === 0)) return null
        const whole = open.includes(column.name)
        const shown = found.values.slice(0, whole ? MOST_VALUES : VALUES)
        const absent = asked.filter((value) => !shown.some((one) => one.value.toLowerCase() === value.toLowerCase()))
        const more = found.distinct - shown.length
        return (
          <section key={column.name} aria-label={titleOf(column)}>
            <h3>{titleOf(column)}</h3>
            <ul>
              {[...shown, ...absent.map((value) => ({ value, count: 0 }))].map(({ value, count }) => (
                <FacetValue
                  key={value}
                  tone={column.name === 'status' || column.name === 'phase'}
                  value={value}
                  count={count}
                  asked={asked.some((one) => one.toLowerCase() === value.toLowerCase())}
                  toggle={() => onFilter(toggleValue(filter, column.name, value))}
                />
              ))}
            </ul>
            {more > 0 && !whole && (
              <button type="button" className="as-link small more" onClick={() => setOpen([...open, column.name])}>
                {t('moreValues', { count: more })}
              </button>
            )}
          </section>
        )
      })}
    </nav>
  )
}

function FacetValue({
  value,
  count,
  asked,
  tone,
  toggle,
}: {
  value: string
  count: number
  asked: boolean
  tone: boolean
  toggle: () => void
}) {
  const t = useText(exploreTexts)
  return (
    <li>
      <button type="button" className="facet" aria-pressed={asked} onClick={toggle} title={value}>
        <span className={tone && value !== '' ? `clip grow tone-${toneOf(value)}` : 'clip grow'}>
          {value === '' ? <span className="soft">{t('none')}</span> : value}
        </span>
        <span className="soft small num">{count.toLocaleString('en')}</span>
      </button>
    </li>
  )
}

/** One request for all fields that the filter does not ask about, and one for each that it does. */
function useCounts(
  resource: string,
  fields: readonly ObjectColumn[],
  filter: string,
  open: readonly string[],
): Counted[] {
  const names = fields.map(({ name }) => name)
  const asked = names.filter((name) => askedValues(filter, name).length > 0)
  const others = names.filter((name) => !asked.includes(name))
  const wanted = [
    { fields: others, filter },
    ...asked.map((name) => ({ fields: [name], filter: withoutField(filter, name) })),
  ].filter((one) => one.fields.length > 0)
  const limit = open.length > 0 ? MOST_VALUES : VALUES
  const counted = useQueries({
    queries: wanted.map((one) => {
      const input = {
        params: { resource },
        query: { fields: one.fields.join(','), limit, ...(one.filter === '' ? {} : { filter: one.filter }) },
      }
      return {
        queryKey: readKey(countObjects, input),
        queryFn: ({ signal }: { signal: AbortSignal }) => call(countObjects, input, { signal }),
        placeholderData: keepPreviousData,
        refetchInterval: EVERY_MS,
      }
    }),
  }).flatMap((query) => query.data?.items ?? [])
  // A filter that cannot be read takes nothing away: what was counted before stays.
  const last = useRef(counted)
  if (counted.length > 0) last.current = counted
  return last.current
}
