import { type Json, type KubeObject, writtenPart } from '@quarterdeck/kernel'
import type { FieldChange } from './operation.contract.ts'

/** Shown in place of a Secret's value; says nothing about its length. */
export const MASKED = '(hidden)'
const MASKED_AFTER = '(hidden, another value)'
/** Shown where the API server chooses the value anew with each request. */
export const CHOSEN = '(the cluster chooses)'

type Tree = { [key: string]: Json | undefined }

/** The object without status and without what the API server keeps for itself; Secret values are left as they are. */
export const withoutNoise = writtenPart

/** The object with every Secret value replaced; anything but a Secret is returned as it is. */
export function masked(object: KubeObject): KubeObject {
  if (object.kind !== 'Secret') return object
  const hide = (values: Record<string, unknown> | undefined) =>
    values && Object.fromEntries(Object.keys(values).map((key) => [key, MASKED]))
  const { data, stringData, ...rest } = object
  return {
    ...rest,
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: object.metadata,
    ...(data ? { data: hide(data) } : {}),
    ...(stringData ? { stringData: hide(stringData) } : {}),
  }
}

/**
 * What differs between two states of one object, path by path. Absent `before`: the object is new and every field
 * that the manifest names is listed; what the API server would add by itself is not.
 */
export function fieldChanges(before: KubeObject | undefined, after: KubeObject): FieldChange[] {
  const secret = after.kind === 'Secret'
  const changes = before
    ? compare(plain(before), plain(after), '')
    : compare(undefined, withoutIdentity(plain(after)), '').filter(({ after: value }) => value !== undefined)
  return changes.map((change) => shown(change, secret))
}

const plain = (object: KubeObject): Tree => JSON.parse(JSON.stringify(withoutNoise(object))) as Tree

/** Name and kind are in the reference already. */
function withoutIdentity({ apiVersion: _, kind: __, metadata, ...rest }: Tree): Tree {
  const { name: ___, namespace: ____, ...others } = (metadata ?? {}) as Tree
  return Object.keys(others).length > 0 ? { metadata: others as Json, ...rest } : rest
}

const ALLOCATED = /(^|\.)(nodePort|clusterIP|clusterIPs|healthCheckNodePort)$/

function shown(change: FieldChange, secret: boolean): FieldChange {
  if (secret && /^(data|stringData)\b/.test(change.path)) {
    return {
      path: change.path,
      ...(change.before === undefined ? {} : { before: MASKED }),
      ...(change.after === undefined ? {} : { after: change.before === undefined ? MASKED : MASKED_AFTER }),
    }
  }
  if (change.before === undefined && ALLOCATED.test(change.path)) return { path: change.path, after: CHOSEN }
  return change
}

const isTree = (value: Json | undefined): value is { [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function compare(before: Json | Tree | undefined, after: Json | Tree | undefined, path: string): FieldChange[] {
  const old = before as Json | undefined
  const next = after as Json | undefined
  if (isTree(old) || isTree(next)) {
    if ((old === undefined || isTree(old)) && (next === undefined || isTree(next))) {
      return compareTrees(old, next, path)
    }
  }
  if ((old === undefined || Array.isArray(old)) && (next === undefined || Array.isArray(next))) {
    const [olds, nexts] = [(old as Json[] | undefined) ?? [], (next as Json[] | undefined) ?? []]
    const key = listKey(olds, nexts)
    if (key) return compareKeyed(olds, nexts, key, path)
  }
  if (same(old, next)) return []
  return [{ path, ...(old === undefined ? {} : { before: old }), ...(next === undefined ? {} : { after: next }) }]
}

function compareTrees(before: Json | undefined, after: Json | undefined, path: string): FieldChange[] {
  const old = (before ?? {}) as { [key: string]: Json }
  const next = (after ?? {}) as { [key: string]: Json }
  const keys = [...new Set([...Object.keys(old), ...Object.keys(next)])]
  if (keys.length > 0) return keys.flatMap((key) => compare(old[key], next[key], join(path, key)))
  // `emptyDir: {}` that comes or goes has no leaf to show for it.
  if (before === undefined && path !== '') return [{ path, after: {} }]
  return after === undefined ? [{ path, before: {} }] : []
}

/** `spec.replicas`, `metadata.labels[app.kubernetes.io/name]`. */
function join(path: string, key: string): string {
  if (!/^[A-Za-z_][\w-]*$/.test(key)) return `${path}[${key}]`
  return path === '' ? key : `${path}.${key}`
}

// The keys that server-side apply merges lists by (x-kubernetes-list-map-keys), most telling first.
const LIST_KEYS = ['name', 'mountPath', 'containerPort', 'port', 'type', 'topologyKey', 'key', 'ip', 'uid']

/** The member by which every element of both lists is told from the others. */
function listKey(before: Json[], after: Json[]): string | undefined {
  const all = [...before, ...after]
  if (all.length === 0 || !all.every(isTree)) return undefined
  return LIST_KEYS.find((key) => unique(before, key) && unique(after, key))
}

function unique(list: Json[], key: string): boolean {
  const values = list.map((item) => (item as Tree)[key])
  return (
    values.every((value) => typeof value === 'string' || typeof value === 'number') &&
    new Set(values).size === values.length
  )
}

function compareKeyed(before: Json[], after: Json[], key: string, path: string): FieldChange[] {
  const byKey = (list: Json[]) => new Map(list.map((item) => [String((item as Tree)[key]), item]))
  const old = byKey(before)
  const next = byKey(after)
  const names = [...new Set([...old.keys(), ...next.keys()])]
  const changes = names.flatMap((name) =>
    // The key itself is in the path; where it is all there is, the element is shown by it.
    compare(withoutKey(old.get(name), key), withoutKey(next.get(name), key), `${path}[${name}]`),
  )
  const kept = (list: Map<string, Json>, other: Map<string, Json>) => [...list.keys()].filter((name) => other.has(name))
  if (same(kept(old, next), kept(next, old))) return changes
  return [...changes, { path: `${path} (order)`, before: [...old.keys()], after: [...next.keys()] }]
}

function withoutKey(item: Json | undefined, key: string): Json | undefined {
  if (item === undefined) return undefined
  const { [key]: _, ...rest } = item as { [key: string]: Json }
  return rest
}

/** True when two values are the same JSON, whatever the order of members. */
export const same = (one: unknown, other: unknown): boolean => canonicalJson(one) === canonicalJson(other)

/** JSON with members in order of their names: the same text for the same value, for hashes and comparisons. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`)
    return `{${members.join(',')}}`
  }
  return JSON.stringify(value) ?? 'null'
}
