import {
  type Json,
  type KubeObject,
  type MergePatch,
  mergePatchOf,
  refOf,
  refText,
  writtenPart,
} from '@quarterdeck/kernel'

type Tree = { [member: string]: Json }

/** What is written in an object, as JSON. */
export const writtenTree = (object: KubeObject): Tree => JSON.parse(JSON.stringify(writtenPart(object))) as Tree

/** An edit as it was understood, or what is wrong with it and what to do. */
export type Edited = { object: KubeObject } | { detail: string }

const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Judges what somebody has made of an object: it has to stay that object. */
export function judgeEdited(value: unknown, live: Pick<KubeObject, 'apiVersion' | 'kind' | 'metadata'>): Edited {
  if (!isTree(value)) return { detail: 'It is no object. Write the whole object, beginning with apiVersion and kind.' }
  const { metadata } = value
  if (!isTree(metadata)) return { detail: 'metadata is missing. Write the whole object, not the changed part alone.' }
  const said: [field: string, value: Json | undefined, is: string | undefined][] = [
    ['apiVersion', value.apiVersion, live.apiVersion],
    ['kind', value.kind, live.kind],
    ['metadata.name', metadata.name, live.metadata.name],
    ['metadata.namespace', metadata.namespace ?? live.metadata.namespace, live.metadata.namespace],
  ]
  const moved = said.find(([, text, is]) => text !== is)
  if (moved) {
    const [field, text, is] = moved
    const now = text === undefined ? 'missing' : JSON.stringify(text)
    return {
      detail: `${field} is ${now}, that of the object is ${is ?? 'none'}. It cannot be changed: make another object instead.`,
    }
  }
  for (const part of ['labels', 'annotations'] as const) {
    const values = metadata[part] ?? {}
    const wrong = isTree(values) ? Object.entries(values).find(([, text]) => typeof text !== 'string') : ['']
    if (!wrong) continue
    const [key] = wrong
    return { detail: `metadata.${part}${key ? `[${key}]` : ''} is no text. Put it in quotation marks: "true", "1".` }
  }
  return { object: value as unknown as KubeObject }
}

/** What makes the edit of the object as it is. */
export const editPatch = (live: KubeObject, edited: KubeObject): MergePatch =>
  mergePatchOf(writtenTree(live), writtenTree(withNamespace(edited, live)))

/** A namespace that is left out is that of the object. */
const withNamespace = (edited: KubeObject, { metadata: { namespace } }: KubeObject): KubeObject => ({
  ...edited,
  metadata: { ...edited.metadata, ...(namespace === undefined ? {} : { namespace }) },
})

/** The application that an object is a part of, by its labels. */
export function applicationOf({ metadata: { labels = {} } }: KubeObject): string | undefined {
  return labels['app.kubernetes.io/managed-by'] === 'quarterdeck' ? labels['app.kubernetes.io/instance'] : undefined
}

/** Who else has a say in what an object is, and what that means for a change by hand. */
export function keeperWarnings(object: KubeObject): string[] {
  const text = refText(refOf(object))
  const application = applicationOf(object)
  const { labels = {}, ownerReferences = [] } = object.metadata
  const by = labels['app.kubernetes.io/managed-by']
  const controller = ownerReferences.find((owner) => owner.controller)
  return [
    ...(application
      ? [
          `${text} belongs to application ${application}: its next deployment finds these fields changed by hand and asks whether to take them back. Change the application to keep it so.`,
        ]
      : by === 'quarterdeck'
        ? [`${text} is kept by Quarterdeck, which may put back what is changed by hand.`]
        : []),
    ...(by && by !== 'quarterdeck' ? [`${text} is managed by ${by}, which may put back what is changed by hand.`] : []),
    ...(controller
      ? [`${text} belongs to ${controller.kind} ${controller.name}, which may put back what is changed here.`]
      : []),
  ]
}

/** Paths of a patch, as `spec.replicas`. */
export function pathsOf(patch: MergePatch, at = ''): string[] {
  return Object.entries(patch).flatMap(([key, value]) => {
    const plain = /^[A-Za-z_][\w-]*$/.test(key)
    const path = plain ? (at === '' ? key : `${at}.${key}`) : `${at}[${key}]`
    return isTree(value) && Object.keys(value).length > 0 ? pathsOf(value, path) : [path]
  })
}

/** Fields that two patches both change: one at the place of the other, or within it. */
export function overlapsOf(mine: MergePatch, theirs: MergePatch): string[] {
  const others = pathsOf(theirs)
  const within = (path: string, other: string) =>
    path === other || path.startsWith(`${other}.`) || path.startsWith(`${other}[`)
  return pathsOf(mine).filter((path) => others.some((other) => within(path, other) || within(other, path)))
}
