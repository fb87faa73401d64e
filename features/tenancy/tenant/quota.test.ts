import { expect, test } from 'vitest'
import { type Quota, quotaFrom } from './quota.contract.ts'
import { newViolations, quotaUse, reservedOf, type TenantTree, withEnvironment } from './tree.contract.ts'

const tenant = (quota: Quota, projects: [string, Quota, Record<string, Quota>][], overcommit = 1): TenantTree => ({
  name: 'retail',
  quota,
  overcommit,
  projects: projects.map(([name, own, environments]) => ({
    name,
    quota: own,
    environments: Object.entries(environments).map(([environment, given]) => ({ name: environment, quota: given })),
  })),
})
const sentences = (before: TenantTree | undefined, after: TenantTree) =>
  newViolations(before, after).map(({ detail }) => detail)

test('[TEN-08] environments that together hold more than their project are refused with the arithmetic', () => {
  const before = tenant({}, [['shop', { cpuRequest: '8' }, { 'shop-dev': { cpuRequest: '4' } }]])
  const after = withEnvironment(before, { project: 'shop', name: 'shop-test', quota: { cpuRequest: '6' } })
  expect(sentences(before, after)).toEqual([
    'Project shop has 8 cores of requested CPU; its environments would hold 10 cores (shop-test 6 cores, shop-dev 4 cores), 2 cores too much. Give them less, or have the quota of project shop raised.',
  ])
  const fits = withEnvironment(before, { project: 'shop', name: 'shop-test', quota: { cpuRequest: '4000m' } })
  expect(sentences(before, fits)).toEqual([])
})

test('over-commit lets the parts exceed the whole by its factor and no further', () => {
  const at = (memoryRequest: string) =>
    tenant({ memoryRequest: '8Gi' }, [['shop', {}, { dev: { memoryRequest } }]], 1.5)
  expect(sentences(undefined, at('12Gi'))).toEqual([])
  expect(sentences(undefined, at('13Gi'))).toEqual([
    expect.stringContaining('Tenant retail has 8 GiB × 1.5 = 12 GiB of requested memory'),
  ])
})

test('an environment that says nothing cannot escape a quota above it', () => {
  const bounded = tenant({ pods: 10 }, [['shop', {}, {}]])
  const silent = withEnvironment(bounded, { project: 'shop', name: 'dev', quota: {} })
  expect(sentences(bounded, silent)).toEqual([
    'Tenant retail is limited in pods, so environment dev has to say how much of it it takes: give it a quota of pods.',
  ])
  const within = tenant({ pods: 10 }, [['shop', { pods: 10 }, { dev: {} }]])
  expect(sentences(undefined, within)).toEqual([expect.stringContaining('Project shop is limited in pods')])
})

test('a project without a quota of its own counts as what its environments have', () => {
  const tree = tenant({ pods: 10 }, [
    ['shop', { pods: 4 }, { dev: { pods: 1 } }],
    ['bank', {}, { live: { pods: 3 }, try: { pods: 2 } }],
  ])
  expect(reservedOf(tree, 'pods')).toBe(9)
  expect(sentences(undefined, tree)).toEqual([])
})

test('what was wrong before a change does not stand in the way of making it better', () => {
  const wrong = tenant({ pods: 3 }, [['shop', {}, { dev: { pods: 5 }, live: { pods: 4 } }]])
  const better = withEnvironment(wrong, { project: 'shop', name: 'dev', quota: { pods: 2 } })
  expect(sentences(wrong, better)).toEqual([])
  const worse = withEnvironment(wrong, { project: 'shop', name: 'dev', quota: { pods: 6 } })
  expect(sentences(wrong, worse)).toHaveLength(1)
})

test('an environment that moves is counted where it goes and not where it was', () => {
  const tree = tenant({}, [
    ['shop', { pods: 5 }, { dev: { pods: 5 } }],
    ['bank', { pods: 5 }, {}],
  ])
  expect(sentences(tree, withEnvironment(tree, { project: 'bank', name: 'dev', quota: { pods: 5 } }))).toEqual([])
})

test('lines of a place say what is allowed, reserved, used and free', () => {
  const place = { quota: { cpuRequest: '4' }, factor: 2, used: [{ cpuRequest: 1.5 }, undefined, { cpuRequest: 0.5 }] }
  expect(quotaUse(place, (resource) => (resource === 'cpuRequest' ? 5 : resource === 'pods' ? 3 : 0))).toEqual([
    { resource: 'cpuRequest', allowed: 4, reserved: 5, used: 2, free: 3 },
    { resource: 'pods', reserved: 3 },
  ])
})

test('a quota is read from words, and what is none says so', () => {
  expect(quotaFrom('cpuRequest=4,memoryRequest=8Gi,pods=20').data).toEqual({
    cpuRequest: '4',
    memoryRequest: '8Gi',
    pods: 20,
  })
  expect(quotaFrom('none').data).toEqual({})
  for (const wrong of ['cpu=4', 'pods=many', 'pods=', 'memoryRequest=-1', 'pods=1.5', '', 'cpuRequest']) {
    expect([wrong, quotaFrom(wrong).success]).toEqual([wrong, false])
  }
})
