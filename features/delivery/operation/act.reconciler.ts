import { clusterConflict, isProblem, notFound, refText, sameJson, withMergePatch } from '@quarterdeck/kernel'
import { type Cluster, heldBack } from '@quarterdeck/kube'
import { isDone, Refused, refuse } from './apply.reconciler.ts'
import type { Evicted, ObjectPatch } from './operation.contract.ts'
import { evictStep, isWorkload, patchStep } from './operation.rules.ts'
import { changedMeanwhile, guarded, isAsRead, PATCHER } from './patch.rules.ts'
import { at, type Run } from './run.reconciler.ts'
import type { Seen } from './wait.reconciler.ts'

/** Changes one object as it stands, unless that is known to be done. Throws Refused. */
export async function patchOne(
  run: Run,
  { reader, writer }: { reader: Cluster; writer: Cluster },
  asked: ObjectPatch,
): Promise<void> {
  const { ref } = asked
  const step = patchStep(ref)
  if (isDone(run, step)) return
  run.signal.throwIfAborted()
  await at('operation.apply.before')
  const held = run.resumed ? await patchedBefore(reader, asked) : undefined
  const { object, warnings } = held ?? (await sendPatch(run, { reader, writer }, asked))
  await at('operation.apply.after')
  const others = run.seen.results.filter((result) => refText(result.ref) !== refText(ref))
  run.seen.results = [...others, { ref, uid: object.metadata.uid ?? '', created: false }]
  if (isWorkload(ref)) {
    const { exceeded } = run.options.rolloutOf(object, { pods: [], events: [] })
    if (exceeded !== false) run.remember(ref, exceeded)
  }
  run.step(step, 'Succeeded', warnings.join(' '))
}

const TRIES = 10

/** Whoever writes to the status in between is no obstacle; whoever writes to the rest is one. */
async function sendPatch(run: Run, { reader, writer }: { reader: Cluster; writer: Cluster }, asked: ObjectPatch) {
  const { ref, basis } = asked
  for (let tries = 1; ; tries++) {
    const live = basis && (await reader.get(ref))
    if (live && !isAsRead(asked, live)) {
      throw new Refused(clusterConflict({ detail: changedMeanwhile(ref), conflicts: [] }), ref)
    }
    try {
      return await writer.patch(ref, guarded(asked, live), { fieldManager: PATCHER, signal: run.signal })
    } catch (error) {
      if (!basis || tries === TRIES || !isProblem(error, clusterConflict)) return refuse(error, ref)
    }
  }
}

/** What a patch whose answer nobody got has done: the object, when the same patch would change nothing. */
async function patchedBefore(reader: Cluster, { ref, uid, patch }: ObjectPatch) {
  const object = await reader.get(ref)
  const isDone = object?.metadata.uid === uid && sameJson(withMergePatch(object, patch), object)
  return isDone ? { object, warnings: [] } : undefined
}

const AT_ONCE = 8

/** One look at all pods that are to go: those that are still there are asked to go, again and again. */
export async function evictAll(run: Run, { reader, writer }: { reader: Cluster; writer: Cluster }): Promise<Seen[]> {
  const open = (run.row.intent.evicted ?? []).filter(({ ref }) => !isDone(run, evictStep(ref)))
  const uncordoned = await uncordonedOf(reader, open)
  const seen: Seen[] = []
  for (let from = 0; from < open.length; from += AT_ONCE) {
    run.signal.throwIfAborted()
    const some = open.slice(from, from + AT_ONCE)
    seen.push(...(await Promise.all(some.map((one) => evictOne(run, { reader, writer }, one, uncordoned)))))
    for (const { step, done, message } of seen.slice(from)) run.step(step, done ? 'Succeeded' : 'Running', message)
    await run.write()
  }
  return seen
}

/** Nodes that take pods again, though they were to be emptied. */
async function uncordonedOf(reader: Cluster, open: Evicted[]): Promise<Set<string>> {
  const names = [...new Set(open.flatMap(({ whileCordoned }) => whileCordoned ?? []))]
  const nodes = await Promise.all(names.map((name) => reader.get({ apiVersion: 'v1', kind: 'Node', name })))
  return new Set(names.filter((_, index) => nodes[index] && nodes[index]?.spec?.unschedulable !== true))
}

async function evictOne(
  run: Run,
  { reader, writer }: { reader: Cluster; writer: Cluster },
  { ref, uid, whileCordoned = '' }: Evicted,
  uncordoned: Set<string>,
): Promise<Seen> {
  const step = evictStep(ref)
  const waits = (message: string, mark = message): Seen => ({ step, done: false, message, mark, hopeless: false })
  const gone: Seen = { step, done: true, message: '', mark: 'gone', hopeless: false }
  const pod = await reader.get(ref)
  if (!pod || pod.metadata.uid !== uid) return gone
  if (pod.metadata.deletionTimestamp) return waits('The pod is given time to end its work.', 'ends')
  if (uncordoned.has(whileCordoned)) {
    const message = `Node ${whileCordoned} takes pods again, so ${refText(ref)} stays where it is. Drain the node again to go on.`
    return { ...waits(message), hopeless: true }
  }
  await at('operation.remove.before')
  try {
    await writer.evict(ref, { uid, signal: run.signal })
    await at('operation.remove.after')
    return waits('The pod is given time to end its work.', 'ends')
  } catch (error) {
    if (isProblem(error, heldBack)) {
      const detail = error.body.detail ?? error.body.title
      return waits(`${detail} It is asked again until the budget lets it go.`)
    }
    if (isProblem(error, notFound) || isProblem(error, clusterConflict)) return gone
    return refuse(error, ref)
  }
}
