import { customObjects, definitions } from './custom.ts'
import { namespaceNames } from './names.ts'
import { randomOf } from './random.ts'
import type { ClusterShape, Generated } from './shape.ts'
import { contents, namespaces, nodes } from './surroundings.ts'
import { workloads } from './workloads.ts'

/** Every object of a cluster of this shape, one after the other; the same again for the same shape. */
export function* generate(shape: ClusterShape): Generator<Generated> {
  // Each part has numbers of its own, so that a change of one leaves the others as they were.
  const part = (n: number) => randomOf(shape.seed + n * 1_000_003)
  yield* namespaces(part(1), shape)
  yield* nodes(part(2), shape)
  yield* definitions(part(3))
  yield* generatePods(shape)
  yield* contents(part(5), shape)
  yield* customObjects(part(6), shape)
}

/** The workloads and pods among them. */
export const generatePods = (shape: ClusterShape): Generator<Generated> =>
  workloads(randomOf(shape.seed + 4_000_012), shape, namespaceNames(shape.namespaces))
