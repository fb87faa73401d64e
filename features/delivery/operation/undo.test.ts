import { clusterConflict, type KubeObject, type KubeRef, rejectedByCluster } from '@quarterdeck/kernel'
import { expect, test } from 'vitest'
import { inOrder, type OperationRow, refusal, setStep, stepsOf, whyNotUndoable } from './operation.rules.ts'
import { laterSentences, undoRequest } from './undo.rules.ts'

const map = (name: string, value = '1'): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'dev' },
  data: { value },
})
const ref = (name: string): KubeRef => ({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'dev', name })

interface Wish {
  desired?: KubeObject[]
  removed?: KubeRef[]
  before?: KubeObject[]
  results?: OperationRow['results']
  state?: OperationRow['state']
  creates?: string[]
  undoneBy?: string
}
const row = (wish: Wish): OperationRow => ({
  id: 'o1',
  sequence: 1,
  type: 'thing.change',
  summary: 'Change it',
  actor: 'ann',
  reason: null,
  cluster: 'local',
  environment: 'dev',
  application: 'shop',
  target: 'local/dev/application/shop',
  intent: {
    desired: wish.desired ?? [],
    removed: wish.removed ?? [],
    before: wish.before ?? [],
    force: false,
    deadlineSeconds: 120,
  },
  plan: {
    kind: 'Plan',
    hash: '',
    summary: '',
    warnings: [],
    blockers: [],
    laterOperations: [],
    changes: (wish.creates ?? []).map((name) => ({
      ref: ref(name),
      action: 'create' as const,
      fields: [],
      conflicts: [],
      warnings: [],
      yaml: '',
    })),
  },
  steps: [],
  conditions: [],
  results: wish.results ?? [],
  progress: null,
  state: wish.state ?? 'Succeeded',
  acceptTime: '2026-11-21T10:00:00Z',
  startTime: null,
  endTime: null,
  undoes: null,
  undoneBy: wish.undoneBy ?? null,
})
const made = (name: string, created: boolean) => ({ ref: ref(name), uid: `uid-${name}`, created })
const undo = (of: OperationRow, later: OperationRow[] = []) => {
  const { desired, removed } = undoRequest(of, later, undefined)
  return { desired, removed }
}

test('what was created is deleted, and only that very object', () => {
  expect(undo(row({ desired: [map('a')], results: [made('a', true)] }))).toEqual({
    desired: [],
    removed: [{ ...ref('a'), uid: 'uid-a' }],
  })
})

test('what was changed gets its manifest of before, what was deleted is made again', () => {
  const before = [map('a', 'old'), map('b')]
  expect(undo(row({ desired: [map('a', 'new')], removed: [ref('b')], before, results: [made('a', false)] }))).toEqual({
    desired: before,
    removed: [],
  })
})

test('what others had and we only joined is given up, not deleted', () => {
  const nothing = {
    desired: [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'dev' } }],
    removed: [],
  }
  expect(undo(row({ desired: [map('a')], results: [made('a', false)] }))).toEqual(nothing)
  expect(undo(row({ desired: [map('a')], state: 'Running' }))).toEqual(nothing)
})

test('what a failed operation never got to is not touched; what one that still runs may make is deleted', () => {
  expect(undo(row({ desired: [map('a')], creates: ['a'], state: 'Failed' }))).toEqual({ desired: [], removed: [] })
  expect(undo(row({ desired: [map('a')], creates: ['a'], state: 'Running' })).removed).toEqual([ref('a')])
})

test('with later operations each object goes back to what it was before the first that touched it', () => {
  const first = row({ desired: [map('a', '2')], before: [map('a', '1')], results: [made('a', false)] })
  const second = row({
    desired: [map('a', '3'), map('b')],
    before: [map('a', '2')],
    results: [made('a', false), made('b', true)],
  })
  expect(undo(first, [second])).toEqual({ desired: [map('a', '1')], removed: [{ ...ref('b'), uid: 'uid-b' }] })
  expect(laterSentences([second])).toEqual(['Change it (ann, 2026-11-21T10:00:00Z, Succeeded)'])
})

test('an undo can itself be undone: it remembers what is there now', () => {
  const { before, target } = undoRequest(row({ desired: [map('a', '2')], before: [map('a', '1')] }), [], undefined)
  expect(before).toEqual([map('a', '2')])
  expect(target).toMatchObject({ cluster: 'local', namespace: 'dev', what: 'application/shop', application: 'shop' })
})

test('why something cannot be undone is a sentence', () => {
  expect(whyNotUndoable(row({}))).toBeUndefined()
  expect(whyNotUndoable(row({ undoneBy: 'o2' }))).toMatch(/undone already, by o2/)
  expect(whyNotUndoable(row({ state: 'Failed' }))).toMatch(/before it changed anything/)
  expect(whyNotUndoable(row({ state: 'Failed', results: [made('a', true)] }))).toBeUndefined()
})

test('namespaces and configuration come before what needs them', () => {
  const kinds = ['Deployment', 'Service', 'ConfigMap', 'Namespace'].map((kind) => ({ kind }))
  expect(inOrder(kinds).map(({ kind }) => kind)).toEqual(['Namespace', 'ConfigMap', 'Service', 'Deployment'])
})

test('a step keeps its start and gets its end once', () => {
  const [step] = stepsOf({ desired: [map('a')], removed: [], before: [], force: false, deadlineSeconds: 1 })
  const running = setStep([step as never], 'Apply ConfigMap a', { state: 'Running', message: 'x' }, 't1')
  const ended = setStep(running, 'Apply ConfigMap a', { state: 'Succeeded', message: '' }, 't2')
  expect(ended).toMatchObject([{ startTime: 't1', endTime: 't2' }])
  expect(setStep(ended, 'Apply ConfigMap a', { state: 'Succeeded', message: '' }, 't3')).toBe(ended)
})

test('a refusal says cause, consequence and what to do', () => {
  const problem = rejectedByCluster({ detail: 'Cluster local: too large.' })
  expect(refusal(problem, ref('a'), 0)).toMatchObject({
    reason: 'RejectedByCluster',
    message: 'ConfigMap dev/a: Cluster local: too large. Nothing was changed. Correct it and repeat.',
  })
  expect(refusal(clusterConflict({ detail: 'x.' }), ref('a'), 2).message).toContain('2 objects were changed before it')
})
