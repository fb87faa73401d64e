import { setTimeout as sleep } from 'node:timers/promises'
import { percentile, progress, type Result, result } from '../measure.ts'
import { WrongAnswer } from '../oracle/answers.ts'
import type { Fact } from '../oracle/facts.ts'
import { type BareWatch, openBareWatch } from '../world/bare-watch.ts'
import { type Door, openDoor } from '../world/door.ts'
import { type Change, openStorm, type Storm } from '../world/storm.ts'
import { machineCpuSeconds, stopwatch, threadsOf, usageOf } from '../world/usage.ts'
import { openWatchers, type Watcher, type Watchers } from '../world/watchers.ts'
import type { World } from '../world/world.ts'

const CLIENTS = 1_000
const CHANGES_A_SECOND = 1_000
/** What the API server carries beside everything else that these cores do. */
const FEW_A_SECOND = 300
const SECONDS = 20
/** For what has been written to come. */
const ALL_WITHIN_SECONDS = 60
const IDLE_SECONDS = 5
/** Clients that stop reading while the storm blows. */
const STOPPED = [0, 1, 2]
/** Who does not answer a ping for 25 s is cut off, and has to connect again. */
const STOPPED_SECONDS = 20
const WINDOW = 50

/** W6: a thousand clients, each with a filter of its own, while a thousand pods a second change. */
export async function fanOut(world: World): Promise<Result> {
  const cluster = await world.cluster()
  const pods = await world.pods()
  const door = await openDoor({ kubeconfigFile: cluster.plane.kubeconfigFile, pods: pods.length })
  const storm = await openStorm(cluster)
  const bare = await openBareWatch(cluster.plane.admin)
  const watchers = watchersOf(pods)
  const before = usageOf(door.pid())
  const clients = await openWatchers(
    door.url,
    door.cookie,
    watchers.map(({ watcher }) => watcher),
  )
  try {
    const connected = usageOf(door.pid())
    const idle = await cpuShare(door, () => sleep(IDLE_SECONDS * 1000))
    await storm.blow(CHANGES_A_SECOND, 2) // code that runs for the first time is slower
    await sleep(1_000)
    const { plane } = cluster
    const others = {
      clients: clients.pid,
      storm: storm.pid,
      apiServer: plane.pid('kube-apiserver'),
      etcd: plane.pid('etcd'),
    }
    const rig = { door, storm, clients, bare, others }
    progress(`a storm of ${CHANGES_A_SECOND} changes a second`)
    const blown = await measureStorm(rig, CHANGES_A_SECOND, [])
    progress(`a storm of ${FEW_A_SECOND} changes a second`)
    const few = await measureStorm(rig, FEW_A_SECOND, [])
    progress(`a storm of ${CHANGES_A_SECOND} changes a second, ${STOPPED.length} clients stopped`)
    const stopped = await measureStorm(rig, CHANGES_A_SECOND, STOPPED)
    world.changed()
    const finalMs = await awaitFinalStates(clients, watchers, await world.pods())
    const measured = {
      p99Ms: precise(blown.arrivals.p99Ms),
      cpuPercentOfCore: Math.round(blown.cpuPercent),
      kilobytesPerSecondPerClient: Math.round(blown.received / SECONDS / CLIENTS / 100) / 10,
      lostFinalStates: 0,
      finalStatesAfterMs: finalMs,
      stoppedClientP99Ms: precise(stopped.arrivals.p99Ms),
      p50Ms: precise(blown.arrivals.p50Ms),
      worstMs: precise(blown.arrivals.worstMs),
      framesPerSecondSent: Math.round(blown.frames / SECONDS),
      addedP50Ms: precise(blown.arrivals.addedP50Ms),
      addedP99Ms: precise(blown.arrivals.addedP99Ms),
      stoppedAddedP99Ms: precise(stopped.arrivals.addedP99Ms),
      changesSeen: blown.arrivals.seen,
      changesPerSecondReached: Math.round(blown.changesASecond),
      ...fewFigures(few),
      idleCpuPercentOfCore: Math.round(idle * 10) / 10,
      ...blown.threads,
      residentKilobytesPerClient: Math.round((connected.residentBytes - before.residentBytes) / CLIENTS / 1024),
      stoppedResidentMegabytes: Math.round(usageOf(door.pid()).residentBytes / 1e6),
    }
    const peers = {
      bareWatch: blown.bare,
      [`bareWatchAt${FEW_A_SECOND}`]: few.bare,
      bareWatchWithStopped: stopped.bare,
      cpuPercentOfCore: blown.used,
      [`cpuPercentOfCoreAt${FEW_A_SECOND}`]: few.used,
    }
    const target = {
      p99Ms: 150,
      cpuPercentOfCore: 35,
      kilobytesPerSecondPerClient: 40,
      lostFinalStates: 0,
      finalStatesAfterMs: finalMs,
      stoppedClientP99Ms: 150,
    }
    const remark = `${CLIENTS} WebSockets in another process on the same cores, each with a filter of its own (a namespace, and a restart count that differs), sorted by restarts, a window of ${WINDOW}; ${CHANGES_A_SECOND} changes a second for ${SECONDS} s written into etcd, each entering the top of its windows. Milliseconds from before the write to etcd until the client has the frame, over all changes and all clients that saw them; the storm over, everything is waited for. CPU is the whole server's, reading the watch included. stopped: the same again while ${STOPPED.length} clients do not read for ${STOPPED_SECONDS} s; the others' figures. few: the same with ${FEW_A_SECOND} changes a second. bareWatch: one watch of all pods past us in the same seconds, which is how late the API server itself is on these cores (etcd: until etcd has answered; first and last fifth: of the changes, in order: a backlog grows); added: what a client gets later than the bare watch got the same change. cpuPercentOfCore: of each process and of the machine, of which each core is 100; clients: the process of the thousand clients, which notes when a frame comes and reads it afterwards. In the end each client's window is compared with the API server's list, restart count by restart count.`
    return result('W6', pods.length, target, measured, peers, remark)
  } finally {
    bare.close()
    clients.close()
    storm.close()
    await door.close()
  }
}

const precise = (ms: number) => Math.round(ms * 10) / 10

/** Who takes part, and process ids of those whose CPU is reported beside ours. */
interface Rig {
  door: Door
  storm: Storm
  clients: Watchers
  bare: BareWatch
  others: Record<string, number>
}

type Blown = Awaited<ReturnType<typeof measureStorm>>

const fewFigures = ({ arrivals, cpuPercent, changesASecond }: Blown) => ({
  fewP50Ms: precise(arrivals.p50Ms),
  fewP99Ms: precise(arrivals.p99Ms),
  fewAddedP50Ms: precise(arrivals.addedP50Ms),
  fewAddedP99Ms: precise(arrivals.addedP99Ms),
  fewCpuPercentOfCore: Math.round(cpuPercent),
  fewChangesPerSecondReached: Math.round(changesASecond),
})

async function measureStorm({ door, storm, clients, bare, others }: Rig, perSecond: number, stopped: number[]) {
  await clients.pause(stopped, true)
  await clients.count()
  const threads = threadsOf(door.pid())
  const beside = stopwatch(others)
  const before = { ours: door.cpuSeconds(), machine: machineCpuSeconds() }
  const began = performance.now()
  const blowing = storm.blow(perSecond, SECONDS)
  if (stopped.length > 0) {
    await Promise.race([blowing, sleep(STOPPED_SECONDS * 1000)])
    await clients.pause(stopped, false)
  }
  const changes = await blowing
  const lasted = (performance.now() - began) / 1000
  const percent = (cpuSeconds: number) => Math.round((cpuSeconds / lasted) * 100)
  const used = { ...beside.read(), machine: machineCpuSeconds() - before.machine }
  const cpuPercent = ((door.cpuSeconds() - before.ours) / lasted) * 100
  const after = threadsOf(door.pid())
  const { times, ends } = await bare.arrived(changes, ALL_WITHIN_SECONDS)
  await clients.settle()
  const arrivals = await clients.arrivals({ changes, elsewhere: times, except: stopped })
  const counted = await clients.count()
  const shares = Object.entries(after)
    .map(([name, seconds]) => [name, ((seconds - (threads[name] ?? 0)) / lasted) * 100] as const)
    .filter(([, share]) => share >= 1)
    .map(([name, share]) => [`${name}ThreadCpuPercent`, Math.round(share)])
  return {
    arrivals,
    bare: { ...lateness(changes, times), endedByApiServer: ends },
    cpuPercent,
    changesASecond: changes.length / lasted,
    ...counted,
    threads: Object.fromEntries(shares) as Record<string, number>,
    used: Object.fromEntries(Object.entries(used).map(([name, seconds]) => [name, percent(seconds)])),
  }
}

/** How late the bare watch has each change. */
function lateness(changes: readonly Change[], times: ReadonlyMap<number, number>): Record<string, number> {
  const fifth = Math.floor(changes.length / 5)
  const late = (some: readonly Change[]) =>
    some.flatMap(({ restarts, time }) => {
      const came = times.get(restarts)
      return came === undefined ? [] : [came - time]
    })
  const all = late(changes)
  return {
    p50Ms: percentile(all, 0.5),
    p99Ms: percentile(all, 0.99),
    firstFifthP50Ms: percentile(late(changes.slice(0, fifth)), 0.5),
    lastFifthP50Ms: percentile(late(changes.slice(-fifth)), 0.5),
    etcdP50Ms: percentile(
      changes.map(({ time, committedTime }) => committedTime - time),
      0.5,
    ),
    changesSeen: all.length,
  }
}

async function cpuShare(door: Door, during: () => Promise<unknown>): Promise<number> {
  const before = door.cpuSeconds()
  const began = performance.now()
  await during()
  return ((door.cpuSeconds() - before) / ((performance.now() - began) / 1000)) * 100
}

interface Watched {
  watcher: Watcher
  namespace: string
  least: number
}

/** Every client another filter: namespaces in turn, and from round to round another restart count. */
function watchersOf(pods: readonly Fact[]): Watched[] {
  const namespaces = [...new Set(pods.map(({ namespace }) => namespace))].sort()
  return Array.from({ length: CLIENTS }, (_, n) => {
    const namespace = namespaces[n % namespaces.length] ?? ''
    const least = 1 + Math.floor(n / namespaces.length)
    return {
      watcher: { filter: `ns:${namespace} restarts>=${least}`, sort: '-restarts', limit: WINDOW },
      namespace,
      least,
    }
  })
}

const FINAL_WITHIN_SECONDS = 60

/** Waits until every client sees what is. Milliseconds that it took; throws WrongAnswer after a minute. */
async function awaitFinalStates(
  clients: Watchers,
  watched: readonly Watched[],
  pods: readonly Fact[],
): Promise<number> {
  const began = performance.now()
  const rights = watched.map((one) => rightWindow(one, pods))
  for (;;) {
    const windows = await clients.windows()
    const n = rights.findIndex(({ total, rows }, index) => {
      const given = windows[index]
      return (
        given?.total !== total || given.rows.length !== rows.length || rows.some((row, at) => row !== given.rows[at])
      )
    })
    const ms = performance.now() - began
    if (n < 0) return Math.round(ms)
    if (ms > FINAL_WITHIN_SECONDS * 1000) {
      const [right, given] = [rights[n], windows[n]]
      const at = right?.rows.findIndex((row, index) => given?.rows[index] !== row) ?? 0
      throw new WrongAnswer(
        `Client ${n} ends with ${given?.total} rows, right is ${right?.total}; row ${at} is ${given?.rows[at]}, right is ${right?.rows[at]}`,
      )
    }
    await sleep(250)
  }
}

function rightWindow({ namespace, least }: Watched, pods: readonly Fact[]): { total: number; rows: string[] } {
  const found = pods
    .filter((fact) => fact.namespace === namespace && (fact.pod?.restarts ?? 0) >= least)
    .map((fact) => ({ fact, restarts: fact.pod?.restarts ?? 0 }))
    .sort((a, b) => b.restarts - a.restarts || (a.fact.name < b.fact.name ? -1 : 1))
  const rows = found.slice(0, WINDOW).map(({ fact, restarts }) => `${fact.namespace}/${fact.name} ${restarts}`)
  return { total: found.length, rows }
}
