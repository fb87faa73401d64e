import { createHash } from 'node:crypto'
import { bind, type Server } from '@quarterdeck/http'
import { invalidInput, type KubeObject, notFound, permissionMissing, refText } from '@quarterdeck/kernel'
import type { ChangeRequest, MakeChange } from '../../delivery/operation/operation.contract.ts'
import { type Chosen, deletionSummary, judgeDeletion } from './delete.rules.ts'
import { deleteObjects } from './object.contract.ts'
import { checkNamespace, kindNamed, type ObjectParts, refOfKind } from './query.routes.ts'

export interface DeleteOptions extends ObjectParts {
  makeChange: MakeChange
}

/** Deletes chosen objects through an operation: plan first, and undo where it is possible. */
export function deleteRoutes(server: Server, { opened, readerOf, clusterOf, makeChange }: DeleteOptions): void {
  bind(server, deleteObjects, ({ params, query, body, subject, idempotencyKey }) => {
    const { namespace } = body
    const at = opened()
    const reader = readerOf(subject)
    const asked = body.objects.map(({ resource, name, uid }, index) => {
      const pointer = `/body/objects/${index}`
      const kind = kindNamed(at, resource, `${pointer}/resource`)
      checkNamespace(kind, namespace, '/body/namespace')
      if (!reader.may(kind.resource, params.cluster, namespace)) {
        const detail = `You may not see ${kind.resource} there, so you cannot delete them. An administrator can grant it.`
        throw permissionMissing({ permission: 'object.delete', detail })
      }
      return { pointer: `/objects/${index}`, ref: refOfKind(kind, { namespace, name }), ...(uid ? { uid } : {}) }
    })
    refuseDoubles(asked.map(({ ref }) => refText(ref)))
    const change = { endpoint: deleteObjects.id, subject, params, query, body, idempotencyKey }
    return makeChange(change, async (): Promise<ChangeRequest> => {
      const cluster = await clusterOf(params.cluster)
      const live = await Promise.all(asked.map(({ ref }) => cluster.get(ref)))
      const chosen = live.flatMap((object, index): Chosen[] => {
        const pointer = asked[index]?.pointer ?? ''
        return object ? [{ object: withKind(object, asked[index]?.ref), pointer }] : []
      })
      if (chosen.length === 0) {
        const names = asked.slice(0, 5).map(({ ref }) => refText(ref))
        throw notFound({
          detail: `Cluster ${params.cluster} has none of them: ${names.join(', ')}. They may be gone already.`,
        })
      }
      return {
        type: deleteObjects.id,
        summary: deletionSummary(chosen, namespace),
        target: {
          cluster: params.cluster,
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
