import { expect, test } from 'vitest'
import { type AuditSearch, AuditSearchFilter, saveAuditSearch } from './search.contract.ts'
import { filterAt, searchNamed } from './search.rules.ts'

const search = (name: string, owner: string, mine: boolean): AuditSearch => ({
  name,
  owner,
  mine,
  shared: !mine,
  filter: {},
  changeTime: '2026-11-21T10:00:00.000Z',
})

test('hours go with the clock, a time stays where it is', () => {
  const now = Date.parse('2026-11-21T10:00:00.000Z')
  expect(filterAt({ actor: 'ann', hours: 24 }, now)).toEqual({ actor: 'ann', since: '2026-11-20T10:00:00.000Z' })
  const fixed = { since: '2026-01-01T00:00:00.000Z' }
  expect(filterAt(fixed, now)).toEqual(fixed)
})

test('a name means one of your own first; with its owner, that one', () => {
  const [theirs, mine] = [search('failures', 'ann', false), search('failures', 'eve', true)]
  expect(searchNamed([theirs, mine], 'failures')).toBe(mine)
  expect(searchNamed([theirs, mine], 'ann/failures')).toBe(theirs)
  expect(searchNamed([theirs], 'failures')).toBe(theirs)
  expect(searchNamed([theirs], 'others')).toBeUndefined()
})

test.each([
  [{ hours: 1, since: '2026-01-01T00:00:00.000Z' }, 'hours'],
  [{ hours: 0 }, 'hours'],
  [{ since: 'yesterday' }, 'since'],
  [{ outcome: 'perhaps' }, 'outcome'],
])('a filter that cannot be one is refused by its field: %j', (filter, field) => {
  expect(AuditSearchFilter.safeParse(filter).error?.issues.map(({ path }) => path[0])).toEqual([field])
})

test.each(['', ' a', 'a ', 'a/b', 'a\nb', 'x'.repeat(61)])('a name that cannot be one is refused: %j', (name) => {
  expect(saveAuditSearch.params.safeParse({ search: name }).success).toBe(false)
})

test('a name may be said in any writing', () => {
  for (const name of ['a', 'Failed sign-ins, last day', '失败的登录']) {
    expect(saveAuditSearch.params.safeParse({ search: name }).success).toBe(true)
  }
})
