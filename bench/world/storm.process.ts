// Changes pods in etcd at a steady rate, in a process of its own. Started by storm.ts.
import { setTimeout as sleep } from 'node:timers/promises'
import { changedPod, isChangeable } from '../generator/changes.ts'
import { etcdWriter } from '../generator/etcd.ts'
import { generatePods } from '../generator/generate.ts'
import type { Generated } from '../generator/shape.ts'
import type { Change, StormRequest, StormTold } from './storm.ts'

/** How many pods take turns. */
const POOL = 12_000
const A_TRANSACTION = 50
/** Crashing ones among the changes. */
const CRASH_EVERY = 7

const tell = (told: StormTold) => process.send?.(told)

let pool: Generated[] = []
let sequence = 0

process.on('message', async (request: StormRequest) => {
  if (request.act === 'prepare') {
    pool = pick(request)
    tell({ ready: pool.length })
    return
  }
  const changes = await blow(request)
  tell({ changes })
})
process.once('disconnect', () => process.exit(0))

/** Pods from all over the cluster. */
function pick({ shape }: Extract<StormRequest, { act: 'prepare' }>): Generated[] {
  const every = Math.max(1, Math.floor(shape.pods / POOL))
  const picked: Generated[] = []
  let n = 0
  for (const one of generatePods(shape)) if (isChangeable(one) && n++ % every === 0) picked.push(one)
  return picked
}

/** Writes the changes and answers when each was written, by the restart count that it set. */
async function blow({ endpoint, perSecond, seconds }: Extract<StormRequest, { act: 'blow' }>): Promise<Change[]> {
  const writer = etcdWriter(endpoint)
  const changes: Change[] = []
  const began = performance.now()
  const all = Math.round(perSecond * seconds)
  for (let sent = 0; sent < all; ) {
    const due = Math.min(all, Math.floor(((performance.now() - began) / 1000) * perSecond))
    if (due <= sent) {
      await sleep(4)
      continue
    }
    const count = Math.min(A_TRANSACTION, due - sent)
    const batch: Generated[] = []
    const time = performance.timeOrigin + performance.now()
    for (let n = 0; n < count; n++) {
      sequence++
      const pod = pool[(sequence * 7919) % pool.length]
      if (!pod) continue
      const restarts = 1_000 + sequence
      batch.push(changedPod(pod, restarts, sequence % CRASH_EVERY === 0))
      changes.push({ restarts, time, key: `${pod.object.metadata.namespace}/${pod.object.metadata.name}` })
    }
    await writer.put(batch)
    sent += count
  }
  writer.close()
  return changes
}
