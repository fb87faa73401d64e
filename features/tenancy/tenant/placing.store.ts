import type { Db } from '@quarterdeck/store'
import type { Blocker } from '../../delivery/operation/operation.contract.ts'
import { findTenantOfProject, lockTenant } from './tenant.store.ts'
import { type EnvironmentPart, newViolations, withEnvironment } from './tree.contract.ts'

/**
 * Why an environment cannot be in its project as it is wanted: clusters that its tenant has, quotas that would be
 * exceeded. With `lock` nobody else changes anything about that until `tx` ends.
 */
export async function placing(
  tx: Db,
  wanted: EnvironmentPart & { project: string; cluster: string },
  { lock }: { lock: boolean },
): Promise<Blocker[]> {
  let tree = await findTenantOfProject(tx, wanted.project)
  if (tree && lock) {
    await lockTenant(tx, tree.name)
    tree = await findTenantOfProject(tx, wanted.project)
  }
  if (!tree) return [{ pointer: '/project', detail: `There is no project ${wanted.project} any more; choose another.` }]
  const { clusters, name } = tree
  const misplaced = clusters.length > 0 && !clusters.includes(wanted.cluster)
  const { project, quota } = wanted
  const violations = newViolations(tree, withEnvironment(tree, { name: wanted.name, project, quota }))
  return [
    ...(misplaced
      ? [
          {
            pointer: '/cluster',
            detail: `Tenant ${name} may have environments on ${clusters.join(', ')} only, not on ${wanted.cluster}.`,
          },
        ]
      : []),
    ...violations.map(({ resource, detail }) => ({ pointer: `/quota/${resource}`, detail })),
  ]
}

/** The name of the tenant that a project is in. */
export const tenantOfProject = async (db: Db, project: string): Promise<string | undefined> =>
  (await findTenantOfProject(db, project))?.name
