import { freemem } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { progress, type Result, result } from '../measure.ts'
import { requireSame } from '../oracle/answers.ts'
import { goPeer } from '../peers/go-peer.ts'
import { kubectlGetPods } from '../peers/kubectl-peer.ts'
import { type FloorAnswer, readToNowhere } from '../world/floor.ts'
import { forgetPeak, stopwatch, threadsOf, usageOf } from '../world/usage.ts'
import type { World } from '../world/world.ts'
import { mirrorProcess, type Synced } from './mirror-process.ts'
import { answerOfPage, listQueryOf, thirdOf, warmQuestions } from './questions.ts'

/** Until the threads of a mirror that reads nothing yet are up, as they are in a server that gets a cluster. */
const SETTLE_MS = 1_500

interface Sync extends Synced {
  cpuSeconds: number
  threads: Record<string, number>
  peakRiseBytes: number
  apiServerCpuSeconds: number
}

/** W1: from connecting to the first complete list, beside reading the same lists to nowhere, and beside others. */
export async function coldSync(world: World): Promise<Result> {
  const { plane, kubeconfig } = await world.cluster()
  const pods = await world.pods()
  const paths = (await world.served()).map(({ path }) => path)
  const floor = (which: string[], way: 'list' | 'watchList') =>
    readToNowhere({ endpoint: plane.admin, paths: which, way })
  const apiServer = plane.pid('kube-apiserver')
  const ours: Sync[] = []
  const all: FloorAnswer[] = []
  const podsOnly: FloorAnswer[] = []
  progress('the floor, once for nothing')
  await floor(paths, 'list') // whoever comes first would pay for what the API server has not cached yet
  for (let round = 0; round < (world.options.rounds ?? 2); round++) {
    progress(`round ${round + 1}: ours and the floor in turn`)
    const steps = [
      async () => void all.push(await floor(paths, 'list')),
      async () => void ours.push(await sync(world, kubeconfig, apiServer)),
    ]
    for (const step of round % 2 === 0 ? steps : steps.toReversed()) await step()
    podsOnly.push(await floor(['/api/v1/pods'], 'list'))
  }
  progress('peers: streaming list, client-go, controller-runtime, kubectl')
  const watchList = await floor(['/api/v1/pods'], 'watchList')
  const informer = await goPeer('informer', plane.kubeconfigFile)
  await informer.stop()
  const cache = await goPeer('cache', plane.kubeconfigFile)
  await cache.stop()
  // kubectl needs 35 KB a pod: it is left out where it would push somebody else out of memory.
  const kubectl: Result['peers'] =
    freemem() > pods.length * 60_000 ? { kubectlGetPods: await kubectlGetPods(plane.kubeconfigFile) } : {}
  const best = [...ours].sort((a, b) => a.allMs - b.allMs)[0] ?? ours[0]
  if (!best) throw new Error('Nothing was measured')
  const floorMs = Math.min(...all.map(({ wallMs }) => wallMs))
  const measured = {
    wallRatio: round2(best.allMs / floorMs),
    cpuSeconds: round2(best.cpuSeconds),
    peakRiseMegabytes: Math.round(best.peakRiseBytes / 1e6),
    firstPageMs: Math.round(best.firstPageMs),
    wallMs: Math.round(best.allMs),
    podsMs: Math.round(best.podsMs),
    firstPageTotal: best.firstPageTotal,
    objects: best.objects,
    cpuMicrosecondsPerObject: round2((best.cpuSeconds / best.objects) * 1e6),
    apiServerCpuSeconds: round2(best.apiServerCpuSeconds),
    worstWallMs: Math.round(Math.max(...ours.map(({ allMs }) => allMs))),
    ...Object.fromEntries(
      Object.entries(best.threads).map(([name, seconds]) => [`${name}ThreadCpuSeconds`, round2(seconds)]),
    ),
  }
  const target = { wallRatio: 1.15, cpuSeconds: 1.0, peakRiseMegabytes: 120, firstPageMs: 300 }
  const floors = (name: string, answers: FloorAnswer[]) => {
    const one = [...answers].sort((a, b) => a.wallMs - b.wallMs)[0]
    return one
      ? {
          [name]: {
            wallMs: Math.round(one.wallMs),
            cpuSeconds: round2(one.cpuSeconds),
            megabytes: Math.round(one.bytes / 1e6),
            firstByteMs: Math.round(one.firstByteMs),
          },
        }
      : {}
  }
  const goSync = ({ syncMs, syncCpuSeconds, syncPeakBytes, objects }: typeof informer) => ({
    podsMs: syncMs,
    cpuSeconds: round2(syncCpuSeconds),
    peakMegabytes: Math.round(syncPeakBytes / 1e6),
    cpuMicrosecondsPerObject: round2((syncCpuSeconds / objects) * 1e6),
  })
  const peers = {
    ...floors('toNowhereAllKinds', all),
    ...floors('toNowherePods', podsOnly),
    ...floors('toNowherePodsWatchList', [watchList]),
    clientGoInformerPods: goSync(informer),
    controllerRuntimeCachePods: goSync(cache),
    ...kubectl,
  }
  const remark = `Ours reads every kind (${paths.length}), the informers and kubectl only pods. wallRatio: until every kind is complete, over the same lists of all kinds read to nowhere over HTTP/2; best of ${ours.length} each, taken in turn, each in a fresh process. CPU is of the whole process from before it connects.`
  return result('W1', pods.length, target, measured, peers, remark)
}

async function sync(world: World, kubeconfig: string, apiServer: number): Promise<Sync> {
  const { profileFolder } = world.options
  const process = mirrorProcess(profileFolder === undefined ? {} : { profileFolder })
  try {
    await process.open()
    await sleep(SETTLE_MS)
    await process.memory()
    forgetPeak(process.pid)
    const before = usageOf(process.pid)
    const threadsBefore = threadsOf(process.pid)
    const clock = stopwatch({ apiServer })
    const done = process.synced(['bench'])
    await process.watch([{ name: 'bench', kubeconfig, revision: '1' }])
    const times = await done
    const after = usageOf(process.pid)
    const threads = Object.fromEntries(
      Object.entries(threadsOf(process.pid))
        .map(([name, seconds]) => [name, seconds - (threadsBefore[name] ?? 0)] as const)
        .filter(([, seconds]) => seconds > 0.02),
    )
    await requireRight(world, process)
    return {
      ...times,
      cpuSeconds: after.cpuSeconds - before.cpuSeconds,
      threads,
      peakRiseBytes: after.peakBytes - before.residentBytes,
      apiServerCpuSeconds: clock.read().apiServer ?? 0,
    }
  } finally {
    await (profileFolder === undefined ? process.kill() : process.close())
  }
}

/** Pages of a reader who sees a third of the namespaces, every sort order. */
async function requireRight(world: World, process: ReturnType<typeof mirrorProcess>): Promise<void> {
  const pods = await world.pods()
  const namespaces = thirdOf(pods)
  for (const { question, right } of warmQuestions(pods, namespaces)) {
    const page = await process.list(listQueryOf(question), namespaces)
    requireSame(`sorted by ${question.sort.field}`, answerOfPage(page), right)
  }
}

const round2 = (value: number) => Math.round(value * 100) / 100
