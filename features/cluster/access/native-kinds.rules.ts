import type { Permission } from '@quarterdeck/kernel'
import {
  KEPT_BY_PLATFORM,
  knownPermissions,
  type NativeRule,
  PERMISSIONS,
  type PermissionEntry,
  WITHHELD,
} from '../../tenancy/role/permission.contract.ts'
import { EVERY_KIND, KindSet } from './kind-set.rules.ts'

const entries: Readonly<Record<string, PermissionEntry>> = PERMISSIONS

const opens = ({ verbs }: NativeRule, verb: string) => verbs.includes(verb) || verbs.includes('*')

function patterns({ apiGroups, resources }: NativeRule): string[] {
  if (resources === 'everything') return ['!']
  return resources
    .filter((resource) => !resource.includes('/'))
    .flatMap((resource) => apiGroups.map((group) => `${group}/${resource}`))
}

/** The kinds whose objects these permissions open to a verb. */
export const kindsOpened = (permissions: Iterable<string>, verb: string): KindSet =>
  new KindSet(
    [...permissions].flatMap((permission) =>
      (entries[permission]?.native ?? []).filter((rule) => opens(rule, verb)).flatMap(patterns),
    ),
    WITHHELD,
  )

/** The permissions that open some kind to a verb, each with the kinds. */
export function openersOf(verb: string): { permission: Permission; kinds: KindSet }[] {
  return knownPermissions
    .map((permission) => ({ permission: permission as Permission, kinds: kindsOpened([permission], verb) }))
    .filter(({ kinds }) => !kinds.empty)
}

/** What a credential lets through to a verb, whatever its owner may. */
export const kindsCarried = (permissions: readonly string[], verb: string): KindSet =>
  permissions.includes('*') ? EVERY_KIND : kindsOpened(permissions, verb)

/** Whether only the platform writes this kind in an environment. */
export const isKept = (resource: string): boolean => KEPT_BY_PLATFORM.includes(resource)
