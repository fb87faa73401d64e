// A mirror alone in a process, so that what it costs can be seen from outside. Started by mirror-process.ts.
import { setTimeout as sleep } from 'node:timers/promises'
import { EVERYTHING, type Mirror, openMirror, type Reader } from '@quarterdeck/mirror'
import type { Ask, MirrorQuestion, Synced } from './mirror-process.ts'

const LOOK_EVERY_MS = 5
const SNAPSHOT_KEY = new Uint8Array(32).fill(1)
let mirror: Mirror | undefined

const opened = (): Mirror => {
  if (!mirror) throw new Error('The mirror has not been opened')
  return mirror
}

/** Who may see these namespaces, and what belongs to none. */
function readerOf(namespaces: readonly string[] | undefined): Reader {
  if (!namespaces) return EVERYTHING
  const allowed = new Set(namespaces)
  const may = (_resource: string, _cluster: string, namespace: string) => namespace === '' || allowed.has(namespace)
  return { key: `namespaces ${namespaces.join(' ')}`, generation: 0, may, knows: () => true }
}

const acts: { [Act in MirrorQuestion['act']]: (question: Extract<MirrorQuestion, { act: Act }>) => unknown } = {
  open({ snapshotFolder }) {
    const log = { info: () => {}, warn: (fields: object, message: string) => console.error(message, fields) }
    mirror = openMirror({
      log,
      ...(snapshotFolder === undefined ? {} : { snapshots: { folder: snapshotFolder, key: SNAPSHOT_KEY } }),
    })
  },
  watch({ clusters }) {
    for (const cluster of clusters) opened().watch(cluster)
  },
  forget: ({ cluster }) => opened().forget(cluster),
  synced: ({ clusters }) => synced(opened(), clusters),
  list: ({ query, namespaces }) => opened().list(query, readerOf(namespaces)),
  search: ({ query, namespaces }) => opened().search(query, readerOf(namespaces)),
  kinds: () => opened().kinds(),
  clusters: () => opened().clusters(),
  metrics: () => opened().metrics(),
  time({ queries, namespaces, count }) {
    const reader = readerOf(namespaces)
    const times: number[] = []
    for (let n = 0; n < count; n++) {
      const query = queries[n % queries.length]
      if (!query) continue
      const began = performance.now()
      opened().listJson(query, reader)
      times.push(performance.now() - began)
    }
    return times
  },
  memory() {
    globalThis.gc?.()
    globalThis.gc?.()
    return process.memoryUsage()
  },
  async close() {
    await mirror?.close()
  },
}

/** Milliseconds since the call until the first pods could be listed, until all pods, and until every kind was there. */
async function synced(from: Mirror, names: string[]): Promise<Synced> {
  const began = performance.now()
  const now = () => performance.now() - began
  const times: Partial<Synced> = {}
  for (;;) {
    const states = from.clusters().filter(({ cluster }) => names.includes(cluster))
    const pods = states.map(({ kinds }) => kinds.find(({ resource }) => resource === 'pods'))
    const some = pods.find((one) => (one?.objects ?? 0) > 0)
    if (some && times.firstPageMs === undefined) {
      const { total, freshness } = from.list({ resource: 'pods', limit: 50 }, EVERYTHING)
      if (total > 0) {
        times.firstPageMs = now()
        times.firstPageTotal = total
        times.firstPagePercent = freshness[0]?.percent ?? 100
      }
    }
    const complete = (state: string | undefined) => state === 'live'
    if (pods.length === names.length && pods.every((one) => complete(one?.state))) {
      if (times.podsMs === undefined) {
        from.list({ resource: 'pods', sort: [{ field: 'restarts', descending: true }], limit: 50 }, EVERYTHING)
        times.podsMs = now()
      }
      if (states.every(({ kinds }) => kinds.every(({ state }) => complete(state)))) {
        const objects = states.reduce((sum, one) => sum + one.objects, 0)
        return { firstPageMs: 0, firstPageTotal: 0, firstPagePercent: 0, podsMs: 0, ...times, allMs: now(), objects }
      }
    }
    await sleep(LOOK_EVERY_MS)
  }
}

process.on('message', async ({ id, question }: Ask) => {
  try {
    const act = acts[question.act] as (question: MirrorQuestion) => unknown
    process.send?.({ id, value: await act(question) })
  } catch (error) {
    process.send?.({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  }
})
process.once('disconnect', () => process.exit(0))
