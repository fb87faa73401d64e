import type { Permission } from '@quarterdeck/kernel'
import {
  knownPermissions,
  type NativeRule,
  nativeRules,
  opens,
  WITHHELD,
} from '../../tenancy/role/permission.contract.ts'
import { EVERY_KIND, KindSet, splitResource } from './kind-set.rules.ts'

/** No role names it and no token: whoever has it has `*`, which opens everything that a cluster serves. */
export const EVERY_PERMISSION: Permission = 'every.permission'

function patterns({ apiGroups, resources }: NativeRule): string[] {
  if (resources === 'everything') return ['!']
  return resources
    .filter((resource) => !resource.includes('/'))
    .flatMap((resource) => apiGroups.map((group) => `${group}/${resource}`))
}

/** The kinds of which these permissions let one list all objects. */
export const kindsListed = (permissions: readonly string[]): KindSet =>
  new KindSet(
    nativeRules(permissions)
      .filter(({ verbs }) => verbs.includes('list'))
      .flatMap(patterns),
    WITHHELD,
  )

/** The permissions that let one list some kind, each with the kinds. */
export const LISTERS: readonly { permission: Permission; kinds: KindSet }[] = knownPermissions
  .map((permission) => ({ permission, kinds: kindsListed([permission]) }))
  .filter(({ kinds }) => !kinds.empty)

/** The kinds that a credential lets one list, whatever its owner may. */
export const kindsCarried = (permissions: readonly string[]): KindSet =>
  permissions.includes('*') ? EVERY_KIND : kindsListed(permissions)

/** The permissions that open a verb of a kind. */
export const openersOf = (verb: string, resource: string): Permission[] =>
  knownPermissions.filter((permission) => isOpened([permission], verb, resource))

/** Whether a credential lets a verb of a kind through, whatever its owner may. */
export const isCarried = (permissions: readonly string[], verb: string, resource: string): boolean =>
  permissions.includes('*') || isOpened(permissions, verb, resource)

function isOpened(permissions: readonly string[], verb: string, resource: string): boolean {
  const { plural, group } = splitResource(resource)
  return nativeRules(permissions).some((rule) => opens(rule, { group, resource: plural }, verb))
}
