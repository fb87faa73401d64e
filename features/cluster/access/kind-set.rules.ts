import type { PolicyRule } from './rbac.rules.ts'

/** `deployments.apps` → its plural and its group; the core group is ''. */
export function splitResource(resource: string): { plural: string; group: string } {
  const dot = resource.indexOf('.')
  return dot < 0 ? { plural: resource, group: '' } : { plural: resource.slice(0, dot), group: resource.slice(dot + 1) }
}

/**
 * Kinds, as patterns: `apps/deployments`, with `*` for every group or every plural; `!` is every kind but those that
 * are withheld.
 */
export class KindSet {
  /** The same for equal sets. */
  readonly text: string
  readonly #patterns: ReadonlySet<string>
  readonly #withheld: ReadonlySet<string>

  constructor(patterns: Iterable<string>, withheld: readonly string[] = []) {
    const set = new Set(patterns)
    this.#patterns = new Set(set.has('*/*') ? ['*/*'] : set)
    this.#withheld = new Set(withheld)
    this.text = [...this.#patterns].sort().join(',')
  }

  get empty(): boolean {
    return this.#patterns.size === 0
  }

  get patterns(): Iterable<string> {
    return this.#patterns
  }

  /** All of these together. */
  with(others: readonly KindSet[]): KindSet {
    const patterns = [this, ...others].flatMap((set) => [...set.#patterns])
    return new KindSet(patterns, [...this.#withheld, ...others.flatMap((set) => [...set.#withheld])])
  }

  has(resource: string): boolean {
    const { plural, group } = splitResource(resource)
    const has = (pattern: string) => this.#patterns.has(pattern)
    return (
      has(`${group}/${plural}`) ||
      has('*/*') ||
      has(`*/${plural}`) ||
      has(`${group}/*`) ||
      (has('!') && !this.#withheld.has(resource))
    )
  }
}

/** Every kind there is. */
export const EVERY_KIND = new KindSet(['*/*'])

/** What of rules lets one do something with whole collections of a kind; subresources and single names do not count. */
export function* patternsOf(rules: Iterable<PolicyRule>, verb: string): Generator<string> {
  for (const { verbs, apiGroups = [], resources = [], resourceNames = [] } of rules) {
    if (!verbs.includes('*') && !verbs.includes(verb)) continue
    if (resourceNames.length > 0 && !resourceNames.includes('')) continue
    for (const resource of resources) {
      if (!resource.includes('/')) for (const group of apiGroups) yield `${group}/${resource}`
    }
  }
}
