import { describe, expect, it } from 'vitest'
import { COMMON_COLUMNS, type KindSpec } from '../kind.ts'
import { QueryError } from '../mirror.ts'
import { FilterError } from './filter-error.ts'
import { parseFilter } from './filter-text.ts'
import { printFilter } from './print-filter.ts'
import { parseSort } from './sort-text.ts'

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
    { name: 'node', title: 'Node', type: 'split' },
    { name: 'images', title: 'Images', type: 'set' },
    { name: 'restarts', title: 'Restarts', type: 'count' },
    { name: 'lastRestart', title: 'Last restart', type: 'time' },
    { name: 'memory', title: 'Memory', type: 'number', unit: 'bytes' },
    { name: 'cpu', title: 'CPU', type: 'number', unit: 'cores' },
    { name: 'took', title: 'Took', type: 'number', unit: 'seconds' },
  ],
}
const parse = (text: string) => parseFilter(text, pods)
const fault = (text: string): FilterError => {
  try {
    parse(text)
  } catch (error) {
    if (error instanceof FilterError) return error
    throw error
  }
  throw new Error(`${text} was understood`)
}

describe('a filter text', () => {
  it.each([
    ['web', { text: 'web' }],
    ['web front', { all: [{ text: 'web' }, { text: 'front' }] }],
    ['"out of memory"', { text: 'out of memory' }],
    ['"say \\"hi\\""', { text: 'say "hi"' }],
    ['10.0.0.1:80', { text: '10.0.0.1:80' }],
    ['status:Running', { field: 'status', op: '=', values: ['Running'] }],
    ['STATUS=running', { field: 'status', op: '=', values: ['running'] }],
    ['status:Failed,"Init 0"', { field: 'status', op: '=', values: ['Failed', 'Init 0'] }],
    ['status!=Running', { field: 'status', op: '!=', values: ['Running'] }],
    ['images~nginx', { field: 'images', op: '~', values: ['nginx'] }],
    ['images:~nginx:1.25', { field: 'images', op: '~', values: ['nginx:1.25'] }],
    [
      'node~a,b',
      {
        any: [
          { field: 'node', op: '~', values: ['a'] },
          { field: 'node', op: '~', values: ['b'] },
        ],
      },
    ],
    ['node:""', { field: 'node', op: '=', values: [''] }],
    ['restarts>3', { field: 'restarts', op: '>', values: [3] }],
    ['restarts:>=3', { field: 'restarts', op: '>=', values: [3] }],
    ['restarts:0,1', { field: 'restarts', op: '=', values: [0, 1] }],
    ['memory>=512Mi', { field: 'memory', op: '>=', values: [512 * 2 ** 20] }],
    ['cpu<500m', { field: 'cpu', op: '<', values: [0.5] }],
    ['took>5m', { field: 'took', op: '>', values: [300] }],
    ['age<10m', { age: 'created', op: '<', seconds: 600 }],
    ['lastRestart>1h30m', { age: 'lastRestart', op: '>', seconds: 5400 }],
    ['label:tier', { label: 'tier' }],
    ['label:app.kubernetes.io/name=a,b', { label: 'app.kubernetes.io/name', values: ['a', 'b'] }],
    ['label:tier!=front', { not: { label: 'tier', values: ['front'] } }],
    ['ns:shop', { field: 'namespace', op: '=', values: ['shop'] }],
    ['app:web', { field: 'application', op: '=', values: ['web'] }],
    ['cluster:a', { field: 'cluster', op: '=', values: ['a'] }],
    ['-name:test', { not: { field: 'name', op: '=', values: ['test'] } }],
    ['not web', { not: { text: 'web' } }],
    ['a or b', { any: [{ text: 'a' }, { text: 'b' }] }],
    ['a b OR c', { any: [{ all: [{ text: 'a' }, { text: 'b' }] }, { text: 'c' }] }],
    ['(a or b) and c', { all: [{ any: [{ text: 'a' }, { text: 'b' }] }, { text: 'c' }] }],
    ['-(a or b)', { not: { any: [{ text: 'a' }, { text: 'b' }] } }],
    ['order notes', { all: [{ text: 'order' }, { text: 'notes' }] }],
  ])('%s is read', (text, expression) => {
    expect(parse(text)).toEqual(expression)
    expect(parse(printFilter(parse(text)))).toEqual(expression)
  })

  it('without terms lets everything through', () => {
    expect(parse('  ')).toBeUndefined()
    expect(printFilter(undefined)).toBe('')
  })

  it.each([
    ['web restarts:many', 4, 'restarts is a number: write restarts>3'],
    ['memory>lots', 0, 'memory is a number: write memory>512Mi'],
    ['age:1h', 0, 'age is a time: write created<1h'],
    ['age<soon', 0, 'age is a time, and 30s, 10m, 1h, 7d and 2w are ages: write created<1h'],
    ['status>3', 0, 'status is text: write status:Running'],
    ['restarts>1,2', 0, 'restarts is compared with one number: write restarts>3'],
    ['stauts:Running', 0, 'Pod has no field stauts: did you mean status; a label is label:stauts=Running'],
    ['tier=front', 0, 'a label is label:tier=front; text is "tier=front"'],
    ['name:', 5, 'A value is missing here: write name:value'],
    ['name:a,', 7, 'A value is missing here'],
    ['label:', 0, "The label's key is missing"],
    ['a "b', 2, 'The quotation that begins here has no end'],
    ['""', 0, 'nothing between these quotation marks'],
    ['(a', 0, 'This parenthesis is not closed'],
    ['a)', 1, 'This parenthesis closes none'],
    ['a or', 4, 'A term is missing here'],
    ['-', 0, 'What is not to be is missing'],
    ['and a', 0, '"and" stands between two terms'],
    ['('.repeat(500), 51, 'More than 50 parentheses'],
  ])('%s is refused with the place and what to do', (text, position, message) => {
    const error = fault(text)
    expect(error.message).toContain(message)
    expect(error.message).toContain(`(at character ${error.position + 1})`)
    expect(error.position).toBe(position)
  })

  it('is read or refused with a QueryError whatever it is, and printing what was read is stable', () => {
    const pieces = [
      ...'ab-:~<>=!,()" \\\t中',
      'or',
      ' not ',
      'and ',
      'status',
      'label:',
      'restarts',
      'age<',
      '10m',
      '512Mi',
    ]
    const next = random(7)
    let read = 0
    for (let round = 0; round < 30_000; round += 1) {
      const text = Array.from({ length: next(12) }, () => pieces[next(pieces.length)]).join('')
      let expression: ReturnType<typeof parse>
      try {
        expression = parse(text)
      } catch (error) {
        if (!(error instanceof QueryError)) throw new Error(`${JSON.stringify(text)}: ${String(error)}`)
        continue
      }
      read += 1
      const printed = printFilter(expression)
      expect(parse(printed), `${JSON.stringify(text)} printed as ${printed}`).toEqual(expression)
      expect(printFilter(parse(printed))).toBe(printed)
    }
    expect(read).toBeGreaterThan(3_000)
  })

  it('says what a filter means that no text was written for', () => {
    expect(parse(printFilter({ not: { any: [] } }))).toEqual({ not: { field: 'name', op: '=', values: [''] } })
    expect(printFilter({ all: [] })).toBe('')
    expect(
      printFilter({ all: [{ text: 'or' }, { any: [{ text: 'a' }, { all: [{ text: 'b' }, { text: '-c' }] }] }] }),
    ).toBe('"or" (a or b "-c")')
    expect(printFilter({ field: 'memory', op: '>', values: [512 * 2 ** 20] })).toBe('memory>512Mi')
  })
})

describe('a sort text', () => {
  it('names columns, - before what descends', () => {
    expect(parseSort('-restarts, name', pods)).toEqual([{ field: 'restarts', descending: true }, { field: 'name' }])
    expect(parseSort('', pods)).toEqual([])
    expect(parseSort('ns,cluster,ns', pods)).toEqual([{ field: 'namespace' }, { field: 'cluster' }])
  })

  it('begins with the youngest by age', () => {
    expect(parseSort('age', pods)).toEqual([{ field: 'created', descending: true }])
    expect(parseSort('-age', pods)).toEqual([{ field: 'created' }])
  })

  it('is refused with the nearest column', () => {
    expect(() => parseSort('name,-restart', pods)).toThrow('Pod has no column restart: did you mean restarts?')
    expect(() => parseSort('-', pods)).toThrow(QueryError)
  })
})

/** The same numbers every time. */
function random(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}
