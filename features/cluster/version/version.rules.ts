import type { Json } from '@quarterdeck/kernel'

/**
 * One step from one JSON value to another: a member or element is set to `value`, an array is cut to `length`, or, with
 * neither, a member is removed. Steps are taken in order; an empty path is the whole value.
 */
export interface Step {
  path: (string | number)[]
  value?: Json
  length?: number
}

type Tree = { [key: string]: Json }
const isTree = (value: Json | undefined): value is Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Steps that make `to` of `from`; none when they are the same, whatever the order of members. */
export function stepsBetween(from: Json, to: Json): Step[] {
  const steps: Step[] = []
  collect(from, to, [], steps)
  return steps
}

function collect(from: Json | undefined, to: Json, path: Step['path'], steps: Step[]): void {
  if (from === to) return
  if (isTree(from) && isTree(to)) {
    for (const key of Object.keys(from)) if (!Object.hasOwn(to, key)) steps.push({ path: [...path, key] })
    for (const [key, value] of Object.entries(to)) {
      collect(Object.hasOwn(from, key) ? from[key] : undefined, value, [...path, key], steps)
    }
  } else if (Array.isArray(from) && Array.isArray(to)) {
    if (from.length > to.length) steps.push({ path, length: to.length })
    for (const [index, value] of to.entries()) collect(from[index], value, [...path, index], steps)
  } else steps.push({ path, value: to })
}

/** Takes the steps on a copy. Throws when they do not fit: they belong to another value. */
export function afterSteps(from: Json, steps: readonly Step[]): Json {
  let root = JSON.parse(JSON.stringify(from)) as Json
  for (const step of steps) {
    if (step.path.length === 0 && step.value !== undefined) root = step.value
    else take(root, step)
  }
  return root
}

function take(root: Json, { path, value, length }: Step): void {
  const holder = length === undefined ? walk(root, path.slice(0, -1)) : walk(root, path)
  if (length !== undefined && Array.isArray(holder)) holder.length = length
  else if (isTree(holder)) {
    const key = String(path.at(-1))
    if (value === undefined) delete holder[key]
    // A member of this name would be lost by plain assignment.
    else Object.defineProperty(holder, key, { value, writable: true, enumerable: true, configurable: true })
  } else if (Array.isArray(holder) && value !== undefined) holder[Number(path.at(-1))] = value
  else throw new Error(`A step does not fit at ${path.join('.')}`)
}

function walk(root: Json, path: Step['path']): Json {
  let at: Json | undefined = root
  for (const member of path) {
    if (Array.isArray(at)) at = at[Number(member)]
    else at = isTree(at) && Object.hasOwn(at, member) ? at[String(member)] : undefined
  }
  if (at === undefined) throw new Error(`There is nothing at ${path.join('.')}`)
  return at
}
