import { test } from 'vitest'
import { EVERYTHING } from '../mirror.ts'
import { THINGS } from './testing/random.ts'
import { RESOURCE, World } from './testing/world.ts'

test('[SCL-02] lists, totals, facets, sums, search and single objects are those of a plain filter and sort, whatever changed before', () => {
  for (let seed = 1; seed <= 8; seed += 1) {
    const world = new World(seed)
    for (let round = 0; round < 10; round += 1) {
      world.change(round === 0 ? 300 : world.dice.one([3, 20, 150]))
      if (world.dice.chance(20)) world.oracle.nowSeconds += 1 + world.dice.below(4)
      for (let query = 0; query < 6; query += 1) world.compareRandomList()
      world.compareFacets()
      world.compareSums()
      world.compareSearch()
      world.compareFind()
      world.compareHaving()
    }
  }
}, 120_000)

test('large tables, whose orders are made by counting, are in the same order', () => {
  const world = new World(100)
  for (const size of [6_000, 300]) {
    world.change(size)
    for (const { name } of THINGS.columns) {
      const sort = [{ field: name, descending: world.dice.chance(50) }]
      world.compareList({ resource: RESOURCE, sort, limit: 1_000 }, EVERYTHING)
    }
    world.compareSearch()
  }
}, 120_000)
