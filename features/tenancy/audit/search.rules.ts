import type { AuditSearch, AuditSearchFilter } from './search.contract.ts'

/** What a saved search asks for at this time (milliseconds): without `hours`, which is a `since` then. */
export function filterAt({ hours, ...filter }: AuditSearchFilter, now: number): Omit<AuditSearchFilter, 'hours'> {
  return hours === undefined ? filter : { ...filter, since: new Date(now - hours * 3_600_000).toISOString() }
}

/** The search of that name: one's own first, then what others share; `owner/name` is that one of theirs. */
export function searchNamed(searches: readonly AuditSearch[], name: string): AuditSearch | undefined {
  const named = searches.filter((one) => one.name === name || `${one.owner}/${one.name}` === name)
  return named.find(({ mine }) => mine) ?? named[0]
}
