import { type KubeObject, type KubeRef, type MergePatch, refText, sameJson, writtenPart } from '@quarterdeck/kernel'
import type { ObjectPatch } from './operation.contract.ts'

/** Who wrote by hand, in managedFields: apply names it when it meets these fields. */
export const PATCHER = 'quarterdeck-edit'

/** The patch with what makes sure that it meets the very object, and where it matters the very state, that it was made for. */
export const guarded = ({ uid, patch, basis }: ObjectPatch, live: KubeObject | undefined): MergePatch => ({
  ...patch,
  metadata: {
    ...((patch.metadata as MergePatch | undefined) ?? {}),
    uid,
    ...(basis && live ? { resourceVersion: live.metadata.resourceVersion ?? '' } : {}),
  },
})

/** Whether it is still what the patch was made from. */
export const isAsRead = ({ basis }: ObjectPatch, live: KubeObject): boolean =>
  basis === undefined || sameJson(JSON.parse(JSON.stringify(writtenPart(live))), JSON.parse(JSON.stringify(basis)))

/** What a change is told whose object is not what it was made from. */
export const changedMeanwhile = (ref: KubeRef): string =>
  `${refText(ref)} was changed by somebody else since it was read. Bring the change onto the new state, then look at the plan again.`
