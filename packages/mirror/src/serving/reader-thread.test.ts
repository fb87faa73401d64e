import { expect, test } from 'vitest'
import { ReaderThread } from './reader-thread.ts'

const SCRIPT = new URL('./testing/dying-thread.ts', import.meta.url)

test('a reading thread that dies or gives up is followed by another one; one that is closed is not', async () => {
  const told: string[] = []
  let next = Promise.withResolvers<void>()
  const happened = (what: string) => {
    told.push(what)
    next.resolve()
    next = Promise.withResolvers()
  }
  const thread = new ReaderThread(
    { searchedAnnotations: [] },
    {
      started: (again) => happened(again ? 'started again' : 'started'),
      message: () => undefined,
      ended: (cause, soon) => happened(`${cause}, ${soon ? 'soon' : 'late'}`),
    },
    SCRIPT,
  )
  const until = async (count: number) => {
    while (told.length < count) await next.promise
  }
  thread.start()
  thread.post({ type: 'forget', cluster: 0 })
  await until(3)
  thread.post({ type: 'restore' } as never)
  await until(5)
  await thread.close()
  expect(told).toEqual(['started', 'died of forget, soon', 'started again', 'gave up, soon', 'started again'])
}, 60_000)
