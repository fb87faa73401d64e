import { clusterUnreachable, rejectedByCluster } from '@quarterdeck/kernel'
import { expect, test } from 'vitest'
import {
  accepted,
  between,
  change,
  configMap,
  deployment,
  ended,
  get,
  namespace,
  outcomes,
  platform,
  withThings,
} from '../../../test/platform/things.ts'
import { operationFailpoints } from './failpoints.rules.ts'

withThings()

test('again changes nothing: carrying out what is done writes to neither cluster nor database', async () => {
  const operation = await ended(await change('one', { values: { a: '1' } }))
  const writes = await platform.writes(namespace)
  await platform.resync()
  await platform.resync()
  expect(await platform.writes(namespace)).toEqual(writes)
  expect(await get(operation.id)).toEqual(operation)
  const again = await ended(await change('one', { values: { a: '1' } }))
  expect(again).toMatchObject({ state: 'Succeeded', plan: { changes: [{ action: 'unchanged', fields: [] }] } })
})

test('a lost hint is repaired', async () => {
  platform.loseHints()
  const operation = accepted(await change('one', { values: { a: '1' } }))
  await platform.settle()
  expect((await get(operation.id)).state).toBe('Accepted')
  await platform.resync()
  expect((await get(operation.id)).state).toBe('Succeeded')
  await platform.reset()
})

test('a process that dies between apply and result leaves nothing to do twice', async () => {
  process.env.QUARTERDECK_FAILPOINT = `operation.apply.after:throw`
  const operation = await ended(await change('one', { values: { a: '1' } }))
  expect(operation.state).toBe('Succeeded')
  expect((await platform.writes(namespace)).filter(({ name }) => name === 'one')).toHaveLength(1)
  expect(await outcomes(operation.id)).toEqual(['intent', 'succeeded'])
})

test.each(operationFailpoints.filter((name) => !name.startsWith('operation.accept')))(
  'a process that dies at %s leaves an operation that ends exactly once',
  async (name) => {
    await ended(await change('one', { values: { a: '1' } }))
    process.env.QUARTERDECK_FAILPOINT = `${name}:throw:1:${namespace}`
    const operation = name.includes('remove')
      ? await ended(await change('one', { remove: true }))
      : await ended(await change('one', { values: { a: '2' } }))
    expect(operation.state).toBe('Succeeded')
    expect((await configMap('one'))?.data).toEqual(name.includes('remove') ? undefined : { a: '2' })
    expect(await outcomes(operation.id)).toEqual(['intent', 'succeeded'])
  },
)

test('what the cluster refuses after the plan ends the operation with cause, consequence and what to do', async () => {
  platform.loseHints()
  const operation = accepted(await change('one', { values: { a: '1' } }))
  await platform.cluster.apply(
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'one', namespace }, data: { a: '9' } },
    { fieldManager: 'kubectl' },
  )
  await platform.resync()
  const failed = await get(operation.id)
  expect(failed).toMatchObject({ state: 'Failed', undoable: false, conditions: [{ reason: 'FieldsManagedElsewhere' }] })
  expect(failed.conditions[0]?.message).toMatch(/\.data\.a by kubectl.*Nothing was changed\..*Plan it again/)
  expect((await configMap('one'))?.data).toEqual({ a: '9' })
  await platform.reset()
})

test('objects that do not need each other are sent together, and a refusal of one waits for the other', async () => {
  const sent: string[] = []
  const both = Promise.withResolvers<void>()
  between.broken = {
    async apply(object, options) {
      sent.push(object.kind)
      if (sent.length === 2) both.resolve()
      await both.promise
      if (object.kind === 'Service') throw rejectedByCluster({ detail: 'provided port is already allocated.' })
      return platform.cluster.apply(object, options)
    },
  }
  const operation = await ended(await change('one', { replicas: 0, service: true }))
  expect(sent.sort()).toEqual(['Deployment', 'Service'])
  expect(operation).toMatchObject({ state: 'Failed', undoable: true, conditions: [{ reason: 'RejectedByCluster' }] })
  expect(operation.conditions[0]?.message).toMatch(/^Service .*already allocated\. One object was changed/)
  expect(operation.steps.map(({ name, state }) => `${name} ${state}`)).toEqual([
    'Apply Service one Failed',
    'Apply Deployment one Succeeded',
    'Wait until one is available Skipped',
  ])
  expect(await platform.cluster.get(deployment('one'))).toBeDefined()
})

test('an answer that was lost is looked up before another object’s refusal ends the operation', async () => {
  let lost = 0
  between.broken = {
    async apply(object, options) {
      if (object.kind === 'Service') throw rejectedByCluster({ detail: 'provided port is already allocated.' })
      const applied = await platform.cluster.apply(object, options)
      if (options?.dryRun || lost++ > 0) return applied
      throw clusterUnreachable({ detail: 'The connection was cut.', ambiguous: true })
    },
  }
  const { id } = accepted(await change('one', { replicas: 0, service: true }))
  await platform.settle()
  expect(await get(id)).toMatchObject({ state: 'Unknown', conditions: expect.arrayContaining([UNKNOWN]) })
  const operation = await ended(await get(id))
  expect(operation).toMatchObject({ state: 'Failed', undoable: true })
  expect(operation.conditions.map(({ message }) => message).join()).toContain('One object was changed')
  expect((await platform.writes(namespace)).filter(({ name }) => name === 'one')).toHaveLength(1)
})
const UNKNOWN = expect.objectContaining({ type: 'OutcomeKnown', status: 'Unknown' })
