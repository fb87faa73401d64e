import { afterAll, beforeAll, expect, test } from 'vitest'
import { requireSame } from '../oracle/answers.ts'
import type { Fact } from '../oracle/facts.ts'
import { searchTotals } from '../oracle/search.ts'
import { isSearchKnown } from '../oracle/searched-text.ts'
import { usageOf } from '../world/usage.ts'
import { openWorld, type World } from '../world/world.ts'
import { type MirrorProcess, mirrorProcess, type Synced } from './mirror-process.ts'
import { answerOfPage, deepQuestions, listQueryOf, thirdOf, warmQuestions } from './questions.ts'

// What W1, W2, W3 and W5 measure, at 10,000 pods and in units that do not depend on how busy the machine is: right
// answers, bytes, and CPU seconds with a factor of two to spare over what was measured on 2026-11-21.
const PODS = 10_000
const SYNC_CPU_SECONDS = 5
const MILLISECONDS_A_PAGE = 1

let world: World
let mirror: MirrorProcess
let pods: Fact[]
let synced: Synced
let syncCpuSeconds: number

beforeAll(async () => {
  world = openWorld({ pods: PODS })
  const { kubeconfig } = await world.cluster()
  pods = await world.pods()
  mirror = mirrorProcess()
  await mirror.open()
  const before = usageOf(mirror.pid).cpuSeconds
  const done = mirror.synced(['bench'])
  await mirror.watch([{ name: 'bench', kubeconfig, revision: '1' }])
  synced = await done
  syncCpuSeconds = usageOf(mirror.pid).cpuSeconds - before
}, 300_000)
afterAll(async () => {
  await mirror?.kill()
  await world?.close()
})

test('10,000 pods with all that is around them are read for a few CPU seconds', () => {
  expect(synced.objects).toBeGreaterThan(PODS * 1.6)
  expect(syncCpuSeconds).toBeLessThan(SYNC_CPU_SECONDS)
})

test('every page of every sort order is the one that the API server’s own list gives, near and far, for who sees all and who sees a third', async () => {
  const third = thirdOf(pods)
  for (const namespaces of [undefined, third]) {
    for (const { question, right } of [...warmQuestions(pods, namespaces), ...deepQuestions(pods, namespaces)]) {
      const page = await mirror.list(listQueryOf(question), namespaces)
      requireSame(JSON.stringify(question.sort), answerOfPage(page), right)
    }
  }
})

test('a search finds in every kind as many as there are', async () => {
  const all = [...pods, ...(await world.others())]
  const third = thirdOf(pods)
  const some = pods.find((pod) => third.includes(pod.namespace)) as Fact
  for (const text of [some.name, 'worker', 'tier=front library', '10.1.2', 'registry.example.edu/platform', 'zzqqxx']) {
    const { kinds } = await mirror.search({ text }, third)
    const given = kinds
      .filter(({ resource }) => isSearchKnown(resource))
      .map(({ resource, total }) => [resource, total])
    const right = [...searchTotals(all, text, third)]
    expect(given.sort(), text).toEqual(right.sort())
  }
})

test('an object with its indexes takes fewer bytes than twice the target for a pod', async () => {
  const { bytes, objects } = await mirror.metrics()
  expect(bytes / objects).toBeLessThan(800)
})

test('a warm page takes less than a millisecond of CPU', async () => {
  const namespaces = thirdOf(pods)
  const queries = warmQuestions(pods, namespaces).map(({ question }) => listQueryOf(question))
  await mirror.time(queries, queries.length * 2, namespaces)
  const before = usageOf(mirror.pid).cpuSeconds
  const pages = 2_000
  await mirror.time(queries, pages, namespaces)
  const milliseconds = ((usageOf(mirror.pid).cpuSeconds - before) / pages) * 1000
  expect(milliseconds).toBeLessThan(MILLISECONDS_A_PAGE)
})
