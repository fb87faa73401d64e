import { type KubeObject, refOf, refText } from '@quarterdeck/kernel'
import type { ChangeRequest } from '../../delivery/operation/operation.contract.ts'

/** One of the objects that are to go, as the cluster has it now. */
export interface Chosen {
  object: KubeObject
  /** Where it is in the request: /objects/3. */
  pointer: string
}

const controllerOf = ({ metadata }: KubeObject) => metadata.ownerReferences?.find(({ controller }) => controller)

/** What goes with an object and cannot be made again from its manifest. */
const LOST: Record<string, string> = {
  Namespace: 'everything in it goes with it',
  PersistentVolumeClaim: 'what is stored on its volume may go with it',
  PersistentVolume: 'what is stored on it may go with it',
  CustomResourceDefinition: 'all objects of the kinds that it defines go with it',
  Pod: 'what it was doing is lost',
  Job: 'what it has done is not remembered',
}

/** What a deletion of these objects says before it is done, and whether it can be taken back. */
export function judgeDeletion(
  chosen: readonly Chosen[],
): Pick<ChangeRequest, 'blockers' | 'warnings' | 'effects' | 'notUndoable'> {
  const effects: Record<string, string> = {}
  const lost: string[] = []
  for (const { object } of chosen) {
    const text = refText(refOf(object))
    const controller = controllerOf(object)
    const goes = LOST[object.kind]
    if (controller) effects[text] = `${controller.kind} ${controller.name} makes another in its place`
    else if (goes) effects[text] = `${goes[0]?.toUpperCase()}${goes.slice(1)}`
    if (controller) lost.push(`${text} belongs to ${controller.kind} ${controller.name}, which replaces it`)
    else if (goes) lost.push(`${text}: ${goes}`)
  }
  const [first] = lost
  return {
    blockers: chosen.filter(isSecret).map(({ object, pointer }) => ({
      pointer,
      detail: `Secret ${object.metadata.name} cannot be deleted here: its values would have to be kept for undo. Use kubectl delete secret ${object.metadata.name}, or leave it out.`,
    })),
    warnings: chosen.flatMap(({ object }) => ownWarning(object)),
    effects,
    ...(first === undefined ? {} : { notUndoable: `It cannot be put back as it was: ${first}.` }),
  }
}

const isSecret = ({ object }: Chosen) => object.apiVersion === 'v1' && object.kind === 'Secret'

function ownWarning({ kind, metadata: { name, labels = {} } }: KubeObject): string[] {
  if (labels['app.kubernetes.io/managed-by'] !== 'quarterdeck') return []
  const application = labels['app.kubernetes.io/instance']
  const whose = application ? `application ${application}` : 'Quarterdeck'
  return [`${kind} ${name} belongs to ${whose}; its next deployment makes it anew.`]
}

/** One sentence in the imperative: Delete Pod web-1; Delete 3 objects of shop. */
export function deletionSummary(chosen: readonly Chosen[], namespace: string): string {
  const [one] = chosen
  if (one && chosen.length === 1) return `Delete ${refText(refOf(one.object))}`
  const kinds = [...new Set(chosen.map(({ object }) => object.kind))]
  const what = kinds.length === 1 && kinds[0] ? `${chosen.length} × ${kinds[0]}` : `${chosen.length} objects`
  return `Delete ${what}${namespace === '' ? '' : ` in ${namespace}`}`
}
