import type { BenchOptions, Result } from '../measure.ts'
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

/** The workloads of the mirror in the order in which they are run: those that change nothing first. */
export const mirrorWorkloads: Record<string, (world: World) => Promise<Result[]>> = {
  W1: async (world) => [await coldSync(world)],
  W2: async (world) => [await memory(world)],
  W3: (world) => pages(world, ['W3']),
  W4: (world) => pages(world, ['W4']),
  W5: async (world) => [await textSearch(world)],
  W7: async (world) => [await storms(world)],
  W6: async (world) => [await fanOut(world)],
  W8: async (world) => [await restart(world)],
  W16: async (world) => [await tableInBrowser(world)],
  W9: async () => [await manyClusters()],
}

/** Runs them over one cluster; false when one has failed, which keeps the others from nothing. */
export async function runMirror(
  names: readonly string[],
  options: BenchOptions,
  keep: (result: Result) => void,
): Promise<boolean> {
  const world = openWorld(options)
  let good = true
  try {
    for (const [name, run] of stepsOf(names)) {
      try {
        console.error(`${name} begins`)
        for (const result of await run(world)) keep(result)
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
function stepsOf(names: readonly string[]): [string, (world: World) => Promise<Result[]>][] {
  const both = names.includes('W3') && names.includes('W4')
  return Object.entries(mirrorWorkloads).flatMap(([name, run]): [string, typeof run][] => {
    if (!names.includes(name) || (both && name === 'W4')) return []
    return both && name === 'W3' ? [['W3 and W4', (world) => pages(world, ['W3', 'W4'])]] : [[name, run]]
  })
}
