import { globSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { percentile, progress, type Result, result } from '../measure.ts'
import { answerOf, type PodQuestion, requireSame } from '../oracle/answers.ts'
import { complete, openDoor, type ServerDoor } from '../world/door.ts'
import { openStorm } from '../world/storm.ts'
import type { World } from '../world/world.ts'
import { answerOfPage, parametersOf } from './questions.ts'
import { awaitEqual } from './w7.ts'

const KILLS = 5
const CHANGED_WHILE_DEAD = 2_000
const SNAPSHOT_WITHIN_SECONDS = 120

const QUESTION: PodQuestion = { phase: 'Running', sort: { field: 'created', descending: true }, offset: 0, limit: 50 }

/** W8: SIGKILL of the server, and the full list is served again from the snapshot. */
export async function restart(world: World): Promise<Result> {
  const cluster = await world.cluster()
  const pods = await world.pods()
  const door = await openDoor({ kubeconfigFile: cluster.plane.kubeconfigFile, pods: pods.length })
  const storm = await openStorm(cluster)
  try {
    progress('waits for a snapshot')
    const snapshotBytes = await awaitSnapshot(door, performance.timeOrigin + performance.now())
    progress('kills')
    const right = answerOf(pods, QUESTION)
    const [served, live]: [number[], number[]] = [[], []]
    for (let n = 0; n < KILLS; n++) {
      const times = await killAndStart(door, right, async () => {})
      served.push(times.servedMs)
      live.push(times.liveMs)
    }
    // Pods that have changed while nobody read: the watch goes on from the snapshot's revision.
    progress('a kill with changes while it is dead')
    const behind = await killAndStart(door, right, () => storm.blow(CHANGED_WHILE_DEAD, 1))
    world.changed()
    await awaitEqual(door, await world.pods())
    const measured = {
      servedWorstMs: Math.round(Math.max(...served)),
      servedP50Ms: percentile(served, 0.5),
      liveP50Ms: percentile(live, 0.5),
      behindServedMs: Math.round(behind.servedMs),
      behindLiveMs: Math.round(behind.liveMs),
      snapshotMegabytes: Math.round(snapshotBytes / 1e5) / 10,
      snapshotBytesPerPod: Math.round(snapshotBytes / pods.length),
    }
    const remark = `${KILLS} times SIGKILL of the whole server process and a start at once, until a sorted, filtered page with the right total and the right rows is answered through the HTTP door with the session from before; PostgreSQL goes on running, as after any kill. live: until the list says that it is up to date. behind: ${CHANGED_WHILE_DEAD} pods changed while it was dead (their writing is not part of the time); in the end every pod is compared with the API server's list, revision by revision.`
    return result('W8', pods.length, { servedWorstMs: 1_500 }, measured, {}, remark)
  } finally {
    storm.close()
    await door.close()
  }
}

/** Waits for a snapshot that was written after this moment; answers its bytes. */
async function awaitSnapshot({ server }: ServerDoor, after: number): Promise<number> {
  const folder = join(server.home, 'mirror')
  for (let waited = 0; waited < SNAPSHOT_WITHIN_SECONDS * 2; waited++) {
    const files = globSync('**/*', { cwd: folder })
      .map((file) => statSync(join(folder, file)))
      .filter((one) => one.isFile())
    if (files.some(({ mtimeMs, size }) => mtimeMs > after && size > 1_000)) {
      return files.reduce((sum, { size }) => sum + size, 0)
    }
    await sleep(500)
  }
  throw new Error(`No snapshot was written in ${SNAPSHOT_WITHIN_SECONDS} s under ${folder}`)
}

async function killAndStart(door: ServerDoor, right: ReturnType<typeof answerOf>, whileDead: () => Promise<unknown>) {
  const { server } = door
  const killed = performance.now()
  await server.end('SIGKILL')
  const paused = performance.now()
  await whileDead()
  const pause = performance.now() - paused
  server.start()
  const path = `/objects/pods?${parametersOf(QUESTION, false)}`
  for (;;) {
    const page = await door.get<Parameters<typeof answerOfPage>[0]>(path).catch(() => undefined)
    if (page && page.total >= right.total) {
      requireSame('after the restart', answerOfPage(page), right)
      break
    }
    await sleep(5)
  }
  const servedMs = performance.now() - killed - pause
  await complete(door, 1)
  return { servedMs, liveMs: performance.now() - killed - pause }
}
