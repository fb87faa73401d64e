import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import type { MirroredCluster } from '@quarterdeck/mirror'
import { type Result, result } from '../measure.ts'
import { answerOf, requireSame } from '../oracle/answers.ts'
import { type Fact, readFacts } from '../oracle/facts.ts'
import { type FullCluster, fullCluster } from '../world/cluster.ts'
import { servedResources } from '../world/floor.ts'
import { usageOf } from '../world/usage.ts'
import { type MirrorProcess, mirrorProcess } from './mirror-process.ts'
import { precise } from './pages.ts'
import { answerOfPage, deepQuestions, listQueryOf, warmQuestions } from './questions.ts'

const CLUSTERS = 50
const PODS = 3_000
/** Real control planes, each with a cluster of its own: what this machine has room for beside everything else. */
const REAL = 3
const PAGES = 2_000

/** W9: fifty clusters of three thousand pods in one mirror, and dead ones among them. */
export async function manyClusters(): Promise<Result> {
  const real: FullCluster[] = []
  const mirror = mirrorProcess()
  try {
    for (let n = 0; n < REAL; n++) real.push(await fullCluster(PODS, { seed: 100 + n }))
    const facts = await Promise.all(real.map(podsOf))
    await mirror.open()
    const steps = await distinctClusters(mirror, real)
    const before = await measureMemory(mirror)
    const names = await register(mirror, real)
    const after = await measureMemory(mirror)
    const everything = facts.flatMap((one, n) => Array.from({ length: timesOf(n) }, () => one).flat())
    const asked = [...warmQuestions(everything, undefined), ...deepQuestions(everything, undefined)]
    for (const { question, right } of asked) {
      requireSame('over all clusters', answerOfPage(await mirror.list(listQueryOf(question))), right)
    }
    const queries = asked.map(({ question }) => listQueryOf(question))
    const alive = await mirror.time(queries, PAGES)
    const dead = await withDeadClusters(mirror, real[0]?.kubeconfig ?? '', async () => {
      const times = await mirror.time(queries, PAGES)
      const [one] = asked
      if (one)
        requireSame(
          'beside dead clusters',
          answerOfPage(await mirror.list(listQueryOf(one.question))),
          answerOf(everything, one.question),
        )
      return times
    })
    const growth = (key: 'bytes' | 'resident' | 'objects') => after[key] - before[key]
    const added = CLUSTERS - REAL
    const [first, last] = [steps[0], steps.at(-1)]
    const slope = (key: 'bytes' | 'resident') => ((last?.[key] ?? 0) - (first?.[key] ?? 0)) / (REAL - 1)
    const limit = 2e6 + 500 * PODS
    const measured = {
      distinctClusterBytesOverLimit: Math.max(0, Math.round(slope('bytes') - limit)),
      crossClusterP99Ms: precise(alive, 0.99),
      deadClustersAddedP99Ms: Math.round((precise(dead, 0.99) - precise(alive, 0.99)) * 100) / 100,
      crossClusterP50Ms: precise(alive, 0.5),
      distinctClusterMegabytes: megabytes(slope('bytes')),
      distinctClusterResidentMegabytes: megabytes(slope('resident')),
      registrationMegabytes: megabytes(growth('bytes') / added),
      registrationResidentMegabytes: megabytes(growth('resident') / added),
      residentMegabytes: megabytes(after.resident),
      clusters: names.length,
      pods: everything.length,
      objects: after.objects,
    }
    const target = { distinctClusterBytesOverLimit: 0, crossClusterP99Ms: 5, deadClustersAddedP99Ms: 1 }
    const remark = `Fifty control planes do not fit on this machine. ${REAL} real ones of ${PODS} pods each, all different: distinctCluster… is what the second and third add to the mirror (limit ${limit} bytes). Then the same ${REAL} are registered until there are ${CLUSTERS} clusters, each read over a connection of its own with the same credentials: registration… is what one of these adds, whose strings are known already. Pages over all ${everything.length} pods in the serving thread, without HTTP, eight sort orders, near and far; each compared with the oracle. Dead: one that refuses connections, one that accepts and never answers.`
    return result('W9', everything.length, target, measured, {}, remark)
  } finally {
    await mirror.kill()
    for (const one of real) await one.close()
  }
}

const megabytes = (bytes: number) => Math.round(bytes / 1e5) / 10
/** How often the n-th real cluster is registered in all. */
const timesOf = (n: number) => Math.floor(CLUSTERS / REAL) + (n < CLUSTERS % REAL ? 1 : 0)

async function podsOf({ plane }: FullCluster): Promise<Fact[]> {
  const pods = (await servedResources(plane.admin)).find(({ resource }) => resource === 'pods')
  if (!pods) throw new Error('The API server serves no pods')
  return readFacts(plane.admin, pods)
}

const registration = (name: string, kubeconfig: string): MirroredCluster => ({ name, kubeconfig, revision: '1' })

/** The real clusters one after the other; memory after each. */
async function distinctClusters(mirror: MirrorProcess, real: readonly FullCluster[]) {
  const steps: Awaited<ReturnType<typeof measureMemory>>[] = []
  for (const [n, { kubeconfig }] of real.entries()) {
    const name = `cluster-${n}-0`
    const done = mirror.synced([name])
    await mirror.watch([registration(name, kubeconfig)])
    await done
    await useIndexes(mirror)
    steps.push(await measureMemory(mirror))
  }
  return steps
}

/** So that every step of the memory holds the same orders and filters. */
async function useIndexes(mirror: MirrorProcess): Promise<void> {
  for (const field of ['name', 'created', 'restarts', 'node']) {
    await mirror.list({ resource: 'pods', sort: [{ field }], filter: { label: 'tier', values: ['front'] } })
  }
}

async function register(mirror: MirrorProcess, real: readonly FullCluster[]): Promise<string[]> {
  const more = real.flatMap(({ kubeconfig }, n) =>
    Array.from({ length: timesOf(n) - 1 }, (_, time) => registration(`cluster-${n}-${time + 1}`, kubeconfig)),
  )
  const names = more.map(({ name }) => name)
  const done = mirror.synced(names)
  await mirror.watch(more)
  await done
  await useIndexes(mirror)
  return [...real.map((_, n) => `cluster-${n}-0`), ...names]
}

async function measureMemory(mirror: MirrorProcess) {
  await mirror.memory()
  const { bytes, objects } = await mirror.metrics()
  return { bytes, objects, resident: usageOf(mirror.pid).residentBytes }
}

/** One address that refuses and one that never answers, while `during` runs. */
async function withDeadClusters<T>(mirror: MirrorProcess, kubeconfig: string, during: () => Promise<T>): Promise<T> {
  const silent = createServer(() => {})
  silent.listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const { port } = silent.address() as AddressInfo
  const at = (dead: number) => kubeconfig.replace(/https:\/\/127\.0\.0\.1:\d+/, `https://127.0.0.1:${dead}`)
  await mirror.watch([registration('refusing', at(1)), registration('silent', at(port))])
  try {
    return await during()
  } finally {
    await mirror.forget('refusing')
    await mirror.forget('silent')
    silent.close()
  }
}
