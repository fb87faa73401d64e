import {
  clusterConflict,
  clusterForbidden,
  inverseMergePatch,
  isProblem,
  notFound,
  type Problem,
  refText,
  rejectedByCluster,
} from '@quarterdeck/kernel'
import { type Cluster, heldBack } from '@quarterdeck/kube'
import type { Blocker, Evicted, ObjectPatch } from './operation.contract.ts'
import type { Intent } from './operation.rules.ts'
import { changedMeanwhile, guarded, isAsRead, PATCHER } from './patch.rules.ts'
import { blockerOf, type Rehearsal } from './plan.rules.ts'

/** What the plan and the intent get of objects that are changed or evicted as they stand. */
export interface RehearsedActs {
  rehearsals: Rehearsal[]
  blockers: Blocker[]
  warnings: string[]
  patched: NonNullable<Intent['patched']>
  /** By `refText`: why a pod does not go at once. */
  effects: Record<string, string>
}

const AT_ONCE = 16

/** Asks the API server, as whoever will do it, what patches and evictions would do. */
export async function rehearseActs(
  { reader, writer }: { reader: Cluster; writer: Cluster },
  { patched = [], evicted = [] }: { patched?: ObjectPatch[]; evicted?: Evicted[] },
): Promise<RehearsedActs> {
  const patches = await inTurns(patched, (one) => rehearsePatch(reader, writer, one))
  const evictions = await inTurns(evicted, (one) => rehearseEviction(reader, writer, one))
  return {
    rehearsals: [...patches, ...evictions].map(({ rehearsal }) => rehearsal),
    blockers: [...patches, ...evictions].flatMap(({ blocker }) => blocker ?? []),
    warnings: evictions.flatMap(({ warning }) => warning ?? []),
    patched: patches.flatMap(({ intent }) => intent ?? []),
    effects: Object.assign({}, ...evictions.map(({ effect }) => effect)),
  }
}

async function inTurns<Item, Result>(items: Item[], one: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = []
  for (let from = 0; from < items.length; from += AT_ONCE) {
    results.push(...(await Promise.all(items.slice(from, from + AT_ONCE).map(one))))
  }
  return results
}

interface Looked {
  rehearsal: Rehearsal
  blocker?: Blocker
}

async function rehearsePatch(
  reader: Cluster,
  writer: Cluster,
  asked: ObjectPatch,
): Promise<Looked & { intent?: NonNullable<Intent['patched']>[number] }> {
  const { ref, uid, patch } = asked
  const live = await reader.get(ref)
  const rehearsal: Rehearsal = { ref, live, manifest: live, conflicts: [], warnings: [] }
  if (!live || live.metadata.uid !== uid) {
    const detail = `${refText(ref)} is not there any more${live ? ': another has been made under its name' : ''}. Look at the list again.`
    return { rehearsal: { ...rehearsal, live: undefined, manifest: undefined }, blocker: { pointer: '', detail } }
  }
  if (!isAsRead(asked, live))
    return { rehearsal, blocker: { pointer: '/resourceVersion', detail: changedMeanwhile(ref) } }
  const intent = { ...asked, inverse: inverseMergePatch(patch, live) }
  try {
    const { object, warnings } = await writer.patch(ref, guarded(asked, live), { dryRun: true, fieldManager: PATCHER })
    return { rehearsal: { ...rehearsal, manifest: object, after: object, warnings }, intent }
  } catch (error) {
    if (!isRefusal(error)) throw error
    return { rehearsal, blocker: blockerFor(error, asked) }
  }
}

const isRefusal = (error: unknown): error is Problem =>
  [notFound, rejectedByCluster, clusterForbidden, clusterConflict].some((type) => isProblem(error, type))

function blockerFor(error: Problem, { ref, basis }: ObjectPatch): Blocker {
  if (!isProblem(error, clusterConflict)) return inWords(blockerOf(error, ref))
  if (basis) return { pointer: '/resourceVersion', detail: changedMeanwhile(ref) }
  return { pointer: '', detail: `${refText(ref)}: ${error.body.detail ?? error.body.title}` }
}

/** The API server's phrase for fields that are set once, with what to do. */
function inWords({ pointer, detail }: Blocker): Blocker {
  if (
    !/field is immutable|may not change once set|updates to \S+ spec for fields other than|is immutable/i.test(detail)
  ) {
    return { pointer, detail }
  }
  const field = pointer === '' ? 'This field' : pointer.slice(1).replaceAll('/', '.')
  return {
    pointer,
    detail: `${field} is set when the object is made and never changes afterwards. To have another value, delete the object and make it anew. The cluster says: ${detail}`,
  }
}

async function rehearseEviction(
  reader: Cluster,
  writer: Cluster,
  { ref, uid }: Evicted,
): Promise<Looked & { warning?: string; effect?: Record<string, string> }> {
  const live = await reader.get(ref)
  const here = live?.metadata.uid === uid ? live : undefined
  const rehearsal: Rehearsal = { ref, live: here, conflicts: [], warnings: [] }
  if (!here) return { rehearsal, warning: `${refText(ref)} is not there any more; it is left out.` }
  try {
    await writer.evict(ref, { dryRun: true, uid })
    return { rehearsal }
  } catch (error) {
    if (isProblem(error, heldBack)) {
      const detail = `Held back for now: ${error.body.detail ?? error.body.title}`
      return { rehearsal, effect: { [refText(ref)]: `${detail} It is asked again until it may go.` } }
    }
    if (isProblem(error, notFound)) return { rehearsal: { ...rehearsal, live: undefined } }
    if (!isRefusal(error)) throw error
    return { rehearsal, blocker: blockerOf(error, ref) }
  }
}
