import { EVERYTHING, type Mirror } from '@quarterdeck/mirror'

/** Names one object of a cluster. */
interface Ref {
  resource: string
  namespace: string
  name: string
}

/**
 * Tells of objects of a cluster, as it is just now, which uid has that name; null when there is none, which only a kind
 * that is up to date can say; undefined while it is not known.
 */
export function presentUids(mirror: Mirror | undefined, cluster: string): (ref: Ref) => string | null | undefined {
  const kinds = mirror?.clusters().find((one) => one.cluster === cluster)?.kinds ?? []
  const live = new Set(kinds.filter(({ state }) => state === 'live').map(({ resource }) => resource))
  return (ref) => (live.has(ref.resource) ? (mirror?.find({ ...ref, cluster }, EVERYTHING)?.uid ?? null) : undefined)
}
