import { EVERYTHING, type Mirror } from '@quarterdeck/mirror'

/** Names one object of one cluster. */
interface Ref {
  cluster: string
  resource: string
  namespace: string
  name: string
}

/**
 * uid of the object that has this name now; null when there is none, which only a mirror that is up to date can say;
 * undefined while it is not known.
 */
export function presentUid(mirror: Mirror | undefined, ref: Ref): string | null | undefined {
  const kinds = mirror?.clusters().find(({ cluster }) => cluster === ref.cluster)?.kinds
  if (kinds?.find(({ resource }) => resource === ref.resource)?.state !== 'live') return undefined
  return mirror?.find(ref, EVERYTHING)?.uid ?? null
}
