import { expect, test } from 'vitest'
import { inOrder, isEmpty, managersOf, type ObjectChangeView, type PlanView, valueText } from './plan.ts'

const change = (
  action: ObjectChangeView['action'],
  conflicts: ObjectChangeView['conflicts'] = [],
): ObjectChangeView => ({
  ref: { apiVersion: 'v1', kind: 'Service', name: action },
  action,
  fields: [],
  conflicts,
  warnings: [],
  yaml: '',
})
const plan = (changes: ObjectChangeView[]): PlanView => ({
  hash: '',
  summary: '',
  changes,
  warnings: [],
  blockers: [],
  laterOperations: [],
})

test('what goes away is shown first, what stays as it is last', () => {
  const shown = inOrder([change('unchanged'), change('create'), change('delete'), change('update')])
  expect(shown.map(({ action }) => action)).toEqual(['delete', 'update', 'create', 'unchanged'])
})

test('a field that is not there differs from one that is empty or null', () => {
  expect(valueText(undefined)).toBeUndefined()
  expect(valueText('')).toBe('""')
  expect(valueText(null)).toBe('null')
  expect(valueText(false)).toBe('false')
})

test('a value that does not fit a line is indented', () => {
  expect(valueText({ a: 1 })).toBe('{"a":1}')
  expect(valueText({ name: 'x'.repeat(60) })).toContain('\n')
})

test('a plan that changes nothing is known as such', () => {
  expect(isEmpty(plan([change('unchanged')]))).toBe(true)
  expect(isEmpty(plan([change('unchanged'), change('update')]))).toBe(false)
})

test('each manager that would lose fields is named once', () => {
  const conflicts = [
    { manager: 'helm', field: 'a' },
    { manager: 'kubectl', field: 'b' },
    { manager: 'helm', field: 'c' },
  ]
  expect(managersOf(plan([change('update', conflicts)]))).toEqual(['helm', 'kubectl'])
})
