import { bind, type Context, type Server } from '@quarterdeck/http'
import type { AnyEndpoint, KubeObject, Subject } from '@quarterdeck/kernel'
import type { Blocker, ChangeRequest } from '../../delivery/operation/operation.contract.ts'
import { cordonNodes, drainNodes, MOST_EVICTED, uncordonNodes } from './act.contract.ts'
import { cordonPatch, evictionOf, objectsText } from './act.rules.ts'
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
} from './chosen.routes.ts'

/** Cordons, uncordons and drains nodes, each through an operation. */
export function nodeRoutes(server: Server, options: ActOptions): void {
  const { makeChange } = options

  bind(server, cordonNodes, (context) => {
    const chosen = nodes(options, context)
    return makeChange(asked(cordonNodes.id, context), async () => {
      const live = await liveObjects(options, context.params.cluster, chosen)
      return schedule(options, live, { cluster: context.params.cluster, type: cordonNodes.id, cordoned: true })
    })
  })

  bind(server, uncordonNodes, (context) => {
    const chosen = nodes(options, context)
    return makeChange(asked(uncordonNodes.id, context), async () => {
      const live = await liveObjects(options, context.params.cluster, chosen)
      return schedule(options, live, { cluster: context.params.cluster, type: uncordonNodes.id, cordoned: false })
    })
  })

  bind(server, drainNodes, (context) => {
    const { cluster } = context.params
    const { lost } = context.body
    const chosen = nodes(options, context)
    return makeChange(asked(drainNodes.id, context), async () => {
      const live = await liveObjects(options, cluster, chosen)
      const pods = await podsOn(options, cluster, live)
      const { blockers, warnings, ...eviction } = evictionOf(pods, { lost, chosen: false, cordoned: true })
      const withheld = withheldPods(options, context.subject, cluster, eviction.evicted)
      const cordon = schedule(options, live, { cluster, type: drainNodes.id, cordoned: true })
      return {
        ...cordon,
        ...eviction,
        effects: { ...cordon.effects, ...eviction.effects },
        blockers: [...withheld, ...blockers, ...tooMany(eviction.evicted.length)],
        warnings,
        deadlineSeconds: EVICTION_SECONDS,
      }
    })
  })
}

interface NodesContext extends Pick<Context<AnyEndpoint>, 'subject' | 'require'> {
  params: { cluster: string }
  body: { nodes: { name: string; uid?: string | undefined }[] }
}

function nodes(options: ActOptions, context: NodesContext): ChosenObject[] {
  const objects = context.body.nodes.map((node) => ({ ...node, resource: 'nodes' }))
  const chosen = chosenObjects(options, context, { ...context.params, namespace: '', field: 'nodes', objects })
  requireAct(options, context, chosen, toPatch)
  return chosen
}

const WORDS: Record<string, string> = {
  [cordonNodes.id]: 'Cordon',
  [uncordonNodes.id]: 'Uncordon',
  [drainNodes.id]: 'Drain',
}

/** What makes nodes take new pods, or none. All acts on the same nodes are one target: the newest overtakes. */
function schedule(
  options: ActOptions,
  live: readonly LiveObject[],
  { cluster, type, cordoned }: { cluster: string; type: string; cordoned: boolean },
): ChangeRequest {
  const refs = live.map(({ ref }) => ref)
  const effect = cordoned ? 'No new pods come to it' : 'New pods may come to it'
  const turned = live.filter(({ object }) => (object.spec?.unschedulable === true) !== cordoned)
  return {
    ...UNTOUCHED,
    type,
    summary: `${WORDS[type]} ${objectsText(live.map(({ object }) => object))}`,
    target: targetOf(options, { cluster, namespace: '' }, 'schedule', refs),
    patched: patchesOf(live, cordonPatch(cordoned)),
    effects: Object.fromEntries(turned.map(({ object }) => [`Node ${object.metadata.name}`, effect])),
  }
}

/** The pods on nodes, each with where its node is in the request. */
async function podsOn(
  { clusterOf }: ActOptions,
  cluster: string,
  live: readonly LiveObject[],
): Promise<{ object: KubeObject; pointer: string }[]> {
  const kube = await clusterOf(cluster)
  const found: { object: KubeObject; pointer: string }[] = []
  for (const { ref, pointer } of live) {
    const fieldSelector = `spec.nodeName=${ref.name}`
    for await (const object of kube.listAll({ apiVersion: 'v1', kind: 'Pod', fieldSelector })) {
      found.push({ object, pointer })
    }
  }
  return found
}

/** Pods that somebody may not evict are in the way; they are not told which. */
function withheldPods(
  { readerOf }: ActOptions,
  subject: Subject,
  cluster: string,
  evicted: readonly { ref: { namespace: string; name: string } }[],
): Blocker[] {
  const reader = readerOf(subject)
  const withheld = evicted.filter(({ ref }) => {
    const need = toEvict({ resource: 'pods', cluster, namespace: ref.namespace, name: ref.name })
    return !reader.allows(need.verb, need.object)
  })
  if (withheld.length === 0) return []
  const pods = withheld.length === 1 ? 'A pod runs' : `${withheld.length} pods run`
  return [
    { pointer: '/nodes', detail: `${pods} there that you may not evict. Cordon the node, or ask an administrator.` },
  ]
}

const tooMany = (count: number): Blocker[] =>
  count <= MOST_EVICTED
    ? []
    : [
        {
          pointer: '/nodes',
          detail: `${count} pods would be evicted, at most ${MOST_EVICTED} at a time. Drain fewer nodes.`,
        },
      ]
