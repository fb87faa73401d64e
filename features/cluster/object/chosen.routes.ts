import { createHash } from 'node:crypto'
import type { Context } from '@quarterdeck/http'
import {
  type AnyEndpoint,
  invalidInput,
  type KubeObject,
  type KubeRef,
  notFound,
  permissionMissing,
  refText,
  type Scope,
} from '@quarterdeck/kernel'
import type { MakeChange } from '../../delivery/operation/operation.contract.ts'
import type { NamedObject, ObjectReader } from '../access/access.contract.ts'
import { checkNamespace, kindNamed, type ObjectParts, refOfKind } from './query.routes.ts'

export interface ActOptions extends ObjectParts {
  makeChange: MakeChange
  /** Where in the platform a namespace is: its environment, or the platform as a whole. */
  scopeOf(place: { cluster: string; namespace: string }): Scope
  /** Reads YAML as data. Throws invalidInput at /body/yaml, naming line and cure. */
  readYaml(yaml: string): unknown[]
}

/** An object that somebody has chosen for an act. */
export interface ChosenObject {
  object: NamedObject
  ref: KubeRef
  uid: string | undefined
  /** In the body of the request: `/objects/3`. */
  pointer: string
}

/** The same as its API server has it now. */
export interface LiveObject {
  object: KubeObject
  ref: KubeRef
  uid: string
  pointer: string
}

type Asking = Pick<Context<AnyEndpoint>, 'subject' | 'require'>

interface Asked {
  cluster: string
  namespace: string
  /** Of the body: `objects`, `pods`, `nodes`. */
  field: string
  objects: readonly { resource: string; name: string; uid?: string | undefined }[]
  /** Where the kind stands in the request; absent: with each object. */
  kindPointer?: string
}

/** The chosen objects by their kinds. Throws unknownKind, invalidInput for doubles and wrong namespaces. */
export function chosenObjects(
  { opened, readerOf }: ActOptions,
  { subject }: Pick<Asking, 'subject'>,
  { cluster, namespace, field, objects, kindPointer }: Asked,
): ChosenObject[] {
  const at = opened()
  const reader = readerOf(subject)
  const chosen = objects.map(({ resource, name, uid }, index): ChosenObject => {
    const kind = kindNamed(at, reader, resource, kindPointer ?? `/body/${field}/${index}/resource`)
    checkNamespace(kind, namespace, '/body/namespace')
    const object = { resource: kind.resource, cluster, namespace, name }
    return { object, pointer: `/${field}/${index}`, ref: refOfKind(kind, object), uid }
  })
  const names = chosen.map(({ ref }) => refText(ref))
  const double = names.findIndex((name, index) => names.indexOf(name) !== index)
  if (double >= 0) throw wrong(`/body/${field}/${double}`, `${names[double]} is chosen twice: leave one out`)
  return chosen
}

/** A request whose field cannot be as it is. */
export const wrong = (pointer: string, detail: string) =>
  invalidInput({ detail: `${pointer}: ${detail}`, errors: [{ pointer, detail }] })

/** Throws notFound for what they may not see, permissionMissing for what they may see and not change. */
export function requireAct(
  options: Pick<ActOptions, 'readerOf' | 'scopeOf'>,
  asking: Asking,
  chosen: readonly Pick<ChosenObject, 'object' | 'ref'>[],
  needed: (object: NamedObject) => { verb: string; object: NamedObject },
): void {
  const reader = options.readerOf(asking.subject)
  const unseen = chosen.filter(({ object }) => !isSeen(reader, object))
  if (unseen.length > 0) throw noneOfThem(unseen[0]?.object.cluster ?? '', unseen)
  for (const { object } of chosen) {
    const need = needed(object)
    if (reader.allows(need.verb, need.object)) continue
    const scope = options.scopeOf(object)
    asking.require('object.edit', scope)
    throw permissionMissing({ permission: 'object.edit', scope, detail: withheldText(object.resource) })
  }
}

const isSeen = (reader: ObjectReader, object: NamedObject) =>
  reader.may(object.resource, object.cluster, object.namespace) || reader.allows('get', object)

/** The right that changing an object as it stands takes. */
export const toPatch = (object: NamedObject) => ({ verb: 'patch', object })
/** The right that moving a pod takes. */
export const toEvict = (object: NamedObject) => ({ verb: 'create', object: { ...object, resource: 'pods/eviction' } })

const withheldText = (resource: string) =>
  `No permission of the platform opens changes of ${resource} there: the platform or the cluster's administrators see to them. Who has rights of their own in the cluster changes them with kubectl.`

/** The same words for what is gone and for what one may not see. */
export function noneOfThem(cluster: string, chosen: readonly { ref: KubeRef }[]) {
  const names = chosen.slice(0, 5).map(({ ref }) => refText(ref))
  return notFound({
    detail: `Cluster ${cluster} does not have ${names.join(', ')}. It may be gone already, or you may not see it.`,
  })
}

/** The chosen objects as they are now; throws notFound when one is gone, or another is there in its place. */
export async function liveObjects(
  { clusterOf }: Pick<ActOptions, 'clusterOf'>,
  cluster: string,
  chosen: readonly ChosenObject[],
): Promise<LiveObject[]> {
  const kube = await clusterOf(cluster)
  const found = await Promise.all(chosen.map(({ ref }) => kube.get(ref)))
  const gone = chosen.filter(({ uid }, index) => {
    const live = found[index]
    return !live || (uid !== undefined && live.metadata.uid !== uid)
  })
  if (gone.length > 0) throw noneOfThem(cluster, gone)
  return chosen.flatMap(({ ref, pointer }, index) => {
    const live = found[index]
    const { apiVersion, kind } = ref
    return live ? [{ object: { ...live, apiVersion, kind }, ref, pointer, uid: live.metadata.uid ?? '' }] : []
  })
}

/** What the operation is about. The same objects are one target, in whatever order they were chosen. */
export function targetOf(
  { scopeOf }: Pick<ActOptions, 'scopeOf'>,
  { cluster, namespace }: { cluster: string; namespace: string },
  act: string,
  refs: readonly KubeRef[],
) {
  const names = refs.map(refText)
  const [one = ''] = names
  const what = names.length === 1 ? one.replace(/[ /]/g, '.') : `objects.${digest(names.toSorted().join('\n'), 16)}`
  const { environment } = namespace === '' ? {} : scopeOf({ cluster, namespace })
  return {
    cluster,
    ...(namespace === '' ? {} : { namespace }),
    ...(environment === undefined ? {} : { environment }),
    what: `${act}.${what}`,
  }
}

export const digest = (text: string, characters = 64): string =>
  createHash('sha256').update(text).digest('hex').slice(0, characters)
