import type { ListedKinds } from './bindings.rules.ts'
import { EVERY_KIND, type KindSet } from './kind-set.rules.ts'

/** A namespace of a cluster. */
export interface NamespaceRef {
  cluster: string
  namespace: string
}

/** What somebody may list, and by what. */
export interface RightsParts {
  /** By grants of the platform, with what the credential carries of them: in every cluster, and in namespaces. */
  granted: { everywhere: KindSet; places: readonly (NamespaceRef & { kinds: KindSet })[] }
  /** By the bindings of each cluster itself. */
  own: ReadonlyMap<string, ListedKinds>
  /** What the credential lets through of their own rights. `places` absent: everywhere. */
  carried: { kinds: KindSet; places?: readonly NamespaceRef[] }
}

/** One set of rights to list. Never changes. */
export class Rights {
  /** The same for equal rights, as far as that is easily seen. */
  readonly text: string
  readonly #parts: RightsParts
  readonly #granted = new Map<string, KindSet[]>()
  readonly #carriedPlaces: ReadonlySet<string> | undefined
  readonly #clusters: ReadonlyMap<string, Set<string>>
  readonly #known = new Map<string, boolean>()

  constructor(parts: RightsParts) {
    this.#parts = parts
    const clusters = new Map<string, Set<string>>()
    const meet = ({ cluster, namespace }: NamespaceRef) => {
      const namespaces = clusters.get(cluster) ?? new Set<string>()
      clusters.set(cluster, namespaces.add(namespace))
    }
    for (const { kinds, ...place } of parts.granted.places) {
      const at = placeText(place)
      this.#granted.set(at, [...(this.#granted.get(at) ?? []), kinds])
      meet(place)
    }
    for (const [cluster, { namespaces }] of parts.own) {
      for (const namespace of namespaces.keys()) meet({ cluster, namespace })
    }
    for (const place of parts.carried.places ?? []) meet(place)
    this.#clusters = clusters
    this.#carriedPlaces = parts.carried.places && new Set(parts.carried.places.map(placeText))
    this.text = textOf(parts)
  }

  readonly may = (resource: string, cluster: string, namespace: string): boolean =>
    this.#parts.granted.everywhere.has(resource) ||
    (this.#granted.get(placeText({ cluster, namespace }))?.some((kinds) => kinds.has(resource)) ?? false) ||
    this.#byOwn(resource, cluster, namespace)

  readonly knows = (cluster: string, resource?: string): boolean => {
    const key = `${cluster} ${resource ?? ''}`
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const knows = resource === undefined ? this.#knowsCluster(cluster) : this.#knowsKind(cluster, resource)
    this.#known.set(key, knows)
    return knows
  }

  #byOwn(resource: string, cluster: string, namespace: string): boolean {
    const own = this.#parts.own.get(cluster)
    if (!own || !this.#parts.carried.kinds.has(resource)) return false
    if (this.#carriedPlaces && !this.#carriedPlaces.has(placeText({ cluster, namespace }))) return false
    return own.everywhere.has(resource) || (own.namespaces.get(namespace)?.has(resource) ?? false)
  }

  #knowsKind(cluster: string, resource: string): boolean {
    if (this.may(resource, cluster, '')) return true
    for (const namespace of this.#clusters.get(cluster) ?? []) if (this.may(resource, cluster, namespace)) return true
    return false
  }

  #knowsCluster(cluster: string): boolean {
    const { granted, own, carried } = this.#parts
    if (!granted.everywhere.empty) return true
    if (granted.places.some((place) => place.cluster === cluster && !place.kinds.empty)) return true
    const theirs = own.get(cluster)
    if (!theirs || carried.kinds.empty) return false
    const sets = [...(this.#carriedPlaces ? [] : [theirs.everywhere]), ...this.#ownSets(cluster, theirs)]
    if (carried.kinds.text === EVERY_KIND.text) return sets.some(({ empty }) => !empty)
    // Which kinds there are is for others to say: what is named decides, a star counts as something.
    return sets.some((kinds) => [...kinds.patterns].some((pattern) => this.#carries(pattern)))
  }

  *#ownSets(cluster: string, { everywhere, namespaces }: ListedKinds): Generator<KindSet> {
    for (const [namespace, kinds] of namespaces) {
      if (!this.#carriedPlaces || this.#carriedPlaces.has(placeText({ cluster, namespace }))) yield kinds
    }
    const within = this.#parts.carried.places?.some((place) => place.cluster === cluster)
    if (within) yield everywhere
  }

  #carries(pattern: string): boolean {
    const [group = '', plural = ''] = pattern.split('/')
    return (
      group === '*' || plural === '*' || this.#parts.carried.kinds.has(group === '' ? plural : `${plural}.${group}`)
    )
  }
}

/** A namespace has no slash in its name. */
const placeText = ({ cluster, namespace }: NamespaceRef): string => `${namespace}/${cluster}`

function textOf({ granted, own, carried }: RightsParts): string {
  const places = granted.places.map((place) => `${placeText(place)}:${place.kinds.text}`).sort()
  const theirs = [...own]
    .map(([cluster, { everywhere, namespaces }]) => [
      cluster,
      everywhere.text,
      [...namespaces].map(([namespace, kinds]) => `${namespace}:${kinds.text}`),
    ])
    .sort()
  return JSON.stringify([
    granted.everywhere.text,
    places,
    theirs,
    theirs.length > 0 ? [carried.kinds.text, carried.places?.map(placeText).sort()] : [],
  ])
}
