import { type BenchOptions, type Keep, progress } from '../measure.ts'
import { openWorld, type World } from '../world/world.ts'
import { coldSync } from './w1.ts'
import { memory } from './w2.ts'
import { pages } from './w3.ts'
import { textSearch } from './w5.ts'
import { fanOut } from './w6.ts'
import { storms } from './w7.ts'
import { restart } from './w8.ts'
import { manyClusters } from './w9.ts'
import { tableInBrowser } from './w16.ts'

/** Hands over each result as soon as it is there. */
type Workload = (world: World, keep: Keep) => Promise<void>

/** The workloads of the mirror in the order in which they are run: those that change nothing first. */
export const mirrorWorkloads: Record<string, Workload> = {
  W1: async (world, keep) => keep(await coldSync(world)),
  W2: async (world, keep) => keep(await memory(world)),
  W3: (world, keep) => pages(world, ['W3'], keep),
  W4: (world, keep) => pages(world, ['W4'], keep),
  W5: async (world, keep) => keep(await textSearch(world)),
  W7: async (world, keep) => keep(await storms(world)),
  W6: async (world, keep) => keep(await fanOut(world)),
  W8: async (world, keep) => keep(await restart(world)),
  W16: tableInBrowser,
  W9: async (_, keep) => keep(await manyClusters()),
}

/** Runs them over one cluster; false when one has failed, which keeps the others from nothing. */
export async function runMirror(names: readonly string[], options: BenchOptions, keep: Keep): Promise<boolean> {
  const world = openWorld(options)
  let good = true
  try {
    for (const [name, run] of stepsOf(names)) {
      try {
        progress(`${name} begins`)
        await run(world, keep)
      } catch (error) {
        good = false
        console.error(`${name} has failed:`, error)
      }
    }
  } finally {
    await world.close()
  }
  return good
}

/** W3 and W4 want the same doors and peers, so they are one step when both are asked for. */
function stepsOf(names: readonly string[]): [string, Workload][] {
  const both = names.includes('W3') && names.includes('W4')
  return Object.entries(mirrorWorkloads).flatMap(([name, run]): [string, Workload][] => {
    if (!names.includes(name) || (both && name === 'W4')) return []
    return both && name === 'W3' ? [['W3 and W4', (world, keep) => pages(world, ['W3', 'W4'], keep)]] : [[name, run]]
  })
}
