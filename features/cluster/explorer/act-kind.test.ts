import { expect, test } from 'vitest'
import { cordonNodes, drainNodes, evictPods, restartObjects, scaleObjects } from '../object/act.contract.ts'
import { ACT_KEYS, actsOf, bodyOf, EDIT_KEY, replicasOf } from './act-kind.rules.ts'

const objects = [
  { resource: 'deployments.apps', name: 'web', uid: 'u1' },
  { resource: 'deployments.apps', name: 'api' },
]
const given = { replicas: 3, lost: true }

test('every act asks for what its endpoint takes', () => {
  const at = { namespace: 'shop', objects }
  for (const [act, endpoint, place] of [
    ['scale', scaleObjects, at],
    ['restart', restartObjects, at],
    ['move', evictPods, at],
    ['drain', drainNodes, { ...at, namespace: '' }],
    ['cordon', cordonNodes, { ...at, namespace: '' }],
  ] as const) {
    const body = bodyOf(act, place, given)
    expect(endpoint.body.parse(body), act).toEqual(body)
  }
})

test('a kind has the acts that fit it, and no two of them the same key', () => {
  expect(actsOf('pods')).toEqual(['move'])
  expect(actsOf('configmaps')).toEqual([])
  const keys = [...Object.values(ACT_KEYS), EDIT_KEY]
  expect(new Set(keys).size).toBe(keys.length)
  for (const taken of ['j', 'k', 'x', '/', '?', 'g']) expect(keys).not.toContain(taken)
})

test('what is no number of pods is none', () => {
  expect([replicasOf('0'), replicasOf(' 12 '), replicasOf('')]).toEqual([0, 12, undefined])
  for (const text of ['-1', '1.5', 'many', '1e3', '99999999999']) expect(replicasOf(text)).toBeUndefined()
})
