import { type Answer, requireSame } from '../oracle/answers.ts'
import type { Fact } from '../oracle/facts.ts'
import type { GoPeer } from '../peers/go-peer.ts'
import type { PostgresPeer } from '../peers/postgres-peer.ts'
import { bareConnection } from '../world/bare-connection.ts'
import type { Door } from '../world/door.ts'
import { load } from '../world/load.ts'
import { type Asked, answerOfPage, parametersOf } from './questions.ts'

/** Somebody who answers questions about pods. */
export interface Answerer {
  name: string
  /** Resolves when the answer has arrived; what it gives reads it, which is not measured. */
  ask(question: Asked['question']): Promise<() => Answer>
  /** How often a round asks each question. */
  repeats: number
  /** A round asks no more after so long, however few of the questions it has asked. Absent: it asks all. */
  seconds?: number
}

/** What a round gives to each peer: some of them take seconds for an answer when there are many pods. */
export const PEER_SECONDS = 10

interface JsonPage {
  total: number
  rows: { values: unknown[] }[]
}

/** The lists of the mirror through the door, over one kept connection. `namespaced`: namespaces are part of the filter. */
export async function throughDoor(name: string, door: Door, repeats: number, namespaced = false): Promise<Answerer> {
  const connection = await bareConnection(door)
  return {
    name,
    repeats,
    async ask(question) {
      const { status, body } = await connection.get(`/objects/pods?${parametersOf(question, namespaced)}`)
      return () => {
        const text = body.toString('utf8')
        if (status !== 200) throw new Error(`${name} answers ${status}: ${text.slice(0, 300)}`)
        return answerOfPage(JSON.parse(text) as JsonPage)
      }
    },
  }
}

export const throughPostgres = (peer: PostgresPeer): Answerer => ({
  name: 'postgresTable',
  repeats: 1,
  seconds: PEER_SECONDS,
  async ask(question) {
    const answer = await peer.ask(question)
    return () => answer
  },
})

/** The controller-runtime cache behind its own HTTP server. */
export const throughCache = ({ url }: GoPeer): Answerer => ({
  name: 'controllerRuntimeCache',
  repeats: 1,
  seconds: PEER_SECONDS,
  async ask({ namespaces, phase, label, contains, sort, offset, limit }) {
    const parameters = new URLSearchParams({
      sort: `${sort.descending ? '-' : ''}${sort.field}`,
      offset: String(offset),
      limit: String(limit),
      ...(namespaces ? { namespaces: namespaces.join(',') } : {}),
      ...(phase === undefined ? {} : { phase }),
      ...(label === undefined ? {} : { label: `${label[0]}=${label[1]}` }),
      ...(contains === undefined ? {} : { contains }),
    })
    const text = await (await fetch(`${url}/pods?${parameters}`)).text()
    return () => {
      const page = JSON.parse(text) as { total: number; rows: { namespace: string; name: string }[] }
      return { total: page.total, keys: page.rows.map(({ namespace, name }) => `${namespace}/${name}`) }
    }
  },
})

/**
 * Asks everybody the same questions over one connection, in turn and back (A B B A), and compares every answer with the
 * right one. Milliseconds of each answer by name; those of the first pass, in which orders are sorted for the first time,
 * under `<name>First`.
 */
export async function latencies(answerers: readonly Answerer[], asked: readonly Asked[], rounds: number) {
  const times: Record<string, number[]> = {}
  const note = (name: string, ms: number) => {
    times[name] ??= []
    times[name].push(ms)
  }
  const once = async (answerer: Answerer, { question, right }: Asked, name: string) => {
    const began = performance.now()
    const answer = await answerer.ask(question)
    note(name, performance.now() - began)
    requireSame(
      `${answerer.name}, ${JSON.stringify({ ...question, namespaces: question.namespaces?.length })}`,
      answer(),
      right,
    )
  }
  const pass = async (answerer: Answerer, repeats: number, name: string) => {
    const until = performance.now() + (answerer.seconds ?? Number.POSITIVE_INFINITY) * 1000
    for (let n = 0; n < repeats; n++) {
      for (const one of mixed(asked)) {
        await once(answerer, one, name)
        if (performance.now() > until) return
      }
    }
  }
  for (const answerer of answerers) await pass(answerer, 1, `${answerer.name}First`)
  for (let round = 0; round < rounds; round++) {
    for (const answerer of round % 2 === 0 ? answerers : answerers.toReversed()) {
      await pass(answerer, answerer.repeats, answerer.name)
    }
  }
  return times
}

const OF_ONE_SORT = 3

/** All of them in another order, the same each time: those of one sort follow one another, and the first few are to be of several. */
const mixed = <One>(all: readonly One[]): One[] =>
  Array.from({ length: OF_ONE_SORT }, (_, turn) => all.filter((_one, n) => n % OF_ONE_SORT === turn)).flat()

/** Median, p99 and worst, and how many there were. */
export const figuresOf = (times: readonly number[] | undefined) => ({
  p50Ms: precise(times ?? [], 0.5),
  p99Ms: precise(times ?? [], 0.99),
  requests: times?.length ?? 0,
})

/** As percentile, in hundredths: pages take tenths of a millisecond. */
export const precise = (values: readonly number[], share: number): number => {
  const sorted = values.toSorted((a, b) => a - b)
  return Math.round((sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN) * 100) / 100
}

/** Requests a second over 32 connections, and what they cost the server. */
export async function throughput(door: Door, asked: readonly Asked[], namespaced: boolean, seconds = 6) {
  const asks = asked.map(({ question, right }) => ({
    path: `/objects/pods?${parametersOf(question, namespaced)}`,
    right,
  }))
  const before = door.cpuSeconds()
  const answer = await load({ url: door.url, cookie: door.cookie, connections: 32, seconds, asks })
  const cpu = door.cpuSeconds() - before
  if (answer.wrong > 0 || answer.refused > 0) {
    throw new Error(
      `Of ${answer.requests} answers ${answer.refused} were no 200; of ${answer.compared} compared ${answer.wrong} were wrong`,
    )
  }
  return {
    requestsPerSecond: Math.round(answer.requests / answer.seconds),
    requestsPerCpuSecond: Math.round(answer.requests / cpu),
    cpuMicrosecondsPerRequest: Math.round((cpu / answer.requests) * 1e6),
    kilobytesPerAnswer: Math.round(answer.bytes / answer.requests / 100) / 10,
    p50Ms: precise(answer.latencies, 0.5),
    p99Ms: precise(answer.latencies, 0.99),
    comparedAnswers: answer.compared,
  }
}

/** What of the pods the reader may see. */
export const within = (pods: readonly Fact[], namespaces: readonly string[]): Fact[] => {
  const allowed = new Set(namespaces)
  return pods.filter(({ namespace }) => allowed.has(namespace))
}
