// Changes pods in etcd at a steady rate, in a process of its own. Started by storm.ts.
import { setTimeout as sleep } from 'node:timers/promises'
import { changedPod, isChangeable } from '../generator/changes.ts'
import { etcdChanger } from '../generator/etcd.ts'
import { generatePods } from '../generator/generate.ts'
import type { Generated } from '../generator/shape.ts'
import type { Change, StormRequest, StormTold } from './storm.ts'

/** How many pods take turns. */
const POOL = 12_000
/** More than etcd has taken are not sent. */
const IN_FLIGHT = 200
/** Crashing ones among the changes. */
const CRASH_EVERY = 7

const now = () => performance.timeOrigin + performance.now()
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
  const changer = etcdChanger(endpoint)
  const changes: Change[] = []
  const inFlight = new Set<Promise<void>>()
  const began = performance.now()
  const all = Math.round(perSecond * seconds)
  while (changes.length < all) {
    const due = Math.min(all, Math.floor(((performance.now() - began) / 1000) * perSecond))
    while (changes.length < due && inFlight.size < IN_FLIGHT) {
      const { change, pod } = nextChange()
      changes.push(change)
      const sent = changer.put(pod).then(() => {
        inFlight.delete(sent)
        change.committedTime = now()
      })
      inFlight.add(sent)
    }
    if (inFlight.size === IN_FLIGHT) await Promise.race(inFlight)
    else await sleep(4)
  }
  await Promise.all(inFlight)
  changer.close()
  return changes
}

function nextChange(): { change: Change; pod: Generated } {
  sequence++
  const pod = pool[(sequence * 7919) % pool.length]
  if (!pod) throw new Error('The cluster has no pod that can be changed')
  const restarts = 1_000 + sequence
  const { namespace, name } = pod.object.metadata
  const change = { restarts, time: now(), committedTime: Number.NaN, key: `${namespace}/${name}` }
  return { change, pod: changedPod(pod, restarts, sequence % CRASH_EVERY === 0) }
}
