import type { Permission, Scope } from '@quarterdeck/kernel'
import type { Decisions } from './authority.rules.ts'
import type { GrantEffect } from './grant.contract.ts'

/** What a grant would open, counted account by account. */
export interface Gain {
  people: number
  gaining: number
  /** For how many each permission is new. */
  permissions: Map<string, number>
}

export const noGain = (permissions: readonly string[]): Gain => ({
  people: 0,
  gaining: 0,
  permissions: new Map(permissions.map((permission) => [permission, 0])),
})

/** Adds one account that would get the permissions of `gain` at a place. Who is disabled may nothing, before and after. */
export function addGain(gain: Gain, decisions: Decisions, account: string, scope: Scope, nowMs: number): void {
  if (decisions.facts.accounts.get(account)?.disabled !== false) return
  let gaining = false
  for (const [permission, people] of gain.permissions) {
    if (decisions.accountMay(account, permission as Permission, scope, nowMs)) continue
    gain.permissions.set(permission, people + 1)
    gaining = true
  }
  gain.people++
  if (gaining) gain.gaining++
}

const NAMES = 50

export function effectOf({ people, gaining, permissions }: Gain, decisions: Decisions, scope: Scope): GrantEffect {
  const names = decisions.environmentsIn(scope).sort()
  const clusters = new Set(names.flatMap((name) => decisions.placeOf(name)?.cluster ?? []))
  return {
    kind: 'Effect',
    people,
    gaining,
    permissions: [...permissions]
      .map(([permission, count]) => ({ permission, people: count }))
      .sort((a, b) => b.people - a.people),
    environments: { total: names.length, names: names.slice(0, NAMES) },
    clusters: [...clusters].sort(),
    future: scope.environment === undefined,
  }
}
