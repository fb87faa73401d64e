import { ageText, type CliContext, UsageError } from '@quarterdeck/client'
import type { Command } from 'commander'
import { amountText, quotaFrom } from './quota.contract.ts'
import { createTenant, deleteTenant, getTenant, listTenants, Overcommit, updateTenant } from './tenant.contract.ts'

interface Options {
  title?: string
  clusters?: string
  quota?: string
  overcommit?: string
}

const withOptions = (command: Command) =>
  command
    .option('--title <text>', 'what people call it')
    .option('--clusters <names>', 'where it may have environments, with commas; all for every cluster')
    .option('--quota <amounts>', 'cpuRequest=8,memoryRequest=16Gi,pods=100 …; none for no limit')
    .option('--overcommit <factor>', 'by how much the parts may together exceed the whole; 1: not')

function bodyOf({ title, clusters, quota, overcommit }: Options) {
  const factor = overcommit === undefined ? undefined : Overcommit.safeParse(Number(overcommit))
  if (factor && !factor.success) throw new UsageError('--overcommit: a number from 1 to 100')
  const limits = quota === undefined ? undefined : quotaFrom(quota)
  if (limits && !limits.success) throw new UsageError(`--quota: ${limits.error.issues[0]?.message ?? 'not a quota'}`)
  return {
    ...(title === undefined ? {} : { title }),
    ...(clusters === undefined ? {} : { clusters: clusters === 'all' ? [] : clusters.split(',') }),
    ...(limits ? { quota: limits.data } : {}),
    ...(factor ? { overcommit: factor.data } : {}),
  }
}

/** qd tenant list, get, create, update and delete. */
export function tenantCommands(program: Command, context: CliContext): void {
  const tenant = program.command('tenant').description('Tenants: who has projects, and what they may use')
  tenant
    .command('list')
    .description('Tenants that you may see')
    .action(async () =>
      context.print(await context.client(listTenants), {
        name: (one) => one.name,
        title: (one) => one.title,
        projects: (one) => one.projects,
        environments: (one) => one.environments,
        clusters: (one) => one.clusters.join(',') || 'all',
        quota: (one) =>
          one.use
            .filter(({ allowed }) => allowed !== undefined)
            .map(
              ({ resource, allowed = 0, reserved }) =>
                `${resource} ${amountText(resource, reserved)} of ${amountText(resource, allowed)}`,
            )
            .join('; '),
        age: (one) => ageText(one.createTime),
      }),
    )
  tenant
    .command('get <name>')
    .description('One tenant with its members and what of its quota is reserved, used and free')
    .action(async (name: string) => context.print(await context.client(getTenant, { params: { tenant: name } })))
  withOptions(tenant.command('create <name>').description('Make a tenant')).action(
    async (name: string, options: Options) => {
      context.print(await context.client(createTenant, { body: { name, ...bodyOf(options) } }))
    },
  )
  withOptions(tenant.command('update <name>').description('Change a tenant')).action(
    async (name: string, options: Options) => {
      context.print(await context.client(updateTenant, { params: { tenant: name }, body: bodyOf(options) }))
    },
  )
  tenant
    .command('delete <name>')
    .description('Delete a tenant that holds no projects')
    .action(async (name: string) => {
      if (!(await context.confirm(`Delete the tenant ${name} with what was granted in it?`))) return
      await context.client(deleteTenant, { params: { tenant: name } })
      context.progress(`${name} is deleted`)
    })
}
