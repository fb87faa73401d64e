import { expect, test } from 'vitest'
import { Clusters } from '../../serving/clusters.ts'
import { BatchWriter, kindOf, type PlainRow } from '../../serving/testing/batches.ts'
import { Dice } from '../../serving/testing/random.ts'
import { Table } from '../table.ts'
import { Order } from './order.ts'

const KIND = kindOf('things', [])
/** Beginnings of one another, cut at different places. */
const NAMES = [
  'app',
  'app-',
  'app-1',
  'app-1-',
  'app-1-x',
  'app-z',
  'app-1-x.y',
  'apple',
  'a',
  'app-1:',
  'app-10',
  'app-1-x-00000000',
  'app-1-x-000000000',
  'é-1',
  'app.1',
]

const row = (name: string, at: number): PlainRow => ({
  cluster: 0,
  uid: [at, 0, 0, 0],
  revision: 1,
  values: { namespace: 'a', name },
})

function tableOf(names: string[]) {
  const clusters = new Clusters()
  clusters.add('one')
  const table = new Table(0, KIND, () => true)
  const writer = new BatchWriter(0, KIND)
  table.apply(
    writer.batch(
      [],
      names.map((name, at) => [at, row(name, at)]),
    ),
  )
  return { table, writer, order: new Order(table, clusters, [{ field: 'name' }], new Order(table, clusters, [])) }
}

const bytes = (text: string) => Buffer.from(text).toString('latin1')
const sorted = (names: string[]) => names.map(bytes).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
const inOrder = (order: Order, names: string[]) =>
  Array.from(order.refresh().rows.subarray(0, order.length), (at) => bytes(names[at] ?? ''))

test.each([20, 3_000])(
  'names are in the order of their bytes wherever they are cut, when first made and after changes (%i rows)',
  (count) => {
    const dice = new Dice(count)
    const name = () =>
      dice.chance(50) ? dice.one(NAMES) : `${dice.one(NAMES)}${dice.one(['', '-', '.', 'x'])}${dice.below(200)}`
    const names = Array.from({ length: count }, name)
    const { table, writer, order } = tableOf(names)
    expect(inOrder(order, names)).toEqual(sorted(names))
    for (let round = 0; round < 10; round += 1) {
      const changed = new Map(
        Array.from({ length: 1 + dice.below(count / 20) }, () => [dice.below(count), name()] as const),
      )
      for (const [at, other] of changed) names[at] = other
      table.apply(
        writer.batch(
          [],
          [...changed].map(([at, other]) => [at, row(other, at)]),
        ),
      )
      expect(inOrder(order, names)).toEqual(sorted(names))
    }
  },
)

test('changes that leave a row where it is leave the order as it is', () => {
  const names = Array.from({ length: 2_000 }, (_, at) => `web-${at}`)
  const { table, writer, order } = tableOf(names)
  const { version } = order.refresh()
  table.apply(writer.batch([], [[7, { ...row('web-7', 7), revision: 9 }]]))
  expect(order.refresh().version).toBe(version)
  table.apply(writer.batch([8], []))
  expect(order.refresh().version).not.toBe(version)
  expect(order.length).toBe(1_999)
})
