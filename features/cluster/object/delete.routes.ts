import { createHash } from 'node:crypto'
import { bind, type Server } from '@quarterdeck/http'
import {
  invalidInput,
  type KubeObject,
  type KubeRef,
  notFound,
  permissionMissing,
  refText,
  type Scope,
} from '@quarterdeck/kernel'
import type { ChangeRequest, MakeChange } from '../../delivery/operation/operation.contract.ts'
import { type Chosen, deletionSummary, judgeDeletion } from './delete.rules.ts'
import { deleteObjects } from './object.contract.ts'
import { checkNamespace, kindNamed, type ObjectParts, refOfKind } from './query.routes.ts'

export interface DeleteOptions extends ObjectParts {
  makeChange: MakeChange
  /** Where in the platform a namespace is: its environment, or the platform as a whole. */
  scopeOf(place: { cluster: string; namespace: string }): Scope
}

/** Deletes chosen objects through an operation: plan first, and undo where it is possible. */
export function deleteRoutes(server: Server, options: DeleteOptions): void {
  const { opened, readerOf, clusterOf, makeChange, scopeOf } = options
  bind(server, deleteObjects, (context) => {
    const { params, query, body, subject, idempotencyKey } = context
    const { cluster } = params
    const { namespace } = body
    const at = opened()
    const reader = readerOf(subject)
    const named = body.objects.map(({ resource, name, uid }, index) => {
      const kind = kindNamed(at, reader, resource, `/body/objects/${index}/resource`)
      checkNamespace(kind, namespace, '/body/namespace')
      const object = { resource: kind.resource, cluster, namespace, name }
      return { object, pointer: `/objects/${index}`, ref: refOfKind(kind, object), ...(uid ? { uid } : {}) }
    })
    refuseDoubles(named.map(({ ref }) => refText(ref)))
    const asked = named.filter(({ object }) => reader.may(object.resource, cluster, namespace))
    if (asked.length === 0) throw noneOfThem(cluster, named)
    const withheld = asked.find(({ object }) => !reader.allows('delete', object))
    if (withheld) {
      const scope = scopeOf({ cluster, namespace })
      context.require('object.delete', scope)
      throw permissionMissing({ permission: 'object.delete', scope, detail: withheldText(withheld.object.resource) })
    }
    const change = { endpoint: deleteObjects.id, subject, params, query, body, idempotencyKey }
    return makeChange(change, async (): Promise<ChangeRequest> => {
      const kube = await clusterOf(cluster)
      const live = await Promise.all(asked.map(({ ref }) => kube.get(ref)))
      const chosen = live.flatMap((object, index): Chosen[] => {
        const pointer = asked[index]?.pointer ?? ''
        return object ? [{ object: withKind(object, asked[index]?.ref), pointer }] : []
      })
      if (chosen.length === 0) throw noneOfThem(cluster, named)
      return {
        type: deleteObjects.id,
        summary: deletionSummary(chosen, namespace),
        target: {
          cluster,
          ...(namespace === '' ? {} : { namespace }),
          what: whatOf(asked.map(({ ref }) => refText(ref))),
        },
        desired: [],
        removed: asked.map(({ ref, uid }) => ({ ...ref, ...(uid === undefined ? {} : { uid }) })),
        before: [],
        ...judgeDeletion(chosen),
      }
    })
  })
}

/** The same words for what is gone and for what one may not see. */
const noneOfThem = (cluster: string, named: readonly { ref: KubeRef }[]) => {
  const names = named.slice(0, 5).map(({ ref }) => refText(ref))
  return notFound({
    detail: `Cluster ${cluster} has none of them: ${names.join(', ')}. They may be gone already, or you may not see them.`,
  })
}

const withheldText = (resource: string) =>
  `No permission of the platform opens ${resource} there: the platform or the cluster's administrators see to them. Who has rights of their own in the cluster deletes them with kubectl.`

const withKind = (object: KubeObject, ref: { apiVersion: string; kind: string } | undefined): KubeObject => ({
  ...object,
  ...(ref ? { apiVersion: ref.apiVersion, kind: ref.kind } : {}),
})

/** The same objects are one target, in whatever order they were chosen. */
const whatOf = (names: string[]): string =>
  names.length === 1 && names[0]
    ? names[0].replace(/[ /]/g, '.')
    : `objects.${createHash('sha256').update(names.toSorted().join('\n')).digest('hex').slice(0, 16)}`

function refuseDoubles(names: string[]): void {
  const index = names.findIndex((name, at) => names.indexOf(name) !== at)
  if (index < 0) return
  const detail = `${names[index]} is chosen twice: leave one out`
  throw invalidInput({
    detail: `/body/objects/${index}: ${detail}`,
    errors: [{ pointer: `/body/objects/${index}`, detail }],
  })
}
