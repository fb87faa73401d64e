import { setTimeout as sleep } from 'node:timers/promises'
import { type BenchOptions, progress } from '../measure.ts'
import { type Fact, readFacts } from '../oracle/facts.ts'
import { type FullCluster, fullCluster } from './cluster.ts'
import { type ServedResource, servedResources } from './floor.ts'

/** What the workloads of one run share: one full cluster, and what the oracle knows of it. */
export interface World {
  readonly options: BenchOptions
  /** Brought up by the first who asks. */
  cluster(): Promise<FullCluster>
  served(): Promise<ServedResource[]>
  /** What the API server has of each kind; read when first asked for, and again after `changed`. */
  pods(): Promise<Fact[]>
  others(): Promise<Fact[]>
  /** Pods have been changed. */
  changed(): void
  close(): Promise<void>
}

/** `pods` is what a run without `--pods` has. */
export function openWorld(options: BenchOptions, pods = 10_000): World {
  let cluster: Promise<FullCluster> | undefined
  let served: Promise<ServedResource[]> | undefined
  let facts: Promise<Fact[]> | undefined
  let others: Promise<Fact[]> | undefined
  const world: World = {
    options,
    cluster() {
      cluster ??= bringUp(options.pods ?? pods, options.heavy ?? false)
      return cluster
    },
    served() {
      served ??= world.cluster().then(({ plane }) => servedResources(plane.admin))
      return served
    },
    pods() {
      facts ??= readKind(world, 'pods')
      return facts
    },
    others() {
      others ??= readOthers(world)
      return others
    },
    changed() {
      facts = undefined
    },
    async close() {
      await (await cluster)?.close()
    },
  }
  return world
}

async function bringUp(pods: number, heavy: boolean): Promise<FullCluster> {
  const cluster = await fullCluster(pods, { heavy })
  const { objects, seedSeconds, readySeconds } = cluster
  progress(
    `${objects} objects in etcd after ${seedSeconds.toFixed(1)} s, API server ready after ${readySeconds.toFixed(1)} s`,
  )
  // The API server goes on working for a moment after it has said that it is ready.
  await sleep(Math.min(10_000, 2_000 + pods / 15))
  return cluster
}

async function readKind(world: World, resource: string): Promise<Fact[]> {
  const { plane } = await world.cluster()
  const served = (await world.served()).find((one) => one.resource === resource)
  if (!served) throw new Error(`The API server serves no ${resource}`)
  progress(`reads all ${resource} for the oracle`)
  return readFacts(plane.admin, served)
}

async function readOthers(world: World): Promise<Fact[]> {
  const { plane } = await world.cluster()
  progress('reads all other kinds for the oracle')
  const facts: Fact[] = []
  for (const served of await world.served()) {
    if (served.resource !== 'pods') facts.push(...(await readFacts(plane.admin, served)))
  }
  return facts
}
