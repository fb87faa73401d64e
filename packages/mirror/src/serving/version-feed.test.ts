import { expect, test } from 'vitest'
import type { ObjectChange } from '../batch.ts'
import { kindOf } from './testing/batches.ts'
import { VersionFeed } from './version-feed.ts'

const KIND = kindOf('deployments.apps', [])
const change = (name: string): ObjectChange => ({
  change: 'changed',
  namespace: 'shop',
  name,
  uid: name,
  generation: 2,
  revision: '7',
  time: 1,
  manager: 'kubectl',
  managedTime: '',
  content: '{}',
})

test('changes are recorded one call at a time, in order; what failed is offered again before what came later', async () => {
  const recorded: string[] = []
  const warnings: string[] = []
  let busy = 0
  let failures = 2
  const record = async (cluster: string, _kind: unknown, changes: ObjectChange[]) => {
    busy += 1
    expect(busy).toBe(1)
    await Promise.resolve()
    busy -= 1
    if (cluster === 'b' && failures > 0) {
      failures -= 1
      throw new Error('no database')
    }
    recorded.push(...changes.map(({ name }) => `${cluster}/${name}`))
  }
  const log = { info: () => undefined, warn: (_fields: object, message: string) => void warnings.push(message) }
  const feed = new VersionFeed({ record }, log, 1)
  feed.add('a', KIND, [change('one'), change('two')])
  feed.add('b', KIND, [change('three')])
  feed.add('a', KIND, [change('four')])
  await feed.close(20_000)
  expect(recorded).toEqual(['a/one', 'a/two', 'b/three', 'a/four'])
  expect(warnings).toHaveLength(2)
})
