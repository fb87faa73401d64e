import type { Json } from './object.ts'

/** RFC 7386: members to set; null takes one away. Lists are replaced whole. */
export type MergePatch = { [member: string]: Json }

type Tree = { [member: string]: Json }
const isTree = (value: Json | undefined): value is Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** What turns `before` into `after`. Members of `after` that are null count as not there. */
export function mergePatchOf(before: Tree, after: Tree): MergePatch {
  const patch: MergePatch = {}
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [old, next] = [before[key] ?? undefined, after[key] ?? undefined]
    if (next === undefined) {
      if (old !== undefined) patch[key] = null
    } else if (isTree(old) && isTree(next)) {
      const inner = mergePatchOf(old, next)
      if (Object.keys(inner).length > 0) patch[key] = inner
    } else if (!sameJson(old, next)) patch[key] = next
  }
  return patch
}

/** `target` after the patch. */
export function withMergePatch(target: Tree, patch: MergePatch): Tree {
  const result = { ...target }
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else if (isTree(value)) result[key] = withMergePatch(isTree(result[key]) ? result[key] : {}, value)
    else result[key] = value
  }
  return result
}

/** What takes a patch back that is about to be made to `target`: the members that it touches, as they are now. */
export function inverseMergePatch(patch: MergePatch, target: Tree): MergePatch {
  const inverse: MergePatch = {}
  for (const [key, value] of Object.entries(patch)) {
    const now = target[key]
    if (now === undefined) inverse[key] = null
    else inverse[key] = isTree(value) && isTree(now) ? inverseMergePatch(value, now) : now
  }
  return inverse
}

/** One patch that does what two do, one after the other. */
export function thenMergePatch(first: MergePatch, second: MergePatch): MergePatch {
  const both = { ...first }
  for (const [key, value] of Object.entries(second)) {
    const earlier = both[key]
    both[key] = isTree(value) && isTree(earlier) ? thenMergePatch(earlier, value) : value
  }
  return both
}

/** Whether two values are the same, whatever the order of members. */
export function sameJson(one: Json | undefined, other: Json | undefined): boolean {
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((item, index) => sameJson(item, other[index]))
  }
  if (!isTree(one) || !isTree(other)) return one === other
  const keys = Object.keys(one)
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => key in other && sameJson(one[key] as Json, other[key] as Json))
  )
}
