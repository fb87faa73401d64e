import { createHmac, hash } from 'node:crypto'
import type { JsonObject } from '../../worker/object-sink.ts'

/** What an object says besides its status, as it is recorded. */
export interface Content {
  /** JSON with sorted keys. */
  text: string
  /** 64 bits; equal when nothing that counts is different. */
  hash: [number, number]
}

// A copy of the object that was sent, with the values of Secrets.
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'
// Said anew every few seconds by those who hold an election: no change of what the object is for.
const LEADER = 'control-plane.alpha.kubernetes.io/leader'
const ELECTION = ['renewTime', 'acquireTime', 'holderIdentity', 'leaseTransitions']

/**
 * The content of an object without status, managedFields, resourceVersion and the copy that kubectl keeps in an
 * annotation. Values of Secrets are digests with the key: equal for equal values of one key of one Secret, of no use
 * otherwise.
 */
export function contentOf(resource: string, object: JsonObject, digestKey: Uint8Array): Content {
  const { status: _, metadata = {}, ...rest } = object
  const { managedFields, resourceVersion, selfLink, annotations, ...kept } = metadata
  const said = withoutKeys(annotations, [LAST_APPLIED])
  const own = resource === 'secrets' ? digested(rest, metadata, digestKey) : rest
  const parts = new Map(Object.entries(own).map(([key, value]) => [key, canonical(value)]))
  const counted = hashOf(countedOf(resource, own, parts), countedMetadata(kept, withoutKeys(said, [LEADER])))
  parts.set('metadata', canonical({ ...kept, ...(said && { annotations: said }) }))
  const members = [...parts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, text]) => `${JSON.stringify(key)}:${text}`)
  return { text: `{${members.join()}}`, hash: counted }
}

/** Field manager of the newest change that was not one of the status, and its time; '' where there is none. */
export function managerOf(object: JsonObject): { manager: string; managedTime: string } {
  const entries = object.metadata?.managedFields
  let newest = { manager: '', managedTime: '' }
  for (const entry of Array.isArray(entries) ? (entries as Record<string, unknown>[]) : []) {
    const { manager, time, subresource } = entry
    // All are RFC 3339 in UTC, which sort as text.
    if (subresource === 'status' || typeof time !== 'string' || time < newest.managedTime) continue
    newest = { manager: typeof manager === 'string' ? manager : '', managedTime: time }
  }
  return newest
}

function digested(secret: JsonObject, metadata: Record<string, unknown>, digestKey: Uint8Array): JsonObject {
  const { namespace, name } = metadata
  const digest = (key: string, value: unknown): string =>
    createHmac('sha256', digestKey)
      .update(JSON.stringify([namespace, name, key, value]))
      .digest('hex')
  const copy = { ...secret }
  for (const field of ['data', 'stringData']) {
    const values = copy[field]
    if (typeof values !== 'object' || values === null) continue
    const entries = Object.entries(values).map(([key, value]) => [key, `hmac-sha256:${digest(key, value)}`])
    copy[field] = Object.fromEntries(entries)
  }
  return copy
}

/** What counts as a change, besides the metadata. An election is none. */
function countedOf(resource: string, object: JsonObject, parts: Map<string, string>): string {
  if (resource !== 'leases.coordination.k8s.io') return canonicalParts(parts)
  return canonicalParts(new Map(parts).set('spec', canonical(withoutKeys(object.spec, ELECTION) ?? {})))
}

const canonicalParts = (parts: Map<string, string>): string => [...parts].sort().join('\n')

/** The generation follows from the rest. */
const countedMetadata = ({ generation: _, ...kept }: Record<string, unknown>, annotations: unknown): string =>
  canonical({ ...kept, annotations })

function hashOf(...texts: string[]): [number, number] {
  const digest = hash('sha256', texts.join('\n'), 'buffer')
  // 0, 0 stands for an unknown one.
  return [digest.readUInt32BE(0) || 1, digest.readUInt32BE(4)]
}

function withoutKeys(value: unknown, keys: string[]): Record<string, unknown> | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const kept = Object.entries(value).filter(([key]) => !keys.includes(key))
  return kept.length === 0 ? undefined : Object.fromEntries(kept)
}

/** JSON with sorted keys, of what JSON.parse gave. */
function canonical(value: unknown): string {
  if (typeof value === 'string') return quoted(value)
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  let text = ''
  if (Array.isArray(value)) {
    for (const item of value) text += text === '' ? canonical(item) : `,${canonical(item)}`
    return `[${text}]`
  }
  const keys = Object.keys(value)
  if (!isSorted(keys)) keys.sort()
  for (const key of keys) {
    const member = (value as Record<string, unknown>)[key]
    if (member !== undefined) text += `${text === '' ? '' : ','}${quoted(key)}:${canonical(member)}`
  }
  return `{${text}}`
}

// Most texts need no escapes: twice as fast as asking JSON.stringify for each.
const PLAIN = /^[ !#-[\]-~]*$/
const quoted = (text: string): string => (PLAIN.test(text) ? `"${text}"` : JSON.stringify(text))

function isSorted(keys: string[]): boolean {
  for (let at = 1; at < keys.length; at++) if ((keys[at] as string) < (keys[at - 1] as string)) return false
  return true
}
