import { createHash, createHmac } from 'node:crypto'
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
  const content: JsonObject = { ...rest, metadata: { ...kept, ...(said && { annotations: said }) } }
  if (resource === 'secrets') digestSecret(content, digestKey)
  const text = JSON.stringify(sorted(content))
  return { text, hash: hashOf(resource, content, said, text) }
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

function digestSecret(secret: JsonObject, digestKey: Uint8Array): void {
  const { namespace, name } = secret.metadata ?? {}
  for (const field of ['data', 'stringData']) {
    const values = secret[field]
    if (typeof values !== 'object' || values === null) continue
    const digest = (key: string, value: unknown): string =>
      createHmac('sha256', digestKey)
        .update(JSON.stringify([namespace, name, key, value]))
        .digest('hex')
    secret[field] = Object.fromEntries(
      Object.entries(values).map(([key, value]) => [key, `hmac-sha256:${digest(key, value)}`]),
    )
  }
}

/** Of what counts: the generation follows from the rest, elections are no changes. */
function hashOf(
  resource: string,
  content: JsonObject,
  annotations: Record<string, unknown> | undefined,
  text: string,
): [number, number] {
  const { generation: _, annotations: __, ...metadata } = content.metadata ?? {}
  const counted: JsonObject = { ...content, metadata }
  const said = withoutKeys(annotations, [LEADER])
  if (said !== undefined) counted.metadata = { ...metadata, annotations: said }
  if (resource === 'leases.coordination.k8s.io') {
    counted.spec = withoutKeys(content.spec, ELECTION)
    delete metadata.annotations
  }
  const hash = createHash('sha256').update(counted === content ? text : JSON.stringify(sorted(counted)))
  const digest = hash.digest()
  // 0, 0 stands for an unknown one.
  return [digest.readUInt32BE(0) || 1, digest.readUInt32BE(4)]
}

function withoutKeys(value: unknown, keys: string[]): Record<string, unknown> | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const kept = Object.entries(value).filter(([key]) => !keys.includes(key))
  return kept.length === 0 ? undefined : Object.fromEntries(kept)
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(sorted)
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]))
}
