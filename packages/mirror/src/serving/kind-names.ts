import type { KindSpec } from '../kind.ts'

/**
 * The kind that somebody means: a resource (`deployments.apps`), a plural, a kind or a short name, alone or with the
 * group behind it, without regard to case. Where several fit: the exact resource, then kinds of Kubernetes' own before
 * custom ones, then the first by group.
 */
export function kindNamed(specs: readonly KindSpec[], name: string): KindSpec | undefined {
  const wanted = name.toLowerCase()
  const exact = specs.find((spec) => spec.resource.toLowerCase() === wanted)
  if (exact) return exact
  const dot = wanted.indexOf('.')
  const noun = dot < 0 ? wanted : wanted.slice(0, dot)
  const group = dot < 0 ? undefined : wanted.slice(dot + 1)
  return specs
    .filter((spec) => group === undefined || spec.group.toLowerCase() === group)
    .filter((spec) => [spec.plural, spec.kind, ...spec.shortNames].some((one) => one.toLowerCase() === noun))
    .sort((a, b) => Number(a.custom) - Number(b.custom) || (a.group < b.group ? -1 : 1))[0]
}
