import { type Keep, progress, type Result, result } from '../measure.ts'
import { limitedLists } from '../peers/api-server-peer.ts'
import { goPeer } from '../peers/go-peer.ts'
import { postgresPeer } from '../peers/postgres-peer.ts'
import { type Door, openDoor } from '../world/door.ts'
import { openReaderDoor } from '../world/reader-door.ts'
import type { World } from '../world/world.ts'
import {
  figuresOf,
  latencies,
  PEER_SECONDS,
  throughCache,
  throughDoor,
  throughPostgres,
  throughput,
  within,
} from './pages.ts'
import { type Asked, deepQuestions, thirdOf, warmQuestions } from './questions.ts'

const OURS = 'quarterdeck'
const ADMINISTRATOR = 'administrator'

/** W3 and W4 share what they measure with: the doors and the peers are opened once for both. */
export async function pages(world: World, workloads: readonly ('W3' | 'W4')[], keep: Keep): Promise<void> {
  const { plane, kubeconfig } = await world.cluster()
  const pods = await world.pods()
  const namespaces = thirdOf(pods)
  const { profileFolder } = world.options
  progress('our servers')
  const door = await openReaderDoor({
    kubeconfig,
    namespaces,
    pods: within(pods, namespaces).length,
    ...(profileFolder === undefined ? {} : { profileFolder }),
  })
  const whole = await openDoor({ kubeconfigFile: plane.kubeconfigFile, pods: pods.length })
  progress('the peers: controller-runtime cache, table in PostgreSQL')
  const cache = await goPeer('cache', plane.kubeconfigFile)
  const postgres = await postgresPeer(pods, [])
  try {
    for (const workload of workloads) {
      const ask = workload === 'W3' ? warmQuestions : deepQuestions
      progress(`${workload}: right answers`)
      const asked = ask(pods, namespaces)
      const rounds = world.options.rounds ?? 2
      progress(`${workload}: ours and the peers in turn`)
      const times = await latencies(
        [await throughDoor(OURS, door, 20), throughCache(cache), throughPostgres(postgres)],
        asked,
        rounds,
      )
      const everything = ask(pods, undefined)
      progress(`${workload}: administrator, API server`)
      const administrator = await latencies([await throughDoor(ADMINISTRATOR, whole, 20)], everything, rounds)
      const unsorted = await limitedLists(plane.admin)
      const report = workload === 'W3' ? warm : deep
      keep(await report(pods.length, { ...times, ...administrator }, { door, whole, asked, everything, unsorted }))
    }
  } finally {
    await cache.stop()
    await postgres.stop()
    await door.close()
    await whole.close()
  }
}

interface Measured {
  door: Door
  whole: Door
  asked: Asked[]
  everything: Asked[]
  unsorted: Record<string, number>
}

type Times = Record<string, number[]>

const peersOf = (times: Times, unsorted: Record<string, number>) => ({
  controllerRuntimeCache: figuresOf(times.controllerRuntimeCache),
  postgresTable: figuresOf(times.postgresTable),
  apiServerFirstPageUnsorted: unsorted,
})

const seen = (asked: readonly Asked[]) => {
  const totals = asked.map(({ right }) => right.total)
  return `${Math.min(...totals)} to ${Math.max(...totals)} pods match`
}

async function warm(
  pods: number,
  times: Times,
  { door, whole, asked, everything, unsorted }: Measured,
): Promise<Result> {
  const ours = figuresOf(times[OURS])
  progress('W3: 32 connections')
  const busy = await throughput(door, asked, false)
  const administrator = await throughput(whole, everything, false)
  const measured = {
    p50Ms: ours.p50Ms,
    p99Ms: ours.p99Ms,
    ...prefixed('busy', busy),
    ...prefixed('administrator', { ...figuresOf(times[ADMINISTRATOR]), ...prefixed('busy', administrator) }),
  }
  const target = { p50Ms: 0.5, p99Ms: 3, busyRequestsPerCpuSecond: 4_000 }
  const remark = `50 of the pods of a reader who sees a third of the namespaces, phase and label chosen, eight sort orders, first ten pages; ${seen(asked)}. One kept connection through the HTTP door with session, permission and rate limit; "busy" is 32 connections from another process on the same cores, its rate per CPU second of the server process is what one core gives. "administrator" is the whole server process, all namespaces. Every answer at one connection and each 101st of the others compared with the oracle. The cache and the table are asked the same in turn (A B B A), each round for ${PEER_SECONDS} s at most ("requests": how many it was asked in all); the API server cannot sort, so its figure is a first page of 50 by name.`
  return result('W3', pods, target, measured, peersOf(times, unsorted), remark)
}

async function deep(pods: number, times: Times, { asked, unsorted }: Measured): Promise<Result> {
  const ours = figuresOf(times[OURS])
  const first = times[`${OURS}First`] ?? []
  const measured = {
    p99Ms: ours.p99Ms,
    firstSortMs: Math.round(Math.max(...first) * 10) / 10,
    p50Ms: ours.p50Ms,
    ...prefixed('administrator', {
      ...figuresOf(times[ADMINISTRATOR]),
      firstSortMs: Math.round(Math.max(...(times[`${ADMINISTRATOR}First`] ?? [])) * 10) / 10,
    }),
  }
  const remark = `Pages at 60 to 95 % of all pods, another sort order each time, through the door at one connection; ${seen(asked)}. firstSortMs: the worst of the first requests, each order sorted for the first time unless an earlier workload of this run has used it.`
  return result('W4', pods, { p99Ms: 3, firstSortMs: 40 }, measured, peersOf(times, unsorted), remark)
}

const prefixed = (prefix: string, figures: Record<string, number>) =>
  Object.fromEntries(
    Object.entries(figures).map(([key, value]) => [`${prefix}${key[0]?.toUpperCase()}${key.slice(1)}`, value]),
  )
