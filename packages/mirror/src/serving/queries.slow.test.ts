import { expect, test } from 'vitest'
import { EVERYTHING } from '../mirror.ts'
import { THINGS } from './testing/random.ts'
import { RESOURCE, World } from './testing/world.ts'

test('[SCL-02] thousands of random queries on random tables under random changes are answered as a plain filter and sort does', () => {
  let queries = 0
  for (let seed = 1_000; seed < 1_100; seed += 1) {
    const world = new World(seed)
    for (let round = 0; round < 15; round += 1) {
      world.change(round === 0 ? world.dice.one([5, 300, 900]) : world.dice.one([2, 20, 200]))
      if (world.dice.chance(20)) world.oracle.nowSeconds += 1 + world.dice.below(4)
      for (let query = 0; query < 12; query += 1) world.compareRandomList()
      world.compareFacets()
      world.compareSums()
      world.compareSearch()
      world.compareFind()
      world.compareHaving()
      queries += 16
    }
  }
  expect(queries).toBe(24_000)
}, 600_000)

test('large tables are in the same order, first made and then kept up to date', () => {
  for (let seed = 2_000; seed < 2_004; seed += 1) {
    const world = new World(seed)
    for (const size of [12_000, 400, 3_000, 20]) {
      world.change(size)
      for (const { name } of THINGS.columns) {
        const sort = [{ field: name, descending: world.dice.chance(50) }]
        world.compareList({ resource: RESOURCE, sort, limit: 1_000 }, EVERYTHING)
      }
      for (let query = 0; query < 6; query += 1) world.compareRandomList()
      world.compareSearch()
      world.compareFacets()
    }
  }
}, 600_000)
