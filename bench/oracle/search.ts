import type { Fact } from './facts.ts'
import { isSearchKnown } from './searched-text.ts'

/** Objects in which every word is found, by kind; only of kinds that are known. */
export function searchTotals(
  facts: readonly Fact[],
  text: string,
  namespaces?: readonly string[],
): Map<string, number> {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  const allowed = namespaces && new Set(namespaces)
  const totals = new Map<string, number>()
  for (const fact of facts) {
    if (allowed && !allowed.has(fact.namespace)) continue
    if (isSearchKnown(fact.resource) && words.every((word) => fact.text.includes(word))) {
      totals.set(fact.resource, (totals.get(fact.resource) ?? 0) + 1)
    }
  }
  return totals
}
