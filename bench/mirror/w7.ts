import { setTimeout as sleep } from 'node:timers/promises'
import { progress, type Result, result } from '../measure.ts'
import { requireSame, WrongAnswer } from '../oracle/answers.ts'
import { type Fact, keyOf } from '../oracle/facts.ts'
import { goPeer } from '../peers/go-peer.ts'
import { type BareAnswer, openBareAnswer } from '../world/bare-answer.ts'
import { allPods, type Door, openDoor } from '../world/door.ts'
import { openStorm } from '../world/storm.ts'
import { stopwatch } from '../world/usage.ts'
import type { World } from '../world/world.ts'
import { precise, throughDoor } from './pages.ts'
import { type Asked, warmQuestions } from './questions.ts'

const CHANGES_A_SECOND = 1_000
const SECONDS = 15
const BURST_A_SECOND = 5_000
const BURST_SECONDS = 10
const LISTS_A_SECOND = 100
const QUIET_SECONDS = 10
/** About what a page has. */
const ANSWER_BYTES = 14_000

/** W7: what an event costs, and what a storm does to those who look at lists. */
export async function storms(world: World): Promise<Result> {
  const cluster = await world.cluster()
  const { plane } = cluster
  const pods = await world.pods()
  const door = await openDoor({ kubeconfigFile: plane.kubeconfigFile, pods: pods.length })
  const informer = await goPeer('informer', plane.kubeconfigFile)
  const storm = await openStorm(cluster)
  const bare = await openBareAnswer(ANSWER_BYTES)
  try {
    // What the storm changes must not change the right answers.
    const asked = warmQuestions(pods, undefined).filter(({ question }) => question.sort.field !== 'restarts')
    progress('what an event costs')
    await storm.blow(CHANGES_A_SECOND, 3)
    await sleep(2_000)
    const quietCpu = stopwatch({ ours: door.pid(), informer: informer.pid })
    await sleep(QUIET_SECONDS * 1000)
    const idle = quietCpu.read()
    const clock = stopwatch({ ours: door.pid(), informer: informer.pid, apiServer: plane.pid('kube-apiserver') })
    const changes = await storm.blow(CHANGES_A_SECOND, SECONDS)
    await sleep(1_000)
    const used = clock.read()
    const perEvent = (name: string) =>
      Math.round((((used[name] ?? 0) - ((idle[name] ?? 0) * (SECONDS + 1)) / QUIET_SECONDS) / changes.length) * 1e6)
    progress('pages while it is quiet, and in a storm')
    const quiet = await paced(door, bare, asked, QUIET_SECONDS)
    const blowing = storm.blow(CHANGES_A_SECOND, SECONDS)
    const during = await paced(door, bare, asked, SECONDS)
    await blowing
    progress('a burst')
    const burst = await measureBurst(door, bare, () => storm.blow(BURST_A_SECOND, BURST_SECONDS), asked)
    world.changed()
    progress('until all is equal')
    const equalMs = await awaitEqual(door, await world.pods())
    const quietP99 = precise(quiet.ours, 0.99)
    const measured = {
      cpuMicrosecondsPerEvent: perEvent('ours'),
      listP99Ratio: ratio(precise(during.ours, 0.99), quietP99),
      listQuietP50Ms: precise(quiet.ours, 0.5),
      listQuietP99Ms: quietP99,
      listStormP50Ms: precise(during.ours, 0.5),
      listStormP99Ms: precise(during.ours, 0.99),
      ...burst,
      equalAfterBurstMs: equalMs,
      idleCpuPercentOfCore: Math.round(((idle.ours ?? 0) / QUIET_SECONDS) * 1000) / 10,
    }
    const peers = {
      clientGoInformer: { cpuMicrosecondsPerEvent: perEvent('informer') },
      bareServer: {
        p99Ratio: ratio(precise(during.bare, 0.99), precise(quiet.bare, 0.99)),
        quietP50Ms: precise(quiet.bare, 0.5),
        quietP99Ms: precise(quiet.bare, 0.99),
        stormP50Ms: precise(during.bare, 0.5),
        stormP99Ms: precise(during.bare, 0.99),
      },
      apiServer: { cpuMicrosecondsPerEvent: Math.round(((used.apiServer ?? 0) / changes.length) * 1e6) },
    }
    const remark = `${CHANGES_A_SECOND} changed pods a second written into etcd for ${SECONDS} s, without anybody asking, then again with ${LISTS_A_SECOND} pages a second through the door, then ${BURST_A_SECOND} a second for ${BURST_SECONDS} s. CPU is the whole server process less what it uses when quiet; the informer has the same events at the same time and does nothing with them. bareServer: a server that answers with ${ANSWER_BYTES} bytes and does nothing else, asked in turn with ours: what is later in the storm there is the machine's. Lists are compared with the oracle; equalAfterBurstMs: from when the oracle has read the API server's list after the end until every pod is the same, uid by uid and revision by revision (a minute at most).`
    return result('W7', pods.length, { cpuMicrosecondsPerEvent: 60, listP99Ratio: 2 }, measured, peers, remark)
  } finally {
    bare.close()
    storm.close()
    await informer.stop()
    await door.close()
  }
}

const ratio = (value: number, of: number) => Math.round((value / of) * 100) / 100

interface Times {
  ours: number[]
  bare: number[]
}

/** Milliseconds of pages asked for at a steady rate, and of the bare server's answers; each page is compared with the right answer. */
async function paced(door: Door, bare: BareAnswer, asked: readonly Asked[], seconds: number): Promise<Times> {
  const ours = await throughDoor('quarterdeck', door, 1)
  for (const { question } of asked) await ours.ask(question)
  const times: Times = { ours: [], bare: [] }
  const began = performance.now()
  for (let n = 0; n < seconds * LISTS_A_SECOND; n++) {
    const wait = began + (n * 1000) / LISTS_A_SECOND - performance.now()
    if (wait > 0) await sleep(wait)
    const one = asked[n % asked.length]
    if (!one) break
    const sent = performance.now()
    const answer = await ours.ask(one.question)
    times.ours.push(performance.now() - sent)
    const sentBare = performance.now()
    await bare.ask()
    times.bare.push(performance.now() - sentBare)
    requireSame('a page during the storm', answer(), one.right)
  }
  return times
}

async function measureBurst(door: Door, bare: BareAnswer, blow: () => Promise<unknown[]>, asked: readonly Asked[]) {
  const before = door.cpuSeconds()
  const began = performance.now()
  const lists = paced(door, bare, asked, BURST_SECONDS)
  const changes = await blow()
  const seconds = (performance.now() - began) / 1000
  const times = (await lists).ours
  return {
    burstEventsPerSecondReached: Math.round(changes.length / seconds),
    burstListP99Ms: precise(times, 0.99),
    burstCpuMicrosecondsPerEvent: Math.round(((door.cpuSeconds() - before) / changes.length) * 1e6),
  }
}

const EQUAL_WITHIN_SECONDS = 60

/**
 * Waits until every pod is as the API server has it, key by key, uid by uid and revision by revision. Milliseconds that
 * it took; throws WrongAnswer when it is not so after a minute.
 */
export async function awaitEqual(door: Door, pods: readonly Fact[]): Promise<number> {
  const began = performance.now()
  for (;;) {
    const listed = await allPods(door)
    const wrong = pods.filter((fact) => listed.get(keyOf(fact)) !== `${fact.uid} ${fact.revision}`)
    const ms = performance.now() - began
    if (wrong.length === 0 && listed.size === pods.length) return Math.round(ms)
    if (ms > EQUAL_WITHIN_SECONDS * 1000) {
      const [first] = wrong
      throw new WrongAnswer(
        `${wrong.length} of ${pods.length} pods differ from the API server's list, ${listed.size} are listed; the first is ${first && `${keyOf(first)}: ${listed.get(keyOf(first))}, right is ${first.uid} ${first.revision}`}`,
      )
    }
    await sleep(250)
  }
}
