import type { KubeObject } from '@quarterdeck/kernel'
import { expect, test } from 'vitest'
import { evictionOf, restartBlockers } from './act.rules.ts'
import { editPatch, judgeEdited, keeperWarnings, overlapsOf, pathsOf } from './edit.rules.ts'
import { fieldsOf } from './patch-field.rules.ts'

const live: KubeObject = {
  apiVersion: 'example.com/v1',
  kind: 'Sail',
  metadata: { name: 'main', namespace: 'sea', uid: 'u', resourceVersion: '7', labels: { a: '1' } },
  spec: { colour: 'red', ropes: [1, 2] },
  status: { seen: 3 },
}
const edited = (more: object): KubeObject => ({ ...live, ...more })

test('[EXT-07] an edit is what differs in the written part; status and what the cluster keeps are no part of it', () => {
  expect(editPatch(live, edited({ status: {}, metadata: { name: 'main', labels: { a: '1' } } }))).toEqual({})
  expect(editPatch(live, edited({ spec: { colour: 'blue', ropes: [2] } }))).toEqual({
    spec: { colour: 'blue', ropes: [2] },
  })
  expect(editPatch(live, edited({ metadata: { name: 'main', namespace: 'sea' } }))).toEqual({
    metadata: { labels: null },
  })
})

test('an edit has to stay the object that it was, and be one', () => {
  const detail = (value: unknown) => {
    const judged = judgeEdited(value, live)
    return 'detail' in judged ? judged.detail : 'accepted'
  }
  expect(detail(live)).toBe('accepted')
  expect(detail({ ...live, metadata: { name: 'main' } })).toBe('accepted')
  for (const value of [null, 'text', [live], 7]) expect(detail(value)).toMatch(/no object/)
  expect(detail({ ...live, apiVersion: undefined })).toMatch(/apiVersion is missing/)
  expect(detail({ ...live, metadata: { name: 'main', namespace: 'lake' } })).toMatch(/metadata.namespace is "lake"/)
  expect(detail({ ...live, metadata: { name: 'main', labels: ['a'] } })).toMatch(/metadata.labels is no text/)
  expect(detail({ ...live, metadata: { name: 'main', annotations: { on: true } } })).toMatch(/annotations\[on\]/)
})

test('fields that two have changed overlap, also when one is within the other', () => {
  const mine = { spec: { template: { image: 'a' }, replicas: 2 }, metadata: { labels: { 'x/y': '1' } } }
  expect(pathsOf(mine)).toEqual(['spec.template.image', 'spec.replicas', 'metadata.labels[x/y]'])
  expect(overlapsOf(mine, { spec: { template: null } })).toEqual(['spec.template.image'])
  expect(overlapsOf(mine, { metadata: { labels: null } })).toEqual(['metadata.labels[x/y]'])
  expect(overlapsOf(mine, { spec: { replicasMost: 3 } })).toEqual([])
})

test('what others have changed is told field by field', () => {
  expect(fieldsOf({ spec: { a: 1, b: { c: 1 } } }, { spec: { b: { c: 2, 'd/e': [1] } } })).toEqual([
    { path: 'spec.a', before: 1 },
    { path: 'spec.b.c', before: 1, after: 2 },
    { path: 'spec.b[d/e]', after: [1] },
  ])
})

test('whoever else keeps an object is named', () => {
  const labelled = (labels: Record<string, string>, owner?: string) =>
    keeperWarnings({
      ...live,
      metadata: {
        ...live.metadata,
        labels,
        ...(owner
          ? { ownerReferences: [{ apiVersion: 'v1', kind: 'Ship', name: owner, uid: 's', controller: true }] }
          : {}),
      },
    }).join(' ')
  expect(labelled({})).toBe('')
  expect(labelled({ 'app.kubernetes.io/managed-by': 'Helm' })).toMatch(/managed by Helm/)
  expect(labelled({}, 'argo')).toMatch(/belongs to Ship argo/)
  expect(labelled({ 'app.kubernetes.io/managed-by': 'quarterdeck', 'app.kubernetes.io/instance': 'shop' })).toMatch(
    /application shop/,
  )
})

const pod = (name: string, more: { owner?: string; spec?: object; phase?: string; annotations?: object } = {}) => ({
  pointer: '/nodes/0',
  object: {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'sea',
      uid: name,
      ...(more.annotations ? { annotations: more.annotations } : {}),
      ...(more.owner
        ? { ownerReferences: [{ apiVersion: 'v1', kind: more.owner, name: 'own', uid: 'o', controller: true }] }
        : {}),
    },
    spec: { nodeName: 'n1', ...more.spec },
    status: { phase: more.phase ?? 'Running' },
  } as KubeObject,
})

test('[CLU-19] of the pods of a node each has its fate: moved, left, or lost when that is asked for', () => {
  const pods = [
    pod('web', { owner: 'ReplicaSet', spec: { volumes: [{ emptyDir: {} }] } }),
    pod('agent', { owner: 'DaemonSet' }),
    pod('kept', { annotations: { 'kubernetes.io/config.mirror': 'x' } }),
    pod('ended', { phase: 'Succeeded' }),
    pod('alone'),
  ]
  const kept = evictionOf(pods, { lost: false, chosen: false, cordoned: true })
  expect(kept.blockers).toEqual([
    { pointer: '/nodes/0', detail: expect.stringMatching(/Pod sea\/alone would be lost/) },
  ])
  const all = evictionOf(pods, { lost: true, chosen: false, cordoned: true })
  expect(all.blockers).toEqual([])
  expect(all.evicted.map(({ ref, whileCordoned }) => [ref.name, whileCordoned])).toEqual([
    ['web', 'n1'],
    ['ended', 'n1'],
    ['alone', 'n1'],
  ])
  expect(all.effects['Pod sea/web']).toMatch(/ReplicaSet own makes another .* emptyDir volumes is lost/)
  expect(all.warnings).toEqual([expect.stringMatching(/^2 pods stay, .*sea\/agent, sea\/kept\.$/)])
  const chosen = evictionOf([pod('agent', { owner: 'DaemonSet' })], { lost: true, chosen: true })
  expect(chosen.blockers).toEqual([{ pointer: '/nodes/0', detail: expect.stringMatching(/belongs to DaemonSet own/) }])
})

test('a paused Deployment replaces no pods, so it is not restarted', () => {
  const object = { ...live, kind: 'Deployment', spec: { paused: true } }
  expect(restartBlockers([{ object, pointer: '/objects/0' }])).toMatchObject([{ pointer: '/objects/0' }])
  expect(restartBlockers([{ object: { ...object, spec: {} }, pointer: '/objects/0' }])).toEqual([])
})
