import { type CliContext, UsageError } from '@quarterdeck/client'
import type { Command } from 'commander'
import { amountText, quotaFrom } from '../tenant/quota.contract.ts'
import { createProject, deleteProject, getProject, listProjects, updateProject } from './project.contract.ts'

interface Options {
  title?: string
  quota?: string
}

const withOptions = (command: Command) =>
  command
    .option('--title <text>', 'what people call it')
    .option('--quota <amounts>', 'cpuRequest=8,memoryRequest=16Gi,pods=100 …; none for no limit')

function bodyOf({ title, quota }: Options) {
  const limits = quota === undefined ? undefined : quotaFrom(quota)
  if (limits && !limits.success) throw new UsageError(`--quota: ${limits.error.issues[0]?.message ?? 'not a quota'}`)
  return { ...(title === undefined ? {} : { title }), ...(limits ? { quota: limits.data } : {}) }
}

/** qd project list, get, create, update and delete. */
export function projectCommands(program: Command, context: CliContext): void {
  const project = program.command('project').description('Projects: what teams own together')
  project
    .command('list')
    .description('Projects that you may see')
    .option('--tenant <name>', 'only those of this tenant')
    .action(async ({ tenant }: { tenant?: string }) =>
      context.print(await context.client(listProjects, { query: tenant === undefined ? {} : { tenant } }), {
        name: (one) => one.name,
        tenant: (one) => one.tenant,
        title: (one) => one.title,
        environments: (one) => one.environments,
        quota: (one) =>
          one.use
            .filter(({ allowed }) => allowed !== undefined)
            .map(
              ({ resource, allowed = 0, reserved }) =>
                `${resource} ${amountText(resource, reserved)} of ${amountText(resource, allowed)}`,
            )
            .join('; '),
      }),
    )
  project
    .command('get <name>')
    .description('One project with its members and what of its quota is reserved, used and free')
    .action(async (name: string) => context.print(await context.client(getProject, { params: { project: name } })))
  withOptions(project.command('create <name>').description('Make a project'))
    .requiredOption('--tenant <name>', 'in which tenant')
    .action(async (name: string, options: Options & { tenant: string }) => {
      const body = { name, tenant: options.tenant, ...bodyOf(options) }
      context.print(await context.client(createProject, { body }))
    })
  withOptions(project.command('update <name>').description('Change a project')).action(
    async (name: string, options: Options) => {
      context.print(await context.client(updateProject, { params: { project: name }, body: bodyOf(options) }))
    },
  )
  project
    .command('delete <name>')
    .description('Delete a project that holds no environments')
    .action(async (name: string) => {
      if (!(await context.confirm(`Delete the project ${name} with what was granted in it?`))) return
      await context.client(deleteProject, { params: { project: name } })
      context.progress(`${name} is deleted`)
    })
}
