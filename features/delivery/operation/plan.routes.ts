import { createHash } from 'node:crypto'
import {
  clusterConflict,
  clusterForbidden,
  isProblem,
  type KubeObject,
  type KubeRef,
  notFound,
  Problem,
  refOf,
  rejectedByCluster,
} from '@quarterdeck/kernel'
import type { Cluster } from '@quarterdeck/kube'
import { stringify } from 'yaml'
import { canonicalJson, masked, withoutNoise } from './field-change.rules.ts'
import type { Blocker, ChangeRequest, FieldConflict, Plan } from './operation.contract.ts'
import { type Intent, inOrder } from './operation.rules.ts'
import { blockerOf, objectChange, planText, type Rehearsal, unshown } from './plan.rules.ts'
import { quotaBlockers } from './quota.rules.ts'
import { type RehearsedActs, rehearseActs } from './rehearse-patch.routes.ts'
import { reservedBlockers } from './reserved.rules.ts'

/** A plan and what has to be remembered to carry it out and to take it back. */
export interface Rehearsed {
  plan: Plan
  intent: Intent
}

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

export const manifestYaml = (object: KubeObject): string => stringify(masked(withoutNoise(object)), { lineWidth: 0 })

/**
 * Asks the API server what a change would do, object by object, without doing it; as `writer`, who will do it. Throws clusterUnreachable; whatever
 * else stands in the way is a blocker of the plan.
 */
export async function rehearse(
  cluster: Cluster,
  request: ChangeRequest,
  more: { force: boolean; blockers: Blocker[]; laterOperations: string[]; writer?: Cluster },
): Promise<Rehearsed> {
  const by = { reader: cluster, writer: more.writer ?? cluster }
  const desired = inOrder(request.desired)
  const isNamespace = ({ kind }: KubeObject) => kind === 'Namespace'
  const namespaces = await Promise.all(desired.filter(isNamespace).map((manifest) => rehearseApply(by, manifest)))
  const made = namespaces.flatMap(({ rehearsal: { live, ref } }) => (live ? [] : [ref.name]))
  const within = desired.filter((manifest) => !isNamespace(manifest))
  const [others, removed, quota, acts] = await Promise.all([
    Promise.all(within.map((manifest) => rehearseApply(by, manifest, made))),
    Promise.all(request.removed.map((ref) => rehearseRemove(by, ref))),
    readQuota(cluster, desired),
    rehearseActs(by, request),
  ])
  const applied = [...namespaces, ...others]
  const taken = applied.flatMap(({ rehearsal: { live } }) => (live && request.taken?.(live)) || [])
  const given = [...reservedBlockers(request), ...(request.blockers ?? []), ...taken, ...more.blockers]
  const rehearsals = [...applied, ...removed].map(({ rehearsal }) => rehearsal).concat(acts.rehearsals)
  const blockers = [
    ...given,
    ...acts.blockers,
    // What the feature has already explained in its own words is not said again in the cluster's.
    ...[...applied, ...removed].flatMap(({ blocker }) => (blocker && !isExplained(blocker, given) ? [blocker] : [])),
    ...quotaBlockers(
      quota.quotas,
      quota.limitRanges,
      applied.flatMap(({ rehearsal: { live, after } }) =>
        after && WITH_PODS.has(after.kind) ? [{ live, after }] : [],
      ),
    ),
  ]
  const effects = joined(request.effects, acts.effects)
  const plan: Omit<Plan, 'hash'> = {
    kind: 'Plan',
    summary: request.summary,
    changes: rehearsals.map((rehearsal) => {
      const shown = rehearsal.manifest ?? rehearsal.live
      // A pod that makes way is made anew by its owner: of hundreds, nobody reads the manifests.
      const yaml = shown && !isEvicted(rehearsal, request) ? manifestYaml(shown) : ''
      return objectChange(rehearsal, yaml, effects[keyOf(rehearsal.ref)])
    }),
    warnings: [
      ...(request.warnings ?? []),
      ...quota.warnings,
      ...removed.flatMap(({ warnings }) => warnings),
      ...acts.warnings,
    ],
    blockers,
    laterOperations: more.laterOperations,
  }
  const digests = rehearsals.map((rehearsal) => sha256(canonicalJson(unshown(rehearsal))))
  return {
    plan: { ...plan, hash: sha256(planText(request.target, plan, digests)) },
    intent: { ...intentOf(request, removed, more.force), ...actsOf(request, acts) },
  }
}

const WITH_PODS = new Set(['Deployment', 'StatefulSet'])
const keyOf = ({ kind, namespace, name }: KubeRef) => (namespace ? `${kind} ${namespace}/${name}` : `${kind} ${name}`)
const isExplained = (blocker: Blocker, given: Blocker[]) =>
  given.some(({ pointer }) => /nodePort/.test(pointer)) && /port is already allocated/.test(blocker.detail)

const isEvicted = ({ ref }: Rehearsal, { evicted = [] }: ChangeRequest) =>
  evicted.some((one) => keyOf(one.ref) === keyOf(ref))

const actsOf = ({ patched, evicted }: ChangeRequest, acts: RehearsedActs): Pick<Intent, 'patched' | 'evicted'> => ({
  ...(patched ? { patched: acts.patched } : {}),
  ...(evicted ? { evicted } : {}),
})

/** What is said of an object on both sides is one sentence after the other. */
const joined = (one: Record<string, string> = {}, other: Record<string, string>): Record<string, string> => ({
  ...one,
  ...Object.fromEntries(
    Object.entries(other).map(([key, text]) => [key, one[key] ? `${one[key]?.replace(/\.?$/, '.')} ${text}` : text]),
  ),
})

interface RemovedObject {
  rehearsal: Rehearsal
  uid?: string
  live?: KubeObject
  warnings: string[]
  blocker?: Blocker | undefined
}

function intentOf(request: ChangeRequest, removed: RemovedObject[], force: boolean): Intent {
  const gone = removed.flatMap(({ live, rehearsal, uid }) =>
    live && uid ? [{ live, ref: { ...refOf(rehearsal.live ?? live), uid } }] : [],
  )
  const held = gone.map(({ live }) =>
    withAllocated(
      request.before.find((object) => isSame(object, live)),
      live,
    ),
  )
  return {
    desired: request.desired,
    removed: gone.map(({ ref }) => ref),
    before: [...request.before.filter((object) => !gone.some(({ live }) => isSame(object, live))), ...held],
    force,
    deadlineSeconds: request.deadlineSeconds ?? 120,
    ...(request.definition ? { definition: request.definition } : {}),
    ...(request.notUndoable ? { notUndoable: request.notUndoable } : {}),
  }
}

const isSame = (one: KubeObject, other: KubeObject) => keyOf(refOf(one)) === keyOf(refOf(other))

/** What to make again after a delete: our manifest, with the node ports it had, so that its address comes back. */
function withAllocated(manifest: KubeObject | undefined, live: KubeObject): KubeObject {
  if (!manifest) return withoutNoise(live)
  if (live.kind !== 'Service') return manifest
  type Port = { port: number; protocol?: string; nodePort?: number }
  const ports: Port[] = live.spec?.ports ?? []
  const portOf = (port: Port) =>
    ports.find((other) => other.port === port.port && (other.protocol ?? 'TCP') === (port.protocol ?? 'TCP'))?.nodePort
  return {
    ...manifest,
    spec: {
      ...manifest.spec,
      ports: (manifest.spec?.ports ?? []).map((port: Port) => {
        const nodePort = port.nodePort ?? portOf(port)
        return nodePort ? { ...port, nodePort } : port
      }),
    },
  }
}

/** Who looks, and who will write. */
interface By {
  reader: Cluster
  writer: Cluster
}

/** As an API server says it that has just started, or that whoever acts has not been named to. */
const isNotToldYet = (problem: Problem): boolean =>
  isProblem(problem, clusterForbidden) &&
  (/RBAC: .+ not found/.test(problem.message) || ['NotKnown', 'NoImpersonator'].includes(String(problem.body.reason)))

/** `made`: namespaces that this very change makes. The API server knows nothing of what will be in them. */
async function rehearseApply(
  { reader, writer }: By,
  manifest: KubeObject,
  made: string[] = [],
): Promise<{ rehearsal: Rehearsal; blocker?: Blocker }> {
  const ref = refOf(manifest)
  if (ref.namespace !== undefined && made.includes(ref.namespace)) {
    return { rehearsal: { ref, manifest, conflicts: [], warnings: [] } }
  }
  const [live, tried] = await Promise.all([reader.get(ref).catch(absentIfMissing), dryRun(writer, manifest)])
  // Who has not told the cluster everything yet is no refusal; the operation waits for it.
  const dry = tried.problem && writer !== reader && isNotToldYet(tried.problem) ? await dryRun(reader, manifest) : tried
  const { after, conflicts, warnings, problem } = dry
  const rehearsal = { ref, manifest, live, after, conflicts, warnings }
  return problem ? { rehearsal, blocker: blockerOf(problem, ref) } : { rehearsal }
}

// A kind or namespace that is not there: the dry run says so in better words.
const absentIfMissing = (error: unknown): undefined => {
  if (isProblem(error, notFound) || isProblem(error, rejectedByCluster) || isProblem(error, clusterForbidden))
    return undefined
  throw error
}

interface DryRun {
  after?: KubeObject
  conflicts: FieldConflict[]
  warnings: string[]
  problem?: Problem
}

async function dryRun(cluster: Cluster, manifest: KubeObject): Promise<DryRun> {
  let conflicts: FieldConflict[] = []
  for (const force of [false, true]) {
    try {
      const { object, warnings } = await cluster.apply(manifest, { dryRun: true, force })
      return { after: object, conflicts, warnings }
    } catch (error) {
      if (isProblem(error, clusterConflict) && !force) {
        conflicts = (error.body.conflicts as FieldConflict[] | undefined) ?? []
        continue
      }
      if (!isRefusal(error)) throw error
      return { conflicts, warnings: [], problem: error }
    }
  }
  return { conflicts, warnings: [] }
}

const isRefusal = (error: unknown): error is Problem =>
  error instanceof Problem &&
  [notFound, rejectedByCluster, clusterForbidden, clusterConflict].some((type) => isProblem(error, type))

async function rehearseRemove(by: By, asked: KubeRef & { uid?: string }): Promise<RemovedObject> {
  const { uid, ...ref } = asked
  const live = await by.reader.get(ref).catch(absentIfMissing)
  const base = { ref, conflicts: [], warnings: [] }
  if (live && uid !== undefined && live.metadata.uid !== uid) {
    const sentence = `${keyOf(ref)} was deleted and made anew by somebody else; it is left alone.`
    return { rehearsal: base, warnings: [sentence] }
  }
  return {
    rehearsal: { ...base, live },
    warnings: [],
    ...(live ? { live, blocker: await notRemovable(by, ref) } : {}),
    ...(live?.metadata.uid ? { uid: live.metadata.uid } : {}),
  }
}

/** That whoever will remove it may not. What else is in its way, the operation finds out. */
async function notRemovable({ reader, writer }: By, ref: KubeRef): Promise<Blocker | undefined> {
  if (writer === reader) return undefined
  try {
    await writer.remove(ref, { dryRun: true })
    return undefined
  } catch (error) {
    if (!isRefusal(error)) throw error
    return isProblem(error, clusterForbidden) && !isNotToldYet(error) ? blockerOf(error, ref) : undefined
  }
}

async function readQuota(cluster: Cluster, desired: KubeObject[]) {
  const namespaces = [
    ...new Set(desired.filter(({ kind }) => WITH_PODS.has(kind)).map(({ metadata }) => metadata.namespace)),
  ]
  const read = async (kind: string) =>
    (await Promise.all(namespaces.map((namespace) => cluster.list({ apiVersion: 'v1', kind, namespace })))).flatMap(
      ({ items }) => items,
    )
  try {
    const [quotas, limitRanges] = await Promise.all([read('ResourceQuota'), read('LimitRange')])
    return { quotas, limitRanges, warnings: [] }
  } catch (error) {
    if (!isProblem(error, clusterForbidden)) throw error
    return { quotas: [], limitRanges: [], warnings: ['Quotas could not be looked at: the cluster does not allow it.'] }
  }
}
