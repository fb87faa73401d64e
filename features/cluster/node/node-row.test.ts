import { expect, test } from 'vitest'
import { NODE_COLUMNS, nodeRows, zonesOf } from './node-row.rules.ts'

const row = (name: string, status: string, zone: string | null, wrong: string[] | null = null) => ({
  id: 1,
  cluster: 'a',
  uid: name,
  revision: '1',
  values: [name, status, wrong, null, zone, 'v1.34.1', 1, 4, 8, 110],
})
const sum = (value: string, count: number, cpu: number, memory: number) => ({ value, count, sums: [cpu, memory] })

test('[CLU-13] a node has what the pods on it ask for; one without pods has nothing asked for', () => {
  const [busy, idle] = nodeRows(
    NODE_COLUMNS,
    [row('n1', 'Ready', null), row('n2', 'Ready', null)],
    [sum('n1', 7, 2, 4)],
  )
  expect(busy).toMatchObject({ name: 'n1', pods: 7, podLimit: 110, cpuRequestedCores: 2, memoryRequestedBytes: 4 })
  expect(idle).toMatchObject({ name: 'n2', pods: 0, cpuRequestedCores: 0, roles: ['worker'] })
})

test('nodes that are not well come first, then the fullest', () => {
  const rows = [
    row('calm', 'Ready', null),
    row('full', 'Ready', null),
    row('cordoned', 'Ready,SchedulingDisabled', null),
    row('pressed', 'Ready', null, ['MemoryPressure']),
    row('gone', 'NotReady', null, ['NotReady']),
  ]
  const names = nodeRows(NODE_COLUMNS, rows, [sum('full', 3, 4, 1)]).map(({ name }) => name)
  expect(names).toEqual(['gone', 'pressed', 'cordoned', 'full', 'calm'])
})

test('[CLU-05] zones hold what their nodes have together; without any zone there are none', () => {
  const nodes = nodeRows(
    NODE_COLUMNS,
    [row('n1', 'Ready', 'east'), row('n2', 'NotReady', 'east'), row('n3', 'Ready', 'west'), row('n4', 'Ready', null)],
    [sum('n1', 2, 1, 2), sum('n2', 1, 1, 1)],
  )
  expect(zonesOf(nodes).map(({ zone, nodes: all, readyNodes }) => [zone, all, readyNodes])).toEqual([
    ['', 1, 1],
    ['east', 2, 1],
    ['west', 1, 1],
  ])
  expect(zonesOf(nodes)[1]).toMatchObject({ cpuCores: 8, cpuRequestedCores: 2, memoryRequestedBytes: 3, pods: 3 })
  expect(zonesOf(nodeRows(NODE_COLUMNS, [row('n1', 'Ready', null)], []))).toEqual([])
})
