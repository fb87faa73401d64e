import { type KubeObject, type MergePatch, refOf, refText } from '@quarterdeck/kernel'
import type { Blocker, Evicted } from '../../delivery/operation/operation.contract.ts'

/** Annotation on the pod template whose new value makes the controller replace all pods. */
const RESTART_TIME = 'quarterdeck.dev/restart-time'

/** Kinds whose replicas can be set, as in RBAC. */
const SCALABLE = ['deployments.apps', 'statefulsets.apps', 'replicasets.apps', 'replicationcontrollers']
/** Kinds whose controller replaces all pods when their template changes. */
const RESTARTABLE = ['deployments.apps', 'statefulsets.apps', 'daemonsets.apps']

export const isScalable = (resource: string): boolean => SCALABLE.includes(resource)
export const isRestartable = (resource: string): boolean => RESTARTABLE.includes(resource)

export const scalePatch = (replicas: number): MergePatch => ({ spec: { replicas } })
export const restartPatch = (time: string): MergePatch => ({
  spec: { template: { metadata: { annotations: { [RESTART_TIME]: time } } } },
})
/** A node that takes pods says nothing of it. */
export const cordonPatch = (cordoned: boolean): MergePatch => ({ spec: { unschedulable: cordoned ? true : null } })

/** An autoscaler that sets the replicas of a workload. */
export function autoscalerWarnings(workloads: readonly KubeObject[], autoscalers: readonly KubeObject[]): string[] {
  return workloads.flatMap(({ kind, metadata: { name } }) =>
    autoscalers
      .filter(({ spec }) => spec?.scaleTargetRef?.kind === kind && spec?.scaleTargetRef?.name === name)
      .map(
        (one) =>
          `HorizontalPodAutoscaler ${one.metadata.name} sets the replicas of ${kind} ${name} (${one.spec?.minReplicas ?? 1} to ${one.spec?.maxReplicas}) and will set them again.`,
      ),
  )
}

/** Why a Deployment does not replace its pods, or a workload has none to replace. */
export function restartBlockers(workloads: readonly { object: KubeObject; pointer: string }[]): Blocker[] {
  return workloads.flatMap(({ object: { kind, spec, metadata }, pointer }) => {
    if (kind === 'Deployment' && spec?.paused === true) {
      return [
        {
          pointer,
          detail: `Deployment ${metadata.name} is paused, so it would replace no pod. Set spec.paused to false first, or leave it out.`,
        },
      ]
    }
    return []
  })
}

/** What becomes of a pod when its node is to be left by all, or when it is chosen. */
type Fate =
  | { stays: string }
  | { moves: string }
  /** Nothing makes it anew. */
  | { lost: string }

const MIRRORED = 'kubernetes.io/config.mirror'

/** What an eviction means for one pod. */
function fateOf(pod: KubeObject): Fate {
  const controller = pod.metadata.ownerReferences?.find((owner) => owner.controller)
  if (pod.metadata.annotations?.[MIRRORED] !== undefined) return { stays: 'is static: its node keeps it' }
  const ended = ['Succeeded', 'Failed'].includes(pod.status?.phase)
  if (controller?.kind === 'DaemonSet' && !ended) return { stays: `belongs to DaemonSet ${controller.name}` }
  const kept = hasScratch(pod) ? ' What it keeps in emptyDir volumes is lost.' : ''
  if (ended) return { moves: 'It has ended; what is left of it goes.' }
  if (!controller) return { lost: `Nothing makes another in its place.${kept}` }
  return {
    moves: `${controller.kind} ${controller.name} makes another in its place, on a node that the scheduler chooses.${kept}`,
  }
}

interface Volume {
  emptyDir?: { medium?: string }
}
const hasScratch = ({ spec }: KubeObject): boolean => (spec?.volumes ?? []).some(({ emptyDir }: Volume) => emptyDir)

/** Pods that are to go, with what the plan says of each. */
export interface Eviction {
  evicted: Evicted[]
  blockers: Blocker[]
  warnings: string[]
  effects: Record<string, string>
}

/**
 * Which pods of a node or of a choice go. What nothing makes anew goes only if that is asked for. `chosen`: by name, so
 * that one that stays is in the way; else it is left.
 */
export function evictionOf(
  pods: readonly { object: KubeObject; pointer: string }[],
  { lost, chosen, cordoned }: { lost: boolean; chosen: boolean; cordoned?: boolean },
): Eviction {
  const result: Eviction = { evicted: [], blockers: [], warnings: [], effects: {} }
  const left: string[] = []
  for (const { object, pointer } of pods) {
    const fate = fateOf(object)
    const { namespace = '', name, uid = '' } = object.metadata
    const text = `Pod ${namespace}/${name}`
    if ('stays' in fate) {
      if (chosen)
        result.blockers.push({ pointer, detail: `${text} ${fate.stays}, so it has to stay on its node. Leave it out.` })
      else left.push(`${namespace}/${name}`)
      continue
    }
    if ('lost' in fate && !lost) {
      const detail = `${text} would be lost: nothing makes another in its place. Say lost: true to evict it all the same, or move what it does first.`
      result.blockers.push({ pointer, detail })
    }
    const node = object.spec?.nodeName
    const from = node ? `Leaves node ${node}. ` : ''
    result.effects[text] = `${from}${'lost' in fate ? fate.lost : fate.moves}`
    const ref = { apiVersion: 'v1', kind: 'Pod', namespace, name }
    result.evicted.push({ ref, uid, ...(cordoned && node ? { whileCordoned: node } : {}) })
  }
  if (left.length > 0) result.warnings.push(leftSentence(left))
  return result
}

const SHOWN = 10
function leftSentence(names: string[]): string {
  const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : ''
  const many = names.length === 1 ? '1 pod stays' : `${names.length} pods stay`
  return `${many}, since DaemonSets and nodes keep them there: ${names.slice(0, SHOWN).join(', ')}${more}.`
}

/** `Deployment web`, or `3 × Deployment`. */
export function objectsText(objects: readonly KubeObject[]): string {
  const [one] = objects
  if (one && objects.length === 1) return refText(refOf(one))
  const kinds = [...new Set(objects.map(({ kind }) => kind))]
  return kinds.length === 1 ? `${objects.length} × ${kinds[0]}` : `${objects.length} objects`
}
