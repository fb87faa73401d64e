import { expect, test } from 'vitest'
import { type ProgressEvent, stagesOf } from './progress.ts'

const event = (over: Partial<ProgressEvent>): ProgressEvent => ({
  stage: 'obtain',
  component: 'etcd',
  state: 'running',
  detail: '',
  elapsedSeconds: 0,
  ...over,
})

test('every stage is listed, and one that has not begun is waiting', () => {
  const stages = stagesOf([])
  expect(stages.map((stage) => stage.stage)).toEqual(['host', 'obtain', 'control-plane', 'node', 'addons', 'images'])
  expect(stages.every((stage) => stage.state === 'waiting')).toBe(true)
})

test('the newest event of each component is kept, in the order in which they appeared', () => {
  const [, obtain] = stagesOf([
    event({ percent: 10 }),
    event({ component: 'kubernetes' }),
    event({ state: 'done', percent: 100 }),
  ])
  expect(obtain?.components.map((one) => [one.component, one.state])).toEqual([
    ['etcd', 'done'],
    ['kubernetes', 'running'],
  ])
  expect(obtain?.state).toBe('running')
})

test('one failed component makes its stage failed, and all done makes it done', () => {
  expect(stagesOf([event({ state: 'done' }), event({ component: 'runc', state: 'failed' })])[1]?.state).toBe('failed')
  expect(stagesOf([event({ state: 'done' })])[1]?.state).toBe('done')
})
