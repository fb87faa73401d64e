import { expect, test } from 'vitest'
import type { Freshness, ObjectKind } from '../object/object.contract.ts'
import { csvOf } from './csv.rules.ts'
import {
  countedFields,
  deletionGroups,
  namespaceOfPath,
  objectPath,
  shownColumns,
  trustIn,
  viewOf,
  viewSearch,
} from './explore.rules.ts'
import { askedValues, filterTerms, toggleValue, withoutField } from './filter-text.rules.ts'
import { groupedKinds, groupOf, likeliest } from './kind-group.rules.ts'

const kind = (resource: string, more: Partial<ObjectKind> = {}): ObjectKind => {
  const [plural = '', ...rest] = resource.split('.')
  return {
    resource,
    plural,
    group: rest.join('.'),
    version: 'v1',
    kind: `${plural.charAt(0).toUpperCase()}${plural.slice(1, -1)}`,
    shortNames: [],
    namespaced: true,
    custom: false,
    columns: [],
    clusters: [],
    ...more,
  }
}

test('the terms of a filter keep quotation marks and parentheses together', () => {
  expect(filterTerms('status:Running  (a or b) "free text" name:"a b,c"')).toEqual([
    'status:Running',
    '(a or b)',
    '"free text"',
    'name:"a b,c"',
  ])
  expect(filterTerms('name:"a \\" b" x')).toEqual(['name:"a \\" b"', 'x'])
})

test('a facet adds its value to the text, adds a second one to the same term, and takes both out again', () => {
  const one = toggleValue('web age<1h', 'status', 'Running')
  expect(one).toBe('web age<1h status:Running')
  const two = toggleValue(one, 'status', 'Failed')
  expect(two).toBe('web age<1h status:Running,Failed')
  expect(askedValues(two, 'status')).toEqual(['Running', 'Failed'])
  expect(toggleValue(toggleValue(two, 'status', 'Running'), 'status', 'Failed')).toBe('web age<1h')
})

test('a value that would be read as something else is quoted, and is found again', () => {
  const text = toggleValue('', 'owner', 'ReplicaSet/a b')
  expect(text).toBe('owner:"ReplicaSet/a b"')
  expect(askedValues(text, 'owner')).toEqual(['ReplicaSet/a b'])
  expect(askedValues(toggleValue('', 'node', ''), 'node')).toEqual([''])
  expect(toggleValue(text, 'owner', 'ReplicaSet/a b')).toBe('')
})

test('other names of a field, capitals and labels are understood', () => {
  expect(askedValues('ns:shop Status=running', 'namespace')).toEqual(['shop'])
  expect(askedValues('ns:shop Status=running', 'status')).toEqual(['running'])
  expect(toggleValue('ns:shop', 'namespace', 'shop')).toBe('')
  expect(askedValues('label:tier=front,back', 'label:tier')).toEqual(['front', 'back'])
  expect(toggleValue('', 'label:tier', 'front')).toBe('label:tier=front')
})

test('a test that is not for a value is no value of the facet and stays', () => {
  for (const text of ['status!=Running', 'status~Run', 'status:~Run', '-status:Running', 'restarts>3']) {
    expect(askedValues(text, 'status')).toEqual([])
    expect(withoutField(text, 'status')).toBe(text)
  }
})

test('a text whose terms are alternatives is put in parentheses before a value is added', () => {
  expect(toggleValue('web or db', 'status', 'Failed')).toBe('(web or db) status:Failed')
})

test('what one looks at survives the address', () => {
  const view = {
    filter: 'ns:shop "a b" & c',
    sort: [{ field: 'restarts', descending: true }, { field: 'name' }],
    columns: ['name', 'status'],
  }
  expect(viewOf(new URLSearchParams(viewSearch(view)))).toEqual(view)
  expect(viewSearch(viewOf(new URLSearchParams('')))).toBe('')
})

test('the address of an object holds every name, also where there is no namespace', () => {
  const node = { resource: 'nodes', cluster: 'local', namespace: '', name: 'node-1' }
  expect(objectPath(node)).toBe('/explore/nodes/local/-/node-1')
  expect(namespaceOfPath('-')).toBe('')
  const role = { resource: 'clusterroles.rbac.authorization.k8s.io', cluster: 'a', namespace: '', name: 'system:a/b' }
  expect(objectPath(role)).toContain('/system%3Aa%2Fb')
})

test('columns are those asked for in their order, and never none', () => {
  const all = [
    { name: 'name', title: 'Name', type: 'split' as const },
    { name: 'labels', title: 'Labels', type: 'set' as const, wide: true as const },
    { name: 'status', title: 'Status', type: 'text' as const },
  ]
  expect(shownColumns(all, undefined).map(({ name }) => name)).toEqual(['name', 'status'])
  expect(shownColumns(all, ['labels', 'name']).map(({ name }) => name)).toEqual(['labels', 'name'])
  expect(shownColumns(all, ['gone']).map(({ name }) => name)).toEqual(['name', 'status'])
})

test('status and namespace are counted first; the cluster only where there are several', () => {
  const pods = kind('pods', {
    columns: ['namespace', 'owner', 'status', 'node', 'image'].map((name) => ({ name, title: name, type: 'text' })),
  })
  expect(countedFields(pods, 1)).toEqual(['status', 'namespace', 'node', 'owner'])
  expect(countedFields(pods, 2)).toEqual(['status', 'cluster', 'namespace', 'node', 'owner'])
  expect(countedFields({ ...pods, namespaced: false }, 1)).not.toContain('namespace')
})

test('kinds are grouped by what they are for, and those one looks for most come first', () => {
  expect(groupOf(kind('pods'))).toBe('workloads')
  expect(groupOf(kind('roles.rbac.authorization.k8s.io'))).toBe('access')
  expect(groupOf(kind('httproutes.gateway.networking.k8s.io', { custom: true }))).toBe('network')
  expect(groupOf(kind('widgets.example.com', { custom: true }))).toBe('custom')
  expect(groupOf(kind('flowschemas.flowcontrol.apiserver.k8s.io'))).toBe('cluster')
  const kinds = [kind('services'), kind('cronjobs.batch'), kind('pods'), kind('deployments.apps')]
  expect(groupedKinds(kinds, '').map(({ group, kinds: all }) => [group, all.map(({ plural }) => plural)])).toEqual([
    ['workloads', ['pods', 'deployments', 'cronjobs']],
    ['network', ['services']],
  ])
})

test('[EXT-07] a kind is found by part of its name, its API group or its short name', () => {
  const kinds = [
    kind('pods', { shortNames: ['po'] }),
    kind('podtemplates'),
    kind('widgets.example.com', { custom: true, shortNames: ['wd'] }),
  ]
  const found = (text: string) => groupedKinds(kinds, text).flatMap((one) => one.kinds.map(({ plural }) => plural))
  expect(found('example')).toEqual(['widgets'])
  expect(found('pod')).toEqual(['pods', 'podtemplates'])
  expect(likeliest(kinds, 'wd')?.plural).toBe('widgets')
  expect(likeliest(kinds, 'podt')?.plural).toBe('podtemplates')
})

test('a list is as trustworthy as its worst cluster; clusters without the kind do not count', () => {
  const one = (state: Freshness['state'], percent?: number): Freshness => ({
    cluster: state,
    state,
    revision: '1',
    ageSeconds: 1,
    message: '',
    ...(percent === undefined ? {} : { percent }),
  })
  expect(trustIn([one('live'), one('unknown')]).state).toBe('live')
  expect(trustIn([one('live'), one('syncing', 41.7)])).toMatchObject({ state: 'syncing', percent: 41 })
  expect(trustIn([one('live'), one('syncing', 41), one('stale')])).toMatchObject({ state: 'stale' })
  expect(trustIn([]).state).toBe('unknown')
})

test('a file for a spreadsheet keeps commas and quotation marks, and runs no formula', () => {
  const row = { id: 1, cluster: 'a', uid: 'u', revision: '1', values: ['=cmd()', 'say "a, b"', -3, ['x', 'y'], null] }
  expect(csvOf(['name', 'text', 'number', 'set', 'none'], [row]).split('\r\n')).toEqual([
    '\ufeffcluster,name,text,number,set,none',
    'a,\'=cmd(),"say ""a, b""",-3,x y,',
    '',
  ])
})

test('[CON-24] what is picked is deleted namespace by namespace, and never more at once than one request takes', () => {
  const object = (namespace: string, name: string) => ({ resource: 'pods', cluster: 'a', namespace, name })
  const all = [object('x', '1'), object('y', '2'), object('x', '3'), object('x', '4')]
  const groups = deletionGroups(all, 2).map(({ namespace, objects }) => [namespace, objects.map(({ name }) => name)])
  expect(groups).toEqual([
    ['x', ['1', '3']],
    ['y', ['2']],
    ['x', ['4']],
  ])
})
