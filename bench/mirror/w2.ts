import { progress, type Result, result } from '../measure.ts'
import { goPeer } from '../peers/go-peer.ts'
import { usageOf } from '../world/usage.ts'
import type { World } from '../world/world.ts'
import { mirrorProcess } from './mirror-process.ts'
import { deepQuestions, listQueryOf, thirdOf, warmQuestions } from './questions.ts'

/** W2: what a pod costs in memory once every sort order, filter and the search have been used. */
export async function memory(world: World): Promise<Result> {
  const { plane, kubeconfig } = await world.cluster()
  const pods = await world.pods()
  const namespaces = thirdOf(pods)
  const process = mirrorProcess()
  try {
    await process.open()
    const empty = { heap: await process.memory(), resident: usageOf(process.pid).residentBytes }
    const done = process.synced(['bench'])
    await process.watch([{ name: 'bench', kubeconfig, revision: '1' }])
    const { objects } = await done
    const unasked = (await process.metrics()).bytes
    const queries = [...warmQuestions(pods, namespaces), ...deepQuestions(pods, namespaces)]
    await process.time(
      queries.map(({ question }) => listQueryOf(question)),
      queries.length,
      namespaces,
    )
    await process.search({ text: 'worker tier=front' }, namespaces)
    const memory = await process.memory()
    const resident = usageOf(process.pid).residentBytes
    const { bytes } = await process.metrics()
    const each = (total: number, of: number) => Math.round(total / of)
    const buffers = memory.arrayBuffers - empty.heap.arrayBuffers
    const heap = memory.heapUsed - empty.heap.heapUsed
    const measured = {
      bytesPerPod: each(bytes, objects),
      bytesOfAllKindsPerPod: each(bytes, pods.length),
      bytesPerObjectBeforeFirstQuery: each(unasked, objects),
      residentBytesPerObject: each(resident - empty.resident, objects),
      arrayBufferBytesPerObject: each(buffers, objects),
      heapBytesPerObject: each(heap, objects),
      mirrorMegabytes: Math.round(bytes / 1e6),
      residentMegabytes: Math.round(resident / 1e6),
      residentOfEmptyMegabytes: Math.round(empty.resident / 1e6),
      objects,
    }
    progress('peer: client-go')
    const informer = await goPeer('informer', plane.kubeconfigFile)
    const { heapBytes } = await informer.usage(true)
    const informerResident = usageOf(informer.pid).residentBytes
    await informer.stop()
    const peers = {
      clientGoInformer: {
        heapBytesPerPod: each(heapBytes, pods.length),
        residentBytesPerPod: each(informerResident, pods.length),
      },
      apiServer: { residentBytesPerObject: each(usageOf(plane.pid('kube-apiserver')).residentBytes, objects) },
    }
    const remark = `bytesPerPod is the mirror's own figure (rows, strings, indexes, sort orders, filters) over all ${objects} objects of all kinds; bytesOfAllKindsPerPod lays all kinds on the pods. Resident is the whole process less the same process before it read anything, after a collection of garbage; it holds both threads.`
    return result('W2', pods.length, { bytesPerPod: 400 }, measured, peers, remark)
  } finally {
    await process.kill()
  }
}
