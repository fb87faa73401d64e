import { expect, test } from 'vitest'
import { conditionsOf, whyNotRunning } from './condition.rules.ts'

test("[CLU-19] a pod that no node takes says the scheduler's sentence", () => {
  const message = '0/3 nodes are available: 3 Insufficient cpu.'
  const pod = {
    status: {
      phase: 'Pending',
      conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }],
    },
  }
  expect(whyNotRunning(pod)).toEqual([{ what: 'Unschedulable', why: message }])
})

test('a container that waits or has failed is named with its reason; one that starts or has done its work is not', () => {
  const state = (name: string, one: object) => ({ name, state: one })
  const pod = {
    status: {
      phase: 'Running',
      initContainerStatuses: [state('init', { terminated: { exitCode: 0, reason: 'Completed' } })],
      containerStatuses: [
        state('web', { waiting: { reason: 'ImagePullBackOff', message: 'Back-off pulling image' } }),
        state('late', { waiting: { reason: 'ContainerCreating' } }),
        state('dead', { terminated: { exitCode: 137, reason: 'OOMKilled' } }),
        state('well', { running: {} }),
      ],
    },
  }
  expect(whyNotRunning(pod).map(({ what }) => what)).toEqual(['web: ImagePullBackOff', 'dead: OOMKilled (137)'])
  expect(whyNotRunning({ status: { phase: 'Succeeded' } })).toEqual([])
  expect(whyNotRunning({})).toEqual([])
})

test('a condition is good when it says so: some are good when they are False', () => {
  const tones = (type: string, status: string) => conditionsOf({ status: { conditions: [{ type, status }] } })[0]?.tone
  expect(tones('Ready', 'True')).toBe('good')
  expect(tones('Ready', 'False')).toBe('bad')
  expect(tones('MemoryPressure', 'False')).toBe('good')
  expect(tones('MemoryPressure', 'True')).toBe('bad')
  expect(tones('Ready', 'Unknown')).toBe('mute')
  expect(conditionsOf({ status: { conditions: 'odd' } })).toEqual([])
})
