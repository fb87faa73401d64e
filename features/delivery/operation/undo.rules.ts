import { type KubeObject, type KubeRef, refOf, refText, thenMergePatch } from '@quarterdeck/kernel'
import type { ChangeRequest, Definition, ObjectPatch } from './operation.contract.ts'
import { hasEnded, isInDoubt, type OperationRow } from './operation.rules.ts'

/**
 * The change that puts back what was there before `row`. Operations of the same target since then are taken back as
 * well: what counts for each object is the first of them that touched it. `held` is the definition as it is now.
 */
export function undoRequest(
  row: OperationRow,
  later: OperationRow[],
  held: Pick<Definition, 'before' | 'basis'> | undefined,
): ChangeRequest {
  const touched = new Map<string, { ref: KubeRef; by: OperationRow }>()
  for (const by of [row, ...later]) {
    for (const ref of [...by.intent.desired.map(refOf), ...by.intent.removed]) {
      if (!touched.has(refText(ref))) touched.set(refText(ref), { ref, by })
    }
  }
  const desired: KubeObject[] = []
  const removed: ChangeRequest['removed'] = []
  for (const { ref, by } of touched.values()) {
    const before = find(by.intent.before, ref)
    const made = by.results.find((result) => refText(result.ref) === refText(ref))
    if (before) desired.push(before)
    else if (made ? made.created : createsIt(by, ref))
      removed.push({ ...plainRef(ref), ...(made ? { uid: made.uid } : {}) })
    // It was there before us and we had claimed nothing: give up the fields that we claimed.
    else if (made || mayJoin(by, ref)) desired.push(claimingNothing(ref))
  }
  const definition = [row, ...later].find((operation) => operation.intent.definition)?.intent.definition
  return {
    type: 'operation.undo',
    summary: `Undo: ${row.summary}`,
    target: {
      cluster: row.cluster,
      what: row.target.split('/').slice(2).join('/'),
      ...(row.target.split('/')[1] ? { namespace: row.target.split('/')[1] as string } : {}),
      ...(row.environment ? { environment: row.environment } : {}),
      ...(row.application ? { application: row.application } : {}),
    },
    desired,
    removed,
    before: presentManifests(row, later),
    ...unpatched([row, ...later]),
    deadlineSeconds: row.intent.deadlineSeconds,
    ...(definition && held
      ? { definition: { ...definition, before: held.before, after: definition.before, basis: held.basis } }
      : {}),
  }
}

/** What puts patched objects back: the inverse of the last patch first. Evicted pods stay where they are. */
function unpatched(rows: OperationRow[]): Pick<ChangeRequest, 'patched' | 'warnings'> {
  const back = new Map<string, ObjectPatch>()
  for (const row of rows.toReversed()) {
    for (const { ref, uid, inverse } of row.intent.patched ?? []) {
      const known = back.get(refText(ref))
      const touched = row.results.some((result) => refText(result.ref) === refText(ref)) || mayStillPatch(row)
      if (touched) back.set(refText(ref), { ref, uid, patch: known ? thenMergePatch(known.patch, inverse) : inverse })
    }
  }
  const evicted = rows.some(({ intent }) => intent.evicted)
  return {
    ...(rows.some(({ intent }) => intent.patched) ? { patched: [...back.values()] } : {}),
    ...(evicted ? { warnings: ['Pods that were evicted stay where they are now.'] } : {}),
  }
}

const mayStillPatch = (row: OperationRow) => !hasEnded(row.state) || isInDoubt(row)

const find = (objects: KubeObject[], ref: KubeRef) => objects.find((object) => refText(refOf(object)) === refText(ref))

const plainRef = ({ apiVersion, kind, namespace, name }: KubeRef): KubeRef => ({
  apiVersion,
  kind,
  name,
  ...(namespace === undefined ? {} : { namespace }),
})

/** An operation that has not got to the object yet, or nobody knows whether, but whose plan was to make it. */
const createsIt = (row: OperationRow, ref: KubeRef): boolean =>
  (row.state !== 'Failed' || isInDoubt(row)) &&
  row.plan.changes.some((change) => refText(change.ref) === refText(ref) && change.action === 'create')

/** An operation that has not got yet to an object that was there before it. */
const mayJoin = (row: OperationRow, ref: KubeRef): boolean =>
  (!hasEnded(row.state) || isInDoubt(row)) && find(row.intent.desired, ref) !== undefined

const claimingNothing = ({ apiVersion, kind, namespace, name }: KubeRef): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
})

/** What is applied by us now: the last word of these operations on each object; undoing the undo puts it back. */
function presentManifests(row: OperationRow, later: OperationRow[]): KubeObject[] {
  const present = new Map<string, KubeObject>()
  for (const { intent } of [row, ...later]) {
    for (const object of intent.desired) present.set(refText(refOf(object)), object)
    for (const ref of intent.removed) present.delete(refText(ref))
  }
  return [...present.values()]
}

/** The operations since, as sentences for the plan. */
export const laterSentences = (later: OperationRow[]): string[] =>
  later.map((row) => `${row.summary} (${row.actor}, ${row.acceptTime}, ${row.state})`)
