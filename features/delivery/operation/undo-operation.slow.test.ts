import { expect, test } from 'vitest'
import {
  accepted,
  between,
  change,
  configMap,
  counters,
  ended,
  get,
  namespace,
  platform,
  setStatus,
  undoOf,
  withThings,
} from '../../../test/platform/things.ts'
import { undoOperation } from './operation.contract.ts'

withThings()

test('an undo that failed does not stand in the way of undoing again, one that runs or succeeded does', async () => {
  const operation = accepted(await change('web', { replicas: 1, deadlineSeconds: 60 }))
  await platform.settle()
  await setStatus('web', counters(1, 1))
  await ended(operation)
  const changed = accepted(await change('web', { replicas: 2, deadlineSeconds: 60 }))
  await platform.settle()
  await setStatus('web', counters(2, 2))
  await ended(changed)
  const undo = accepted(await undoOf(changed))
  await platform.settle()
  await expect(undoOf(changed)).rejects.toMatchObject({ body: { type: '/problems/not-undoable' } })
  between.now = () => new Date(Date.now() + 61_000)
  await platform.resync()
  between.now = undefined
  expect((await get(undo.id)).state).toBe('Failed')
  expect(await get(changed.id)).toMatchObject({ undoable: true })
  const again = accepted(await undoOf(changed))
  await platform.settle()
  await setStatus('web', counters(3, 1))
  expect((await ended(again)).state).toBe('Succeeded')
  expect(await get(changed.id)).toMatchObject({ undoable: false, undoneBy: again.id })
})

test('of several undos of one operation at the same moment one is accepted', async () => {
  const operation = await ended(await change('one', { values: { a: '1' } }))
  process.env.QUARTERDECK_FAILPOINT = 'operation.accept.before-commit:delay:300'
  const undos = await Promise.allSettled([1, 2, 3, 4].map(() => undoOf(operation)))
  expect(undos.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  for (const undo of undos)
    if (undo.status === 'rejected') expect(undo.reason).toMatchObject({ body: { type: '/problems/not-undoable' } })
})

test('undo shows what others have changed since and takes it over only when forced', async () => {
  await ended(await change('one', { values: { a: '1' } }))
  const operation = await ended(await change('one', { values: { a: '2' } }))
  await platform.cluster.apply(
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'one', namespace }, data: { a: '3' } },
    { fieldManager: 'kubectl', force: true },
  )
  const undo = (query: object) => platform.client(undoOperation, { params: { operation: operation.id }, query })
  const plan = await undo({ dryRun: true })
  expect(plan.kind === 'Plan' && plan.changes[0]).toMatchObject({
    fields: [{ path: 'data.a', before: '3', after: '1' }],
    conflicts: [{ manager: 'kubectl', field: '.data.a' }],
  })
  await expect(undo({})).rejects.toMatchObject({ body: { type: '/problems/fields-managed-elsewhere', status: 409 } })
  expect((await ended(await undo({ force: true }))).state).toBe('Succeeded')
  expect((await configMap('one'))?.data).toEqual({ a: '1' })
})

test('undo of a creation leaves alone what somebody else has made anew under the name', async () => {
  const operation = await ended(await change('one', { values: { a: '1' } }))
  await platform.cluster.remove({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'one' })
  await platform.cluster.create({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'one', namespace },
    data: { theirs: 'yes' },
  })
  const undo = await ended(await platform.client(undoOperation, { params: { operation: operation.id }, query: {} }))
  expect(undo).toMatchObject({ state: 'Succeeded', plan: { changes: [{ action: 'unchanged' }] } })
  expect((await configMap('one'))?.data).toEqual({ theirs: 'yes' })
})
