import { setTimeout as sleep } from 'node:timers/promises'
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
  outcomes,
  platform,
  setStatus,
  undoOf,
  withThings,
} from '../../../test/platform/things.ts'

withThings()

test('a newer operation of the same target overtakes one that waits, and both end once', async () => {
  const first = accepted(await change('web', { replicas: 1 }))
  await platform.settle()
  expect((await get(first.id)).state).toBe('Running')
  const second = accepted(await change('web', { replicas: 2 }))
  const overtaken = await ended(first)
  expect(overtaken).toMatchObject({
    state: 'Failed',
    conditions: [{ type: 'Succeeded', status: 'False', reason: 'Superseded' }],
  })
  expect(overtaken.conditions[0]?.message).toContain(second.id)
  await platform.settle()
  await setStatus('web', counters(2, 2))
  expect((await ended(second)).state).toBe('Succeeded')
  expect(await outcomes(first.id)).toEqual(['intent', 'failed'])
})

test('a delete or an undo takes away what an operation makes that had not got to it when it was planned', async () => {
  process.env.QUARTERDECK_FAILPOINT = 'operation.apply.before:delay:1500'
  accepted(await change('one', { values: { a: '1' } }))
  const removed = accepted(await change('one', { remove: true }))
  expect(removed.plan.changes).toMatchObject([{ action: 'unchanged' }])
  const first = await ended(removed)
  expect(first).toMatchObject({ state: 'Succeeded', conditions: [{ message: 'Done.' }] })
  expect(await configMap('one')).toBeUndefined()
  const undone = await ended(await undoOf(accepted(await change('two', { values: { a: '1' } }))))
  expect(undone.state).toBe('Succeeded')
  expect(await configMap('two')).toBeUndefined()
})

test('a delete takes away what was made between its plan and its acceptance', async () => {
  platform.loseHints()
  accepted(await change('one', { values: { a: '1' } }))
  process.env.QUARTERDECK_FAILPOINT = 'operation.accept.before-commit:delay:1500'
  const removing = change('one', { remove: true })
  await sleep(700)
  await platform.resync()
  expect(await configMap('one')).toBeDefined()
  const removed = accepted(await removing)
  await platform.resync()
  expect((await get(removed.id)).state).toBe('Succeeded')
  expect(await configMap('one')).toBeUndefined()
  await platform.reset()
})

test('an operation that is overtaken before its answers were written down stays undoable', async () => {
  // Applied, and then it can neither look nor write.
  process.env.QUARTERDECK_FAILPOINT = `operation.apply.after:throw:1:${namespace}-doubt`
  between.broken = { get: () => Promise.reject(new Error('the process dies again')) }
  const first = accepted(await change('one', { values: { a: '1' } }))
  while (!(await configMap('one'))) await sleep(5)
  const second = accepted(await change('one', { values: { a: '2' } }))
  const overtaken = await ended(first)
  expect(overtaken).toMatchObject({ state: 'Failed', undoable: true })
  expect(overtaken.conditions).toContainEqual(expect.objectContaining({ type: 'OutcomeKnown', status: 'Unknown' }))
  between.broken = {}
  await ended(second)
  await ended(await undoOf(first))
  expect(await configMap('one')).toBeUndefined()
})
