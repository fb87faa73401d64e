import { expect, test } from 'vitest'
import { coalesced } from './coalesced.ts'

test('whoever asks during a read gets one that began afterwards, shared with all who did', async () => {
  const reads: PromiseWithResolvers<void>[] = []
  const refresh = coalesced(() => {
    const one = Promise.withResolvers<void>()
    reads.push(one)
    return one.promise
  })
  const ended: string[] = []
  const ask = (name: string) => refresh().then(() => ended.push(name))
  const all = [ask('first'), ask('second'), ask('third')]
  expect(reads).toHaveLength(1)
  reads[0]?.resolve()
  await expect.poll(() => reads.length).toBe(2)
  expect(ended).toEqual(['first'])
  reads[1]?.resolve()
  await Promise.all(all)
  expect(ended.sort()).toEqual(['first', 'second', 'third'])
  expect(reads).toHaveLength(2)
})

test('a read that fails fails for who asked for it, and those who wait get the next', async () => {
  let count = 0
  const refresh = coalesced(async () => {
    if (count++ === 0) throw new Error('the store is away')
  })
  const [first, second] = await Promise.allSettled([refresh(), refresh()])
  expect([first.status, second.status, count]).toEqual(['rejected', 'fulfilled', 2])
  await refresh()
  expect(count).toBe(3)
})
