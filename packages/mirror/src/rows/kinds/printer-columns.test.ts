import { expect, test } from 'vitest'
import { COMMON_COLUMNS } from '../../kind.ts'
import { ownValues, rowOf } from '../row-of.ts'
import { kindOf } from './kind-of.ts'
import type { PrinterColumn } from './printer-columns.ts'
import { quantityOf } from './quantity.ts'

const custom = (...columns: PrinterColumn[]) =>
  kindOf(
    {
      group: 'example.org',
      version: 'v1',
      kind: 'Widget',
      plural: 'widgets',
      shortNames: [],
      namespaced: true,
      custom: true,
    },
    columns,
  )
const column = (name: string, jsonPath: string, type = 'string', more: Partial<PrinterColumn> = {}) => ({
  name,
  type,
  jsonPath,
  ...more,
})

test('printer columns become columns, each by its type', () => {
  const kind = custom(
    column('Size', '.spec.size', 'integer'),
    column('Weight', '.spec.weight', 'number'),
    column('Synced At', '.status.syncedAt', 'date', { priority: 1 }),
    column('Paused', '.spec.paused', 'boolean', { description: 'Whether it waits' }),
    column('Cluster-IP', '.spec.clusterIP'),
    column('Owner', '.metadata.annotations.example\\.org/owner'),
    column('Owner', '.spec.owner'),
    column('凯特', '.spec.none'),
    column('Age', '.metadata.creationTimestamp', 'date'),
    column('Bad', '.spec[', 'string'),
  )
  expect(kind.spec.columns.slice(0, COMMON_COLUMNS.length)).toEqual(COMMON_COLUMNS)
  expect(kind.spec.columns.slice(COMMON_COLUMNS.length)).toEqual([
    { name: 'status', title: 'Status', type: 'text' },
    { name: 'size', title: 'Size', type: 'number' },
    { name: 'weight', title: 'Weight', type: 'number' },
    { name: 'syncedAt', title: 'Synced At', type: 'time', wide: true },
    { name: 'paused', title: 'Paused', type: 'text', description: 'Whether it waits' },
    { name: 'clusterIp', title: 'Cluster-IP', type: 'text' },
    { name: 'owner2', title: 'Owner', type: 'text' },
    { name: 'owner3', title: 'Owner', type: 'text' },
    { name: 'column', title: '凯特', type: 'text' },
  ])
  const object = {
    metadata: { annotations: { 'example.org/owner': 'blue' } },
    spec: { size: -3, weight: 1.5, paused: false, clusterIP: ['10.0.0.1', '10.0.0.2'], owner: { name: 'x' } },
    status: { syncedAt: '2026-11-21T15:00:00Z', phase: 'Bound' },
  }
  expect(ownValues(kind, object)).toEqual({
    status: 'Bound',
    size: -3,
    weight: 1.5,
    syncedAt: Date.parse('2026-11-21T15:00:00Z') / 1000,
    paused: 'false',
    clusterIp: '["10.0.0.1","10.0.0.2"]',
    owner2: 'blue',
    owner3: '{"name":"x"}',
  })
})

test.each([
  ['True', undefined, 'Ready'],
  ['False', 'Broken', 'Broken'],
  ['False', '', 'NotReady'],
  ['Unknown', undefined, 'Unknown'],
])('the condition Ready %s with the reason %s is the status %s', (status, reason, expected) => {
  const object = { status: { phase: 'Other', conditions: [{ type: 'Ready', status, reason }] } }
  expect(ownValues(custom(), object)).toEqual({ status: expected })
  const deleted = { ...object, metadata: { deletionTimestamp: '2026-11-21T15:00:00Z' } }
  expect(rowOf(custom(), deleted).status).toBe('Terminating')
})

test('a printer column named Status is the status', () => {
  const kind = custom(column('Status', '.status.word'))
  expect(ownValues(kind, { status: { word: 'fine', phase: 'Other' } })).toEqual({ status: 'fine' })
})

test('values that do not fit their column are absent', () => {
  const kind = custom(column('Size', '.spec.size', 'integer'), column('At', '.spec.at', 'date'))
  expect(ownValues(kind, { spec: { size: { toString: 1 }, at: 'yesterday' } })).toEqual({})
  expect(ownValues(kind, { spec: { size: 'large', at: true } })).toEqual({})
})

test.each([
  ['100m', 0.1],
  ['1', 1],
  ['1.5', 1.5],
  ['.5', 0.5],
  ['0', 0],
  ['-2', -2],
  ['+3', 3],
  ['128Mi', 134_217_728],
  ['1.5Gi', 1_610_612_736],
  ['1Ei', 2 ** 60],
  ['2k', 2_000],
  ['1E', 1e18],
  ['1e3', 1_000],
  ['12E2', 1_200],
  ['1e-3', 0.001],
  ['250u', 0.00025],
  ['7n', 7e-9],
  ['', Number.NaN],
  ['Mi', Number.NaN],
  ['1Xi', Number.NaN],
  ['1e', Number.NaN],
  ['one', Number.NaN],
  ['1 ', Number.NaN],
])('the quantity %j is %d', (text, expected) => {
  expect(quantityOf(text)).toBe(expected)
})
