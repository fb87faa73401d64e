import type { KubeObject, KubeRef, MergePatch } from '@quarterdeck/kernel'
import { expect, test } from 'vitest'
import type { ChangeRequest } from './operation.contract.ts'
import { actsAs, type Intent, type OperationRow, stepsOf } from './operation.rules.ts'
import { reservedBlockers } from './reserved.rules.ts'
import { undoRequest } from './undo.rules.ts'

const ref = (name: string, kind = 'Deployment'): KubeRef => ({ apiVersion: 'apps/v1', kind, namespace: 'dev', name })
const pod = { apiVersion: 'v1', kind: 'Pod', namespace: 'dev', name: 'web-1' }
const NOTHING = { desired: [] as KubeObject[], removed: [], before: [], force: false, deadlineSeconds: 120 }

const patched = (name: string, patch: MergePatch, inverse: MergePatch) => ({
  ref: ref(name),
  uid: `${name}-uid`,
  patch,
  inverse,
})
const row = (intent: Partial<Intent>, rest: Partial<OperationRow> = {}): OperationRow =>
  ({
    id: 'o1',
    summary: 'Scale it',
    cluster: 'local',
    environment: 'dev',
    application: null,
    target: 'local/dev/scale.Deployment.web',
    intent: { ...NOTHING, ...intent },
    plan: { changes: [] },
    steps: [],
    conditions: [],
    results: (intent.patched ?? []).map((one) => ({ ref: one.ref, uid: one.uid, created: false })),
    state: 'Succeeded',
    ...rest,
  }) as unknown as OperationRow

test('undo of what was changed as it stood is the inverse, of several operations the inverse of all', () => {
  const first = row({ patched: [patched('web', { spec: { replicas: 3 } }, { spec: { replicas: 1 } })] })
  const second = row({
    patched: [patched('web', { spec: { replicas: 5, paused: true } }, { spec: { replicas: 3, paused: null } })],
  })
  expect(undoRequest(first, [], undefined).patched).toEqual([
    { ref: ref('web'), uid: 'web-uid', patch: { spec: { replicas: 1 } } },
  ])
  expect(undoRequest(first, [second], undefined)).toMatchObject({
    desired: [],
    removed: [],
    patched: [{ patch: { spec: { replicas: 1, paused: null } } }],
  })
})

test('what an operation never reached is not put back, and moved pods stay where they are', () => {
  const web = patched('web', { spec: { replicas: 3 } }, { spec: { replicas: 1 } })
  const failed = row({ patched: [web] }, { state: 'Failed', results: [] })
  expect(undoRequest(failed, [], undefined).patched).toEqual([])
  const drained = row({ patched: [web], evicted: [{ ref: pod, uid: 'p' }] })
  expect(undoRequest(drained, [], undefined)).toMatchObject({
    patched: [{ patch: { spec: { replicas: 1 } } }],
    warnings: [expect.stringMatching(/stay where they are/)],
  })
  expect(undoRequest(drained, [], undefined).evicted).toBeUndefined()
})

test('each object and each pod is a step, and a workload is waited for; the person acts', () => {
  const intent = { ...NOTHING, patched: [patched('web', {}, {})], evicted: [{ ref: pod, uid: 'p' }] }
  expect(stepsOf(intent).map(({ name }) => name)).toEqual([
    'Change Deployment web',
    'Evict Pod dev/web-1',
    'Wait until web is available',
  ])
  expect(actsAs(row({ patched: [] }))).toBe('person')
  expect(actsAs(row({ evicted: [] }))).toBe('person')
  expect(actsAs(row({}))).toBe('executor')
})

test('what keeps environments apart is patched by nobody', () => {
  const request = (kind: string, name: string, patch: MergePatch): ChangeRequest => ({
    type: 'object.edit',
    summary: '',
    target: { cluster: 'local', what: 'x' },
    desired: [],
    removed: [],
    before: [],
    patched: [{ ref: ref(name, kind), uid: 'u', patch }],
  })
  const blocked = (kind: string, name: string, patch: MergePatch) =>
    reservedBlockers(request(kind, name, patch)).length > 0
  expect(blocked('ResourceQuota', 'quarterdeck', { spec: { hard: { pods: '9' } } })).toBe(true)
  expect(blocked('RoleBinding', 'quarterdeck-executor', { subjects: [] })).toBe(true)
  expect(blocked('NetworkPolicy', 'theirs', { spec: {} })).toBe(false)
  expect(blocked('Namespace', 'dev', { metadata: { labels: { 'quarterdeck.dev/project': 'x' } } })).toBe(true)
  expect(blocked('Namespace', 'dev', { metadata: { labels: { 'quarterdeck.dev/project': null } } })).toBe(true)
  expect(blocked('Namespace', 'dev', { metadata: { labels: null } })).toBe(true)
  expect(blocked('Namespace', 'dev', { metadata: { labels: { team: 'x' } } })).toBe(false)
})
