import { describe, expect, it } from 'vitest'
import { COMMON_COLUMNS, type KindSpec } from '../kind.ts'
import { type CompletionSource, completeFilter } from './complete-filter.ts'

const pods: KindSpec = {
  resource: 'pods',
  group: '',
  version: 'v1',
  kind: 'Pod',
  plural: 'pods',
  shortNames: ['po'],
  namespaced: true,
  custom: false,
  columns: [
    ...COMMON_COLUMNS,
    { name: 'status', title: 'Status', type: 'text' },
    { name: 'restarts', title: 'Restarts', type: 'count' },
  ],
}
const VALUES: Record<string, string[]> = {
  status: ['Running', 'Init 0 of 1', 'Init failed'],
  namespace: ['shop', 'shipping'],
  cluster: ['east'],
  label: ['tier', 'team'],
  'label:tier': ['front', 'back'],
}
const find = (field: string, typed: string) =>
  (VALUES[field] ?? [])
    .filter((value) => value.toLowerCase().startsWith(typed.toLowerCase()))
    .map((value, index) => ({ value, count: 10 - index }))
const source: CompletionSource = { values: find, labelKeys: (typed) => find('label', typed) }

/** What the text becomes with each completion; | is the cursor. */
function completed(marked: string): string[] {
  const cursor = marked.indexOf('|')
  const text = marked.replace('|', '')
  return completeFilter(text, cursor, pods, source).map(
    ({ insert, from, to }) => text.slice(0, from) + insert + text.slice(to),
  )
}

describe('what may follow at the cursor', () => {
  it.each([
    ['sta|', ['status:']],
    ['web -sta|', ['web -status:']],
    ['(res|', ['(restarts>']],
    ['st|at:Running', ['status:Running']],
    ['clu|', ['cluster:']],
    ['lab|', ['label:', 'labels:']],
    ['restarts|', ['restarts>', 'restarts>=', 'restarts<', 'restarts<=', 'restarts:', 'restarts!=']],
    ['status:|', ['status:Running', 'status:"Init 0 of 1"', 'status:"Init failed"']],
    ['status:in|', ['status:"Init 0 of 1"', 'status:"Init failed"']],
    ['status:"Init f|', ['status:"Init failed"']],
    ['status:"Init f|ai" web', ['status:"Init failed" web']],
    ['status:Failed,ru|', ['status:Failed,Running']],
    ['status:ru|nn web', ['status:Running web']],
    ['ns:sho|', ['ns:shop']],
    ['a or cluster:|', ['a or cluster:east']],
    ['label:t|', ['label:tier', 'label:team']],
    ['label:tier=|', ['label:tier=front', 'label:tier=back']],
    ['label:tier=b|', ['label:tier=back']],
    ['label:tier!=front,b|', ['label:tier!=front,back']],
    ['age<1|', ['age<10m', 'age<1h', 'age<1d']],
    ['restarts>|', []],
    ['nothing:x|', []],
    ['"quoted sta|', []],
  ])('%s', (text, expected) => {
    expect(completed(text)).toEqual(expected)
  })

  it('offers or behind a term only', () => {
    expect(completed('web o|')).toContain('web or ')
    expect(completed('o|')).not.toContain('or ')
    expect(completed('a or o|')).not.toContain('a or or ')
  })

  it('offers every field where nothing is written, and says how often a value occurs', () => {
    expect(completed('|')).toEqual(
      expect.arrayContaining(['status:', 'restarts>', 'created<', 'ns:', 'label:', 'age<']),
    )
    expect(completeFilter('ns:', 3, pods, source)[0]).toEqual({ insert: 'shop', from: 3, to: 3, hint: '10' })
  })

  it('never fails, wherever the cursor is', () => {
    const text = '(-status:"Init \\" f",a or label:tier!=front) "x y" age<1h'
    for (let cursor = -1; cursor <= text.length + 1; cursor += 1)
      for (const { from, to } of completeFilter(text, cursor, pods, source))
        expect(0 <= from && from <= to && to <= text.length).toBe(true)
  })
})
