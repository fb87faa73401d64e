import { progress, type Result, result } from '../measure.ts'
import { WrongAnswer } from '../oracle/answers.ts'
import type { Fact } from '../oracle/facts.ts'
import { searchTotals } from '../oracle/search.ts'
import { isSearchKnown } from '../oracle/searched-text.ts'
import { postgresPeer } from '../peers/postgres-peer.ts'
import { bareConnection } from '../world/bare-connection.ts'
import { openReaderDoor } from '../world/reader-door.ts'
import type { World } from '../world/world.ts'
import { figuresOf, PEER_SECONDS, precise, within } from './pages.ts'
import { thirdOf } from './questions.ts'

const REPEATS = 12

interface Found {
  total: number
  kinds: { resource: string; total: number }[]
}

/** W5: free text over every kind through the door, for a reader who sees a third of the namespaces. */
export async function textSearch(world: World): Promise<Result> {
  const { kubeconfig } = await world.cluster()
  const pods = await world.pods()
  const all = [...pods, ...(await world.others())]
  const namespaces = thirdOf(pods)
  const visible = within(pods, namespaces)
  progress('our server, and the table in PostgreSQL')
  const door = await openReaderDoor({ kubeconfig, namespaces, pods: visible.length })
  const postgres = await postgresPeer(
    pods,
    all.filter(({ resource }) => resource !== 'pods'),
  )
  try {
    const connection = await bareConnection(door)
    const search = async (text: string) => {
      const began = performance.now()
      const { status, body } = await connection.get(`/search?text=${encodeURIComponent(text)}&limit=5`)
      const ms = performance.now() - began
      if (status !== 200) throw new Error(`A search answers ${status}: ${body.toString('utf8').slice(0, 300)}`)
      return { ms, found: JSON.parse(body.toString('utf8')) as Found }
    }
    const terms = termsOf(visible)
    progress('right answers')
    const rights = new Map(terms.map((term) => [term, searchTotals(all, term, namespaces)]))
    progress('searches')
    const times: number[] = []
    const first: number[] = []
    for (let round = 0; round < REPEATS; round++) {
      for (const term of terms) {
        const { ms, found } = await search(term)
        ;(round === 0 ? first : times).push(ms)
        requireRight(term, found, rights.get(term) ?? new Map())
      }
    }
    const typed = await typing(search, visible)
    const table: number[] = []
    progress('the table')
    const until = performance.now() + PEER_SECONDS * 1000
    for (let round = 0; round < 3; round++) {
      for (const term of terms.filter((one) => !one.includes(' '))) {
        if (table.length > 0 && performance.now() > until) break
        const began = performance.now()
        await postgres.search(term, namespaces)
        table.push(performance.now() - began)
      }
    }
    const measured = {
      ...figuresOf(times),
      firstP99Ms: precise(first, 0.99),
      typedFirstLetterMs: precise(
        typed.filter((_, n) => n % LETTERS === 0),
        0.5,
      ),
      typedP99Ms: precise(typed, 0.99),
      objects: all.length,
    }
    const remark = `${terms.length} terms (names, part of a name, an address, an image, a team, two words, what is nowhere) over ${all.length} objects of all kinds, through the door at one connection; totals by kind compared with the oracle for every answer. "typed": names typed letter by letter. The table is asked for names only, without grouping by relevance, at no HTTP door.`
    return result('W5', pods.length, { p50Ms: 5, p99Ms: 15 }, measured, { postgresTrigrams: figuresOf(table) }, remark)
  } finally {
    await postgres.stop()
    await door.close()
  }
}

/** Rare and common, in every searched column. */
function termsOf(pods: readonly Fact[]): string[] {
  const at = (share: number) => pods[Math.floor(pods.length * share)] as Fact
  const hash = (fact: Fact) => fact.labels['pod-template-hash'] ?? fact.name
  const withAddress = pods.find(({ pod }) => pod?.address !== '')
  return [
    at(0.1).name,
    hash(at(0.3)),
    at(0.5).labels.app ?? at(0.5).name,
    at(0.6).labels.team ?? 'library',
    withAddress?.pod?.address ?? '10.1.',
    at(0.7).pod?.images[0] ?? 'registry',
    `${at(0.8).labels.team} tier=front`,
    at(0.9).name.slice(2, 9),
    'worker',
    'zzqqxx-nowhere',
  ]
}

const LETTERS = 5

/** Milliseconds of each search while names are typed. */
async function typing(search: (text: string) => Promise<{ ms: number }>, pods: readonly Fact[]): Promise<number[]> {
  const times: number[] = []
  for (let n = 0; n < 10; n++) {
    const name = pods[Math.floor((pods.length * n) / 10)]?.name ?? 'worker'
    for (let letters = 1; letters <= LETTERS; letters++) times.push((await search(name.slice(0, letters))).ms)
  }
  return times
}

function requireRight(term: string, found: Found, right: Map<string, number>): void {
  const given = new Map(found.kinds.map(({ resource, total }) => [resource, total]))
  for (const [resource, total] of right) {
    if (given.get(resource) !== total) {
      throw new WrongAnswer(`"${term}" is found in ${given.get(resource) ?? 0} ${resource}, right is ${total}`)
    }
  }
  for (const [resource, total] of given) {
    if (isSearchKnown(resource) && !right.has(resource)) {
      throw new WrongAnswer(`"${term}" is found in ${total} ${resource}, right is none`)
    }
  }
}
