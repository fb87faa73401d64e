import { knownPermissions, PERMISSIONS, type PermissionEntry } from './permission.contract.ts'
import type { PermissionInfo } from './role.contract.ts'

/** Every permission with its titles and what it opens at the Kubernetes API. */
export const permissionInfos = (): PermissionInfo[] =>
  knownPermissions.map((permission) => {
    const { en, zh, native = [] }: PermissionEntry = PERMISSIONS[permission]
    const opened = native.map(({ apiGroups, resources, verbs }) => ({
      apiGroups: [...apiGroups],
      resources: resources === 'everything' ? resources : [...resources],
      verbs: [...verbs],
    }))
    return { permission, en, zh, native: opened }
  })

/** What has come and gone between two lists of permissions, in words; empty when they are the same. */
export function permissionChange(before: readonly string[], after: readonly string[]): string {
  const added = after.filter((one) => !before.includes(one))
  const removed = before.filter((one) => !after.includes(one))
  return [
    ...(added.length > 0 ? [`added ${added.join(', ')}`] : []),
    ...(removed.length > 0 ? [`removed ${removed.join(', ')}`] : []),
  ].join('; ')
}
