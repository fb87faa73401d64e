import { bind, type Context, type Server } from '@quarterdeck/http'
import { type AnyEndpoint, clusterForbidden, isProblem, type KubeObject } from '@quarterdeck/kernel'
import type { Cluster } from '@quarterdeck/kube'
import { evictPods, restartObjects, scaleObjects } from './act.contract.ts'
import {
  autoscalerWarnings,
  evictionOf,
  isRestartable,
  isScalable,
  objectsText,
  restartBlockers,
  restartPatch,
  scalePatch,
} from './act.rules.ts'
import { asked, EVICTION_SECONDS, patchesOf, UNTOUCHED } from './asked.rules.ts'
import {
  type ActOptions,
  type ChosenObject,
  chosenObjects,
  type LiveObject,
  liveObjects,
  requireAct,
  targetOf,
  toEvict,
  toPatch,
  wrong,
} from './chosen.routes.ts'
import { keeperWarnings } from './edit.rules.ts'
import { nodeRoutes } from './node-act.routes.ts'

const POD = 'pods'

/** Scales, restarts and moves what was chosen, each through an operation. */
export function actRoutes(server: Server, options: ActOptions): void {
  const { makeChange, clusterOf } = options

  bind(server, scaleObjects, (context) => {
    const { cluster } = context.params
    const { namespace, replicas } = context.body
    const chosen = workloads(options, context, isScalable, 'cannot be scaled: it has no replicas')
    return makeChange(asked(scaleObjects.id, context), async () => {
      const live = await liveObjects(options, cluster, chosen)
      const objects = live.map(({ object }) => object)
      const autoscalers = await autoscalersOf(await clusterOf(cluster), namespace)
      return {
        ...UNTOUCHED,
        type: scaleObjects.id,
        summary: `Scale ${objectsText(objects)} to ${replicas}`,
        target: targetOf(options, { cluster, namespace }, 'scale', refsOf(live)),
        patched: patchesOf(live, scalePatch(replicas)),
        warnings: [...autoscalerWarnings(objects, autoscalers), ...objects.flatMap(keeperWarnings)],
      }
    })
  })

  bind(server, restartObjects, (context) => {
    const { cluster } = context.params
    const { namespace } = context.body
    const chosen = workloads(options, context, isRestartable, 'cannot be restarted: nothing replaces its pods in turn')
    return makeChange(asked(restartObjects.id, context), async () => {
      const live = await liveObjects(options, cluster, chosen)
      return {
        ...UNTOUCHED,
        type: restartObjects.id,
        summary: `Restart ${objectsText(live.map(({ object }) => object))}`,
        target: targetOf(options, { cluster, namespace }, 'restart', refsOf(live)),
        patched: patchesOf(live, restartPatch(new Date().toISOString())),
        blockers: restartBlockers(live),
        notUndoable: 'Pods that have been started anew cannot be put back.',
      }
    })
  })

  bind(server, evictPods, (context) => {
    const { cluster } = context.params
    const { namespace, pods, lost } = context.body
    const objects = pods.map((pod) => ({ ...pod, resource: POD }))
    const chosen = chosenObjects(options, context, { cluster, namespace, field: 'pods', objects })
    requireAct(options, context, chosen, toEvict)
    return makeChange(asked(evictPods.id, context), async () => {
      const live = await liveObjects(options, cluster, chosen)
      const count = live.length === 1 ? live[0]?.object.metadata.name : `${live.length} pods`
      return {
        ...UNTOUCHED,
        type: evictPods.id,
        summary: `Move ${live.length === 1 ? 'Pod ' : ''}${count}: evict and make anew`,
        target: targetOf(options, { cluster, namespace }, 'evict', refsOf(live)),
        ...evictionOf(live, { lost, chosen: true }),
        deadlineSeconds: EVICTION_SECONDS,
        notUndoable: 'A pod that was evicted is gone; another has been made in its place.',
      }
    })
  })

  nodeRoutes(server, options)
}

interface WorkloadsContext extends Pick<Context<AnyEndpoint>, 'subject' | 'require'> {
  params: { cluster: string }
  body: { namespace: string; objects: { resource: string; name: string; uid?: string | undefined }[] }
}

function workloads(
  options: ActOptions,
  context: WorkloadsContext,
  fits: (resource: string) => boolean,
  otherwise: string,
): ChosenObject[] {
  const { namespace, objects } = context.body
  const chosen = chosenObjects(options, context, { ...context.params, namespace, field: 'objects', objects })
  const other = chosen.find(({ object }) => !fits(object.resource))
  if (other)
    throw wrong(`/body${other.pointer}/resource`, `${other.ref.kind} ${other.ref.name} ${otherwise}. Leave it out.`)
  requireAct(options, context, chosen, toPatch)
  return chosen
}

const refsOf = (live: readonly LiveObject[]) => live.map(({ ref }) => ref)

/** For a warning only, so what may not be read is left out. */
async function autoscalersOf(kube: Cluster, namespace: string): Promise<KubeObject[]> {
  try {
    return (await kube.list({ apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', namespace })).items
  } catch (error) {
    if (isProblem(error, clusterForbidden)) return []
    throw error
  }
}
