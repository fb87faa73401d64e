import type { KubeObject } from '@quarterdeck/kernel'
import { expect, test } from 'vitest'
import type { ChangeRequest } from './operation.contract.ts'
import { reservedBlockers } from './reserved.rules.ts'

const request = (more: Partial<ChangeRequest>): ChangeRequest => ({
  type: 'manifest.apply',
  summary: 'Test',
  target: { cluster: 'test', namespace: 'shop', what: 'application/shop' },
  desired: [],
  removed: [],
  before: [],
  ...more,
})
const object = (kind: string, name: string, more: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind,
  metadata: { name, ...more },
})
const details = (more: Partial<ChangeRequest>) => reservedBlockers(request(more)).map(({ detail }) => detail)

test('[TEN-09] labels that keep namespaces apart are set by environments only', () => {
  for (const label of [
    'pod-security.kubernetes.io/enforce',
    'quarterdeck.dev/project',
    'quarterdeck.dev/environment',
    'kubernetes.io/metadata.name',
  ]) {
    const desired = [object('Namespace', 'shop', { labels: { [label]: 'x', team: 'y' } })]
    expect(details({ desired })).toEqual([expect.stringContaining(`Label ${label} of Namespace shop`)])
    const definition = { owner: 'environment', key: 'shop', before: null, after: null, basis: null }
    expect(details({ desired, definition })).toEqual([])
    expect(details({ desired, definition: { ...definition, owner: 'application' } })).toHaveLength(1)
  }
})

test('quota, limits, isolation and rights of an environment are neither written nor deleted by what is deployed in it', () => {
  for (const kind of ['ResourceQuota', 'LimitRange', 'NetworkPolicy', 'Role', 'RoleBinding']) {
    expect(details({ desired: [object(kind, 'mine')] })).toEqual([expect.stringContaining(`${kind} mine`)])
    // Deployed before there was this rule.
    expect(details({ desired: [object(kind, 'mine')], before: [object(kind, 'mine')] })).toEqual([])
    expect(details({ removed: [{ apiVersion: 'v1', kind, name: 'mine' }] })).toEqual([])
  }
  const ours = [object('RoleBinding', 'quarterdeck-executor'), object('NetworkPolicy', 'quarterdeck-isolation')]
  for (const one of ours) {
    const { apiVersion, kind, metadata } = one
    expect(details({ desired: [one], before: [one] })).toEqual([expect.stringContaining('belongs to the environment')])
    expect(details({ removed: [{ apiVersion, kind, name: metadata.name }] })).toHaveLength(1)
  }
  expect(details({ desired: [object('ServiceAccount', 'shop'), object('ConfigMap', 'quarterdeck')] })).toEqual([])
})
