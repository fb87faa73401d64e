import type { KubeRef, MergePatch, Subject } from '@quarterdeck/kernel'
import type { AskedChange, ChangeRequest, ObjectPatch } from '../../delivery/operation/operation.contract.ts'

/** Nothing is applied and nothing deleted: objects are changed as they stand. */
export const UNTOUCHED = { desired: [], removed: [], before: [] } satisfies Partial<ChangeRequest>

/** How long pods may be held back, none of them getting away, before an operation gives up. */
export const EVICTION_SECONDS = 600

/** A request as the change maker takes it. */
export const asked = (
  endpoint: string,
  { subject, params, query, body, idempotencyKey }: Omit<AskedChange, 'endpoint'> & { subject: Subject },
): AskedChange => ({ endpoint, subject, params, query, body, idempotencyKey })

/** The same patch for each. */
export const patchesOf = (live: readonly { ref: KubeRef; uid: string }[], patch: MergePatch): ObjectPatch[] =>
  live.map(({ ref, uid }) => ({ ref, uid, patch }))
