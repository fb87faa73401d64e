import type { Scope } from '@quarterdeck/kernel'
import { BUILT_IN_ROLES } from '../role/built-in.contract.ts'

/** A place by the name it was asked for; null: the platform. */
interface AskedPlace {
  placeKind: 'tenant' | 'project' | 'environment' | null
  placeName: string | null
}

/** The built-in role with the fewest permissions that has this one; the administrator's is the last resort. */
export function smallestRole(permission: string): { role: string; permissions: readonly string[] } {
  const sizeOf = (permissions: readonly string[]) =>
    permissions.includes('*') ? Number.POSITIVE_INFINITY : permissions.length
  // The list goes from the widest to the narrowest: of two as large the later one is meant for less.
  const sufficient = BUILT_IN_ROLES.toReversed().filter(
    ({ permissions }: { permissions: readonly string[] }) =>
      permissions.includes('*') || permissions.includes(permission),
  )
  const [first] = sufficient.sort((a, b) => sizeOf(a.permissions) - sizeOf(b.permissions))
  if (!first) throw new Error('The administrator has every permission')
  return { role: first.name, permissions: first.permissions }
}

/** `in environment shop-prod`, as it was asked for. */
export const askedPlace = ({ placeKind, placeName }: AskedPlace): string =>
  placeKind === null ? 'for the platform' : `in ${placeKind} ${placeName}`

/** As it was asked for. */
export const askedScope = ({ placeKind, placeName }: AskedPlace): Scope =>
  placeKind === null || placeName === null ? {} : { [placeKind]: placeName }
