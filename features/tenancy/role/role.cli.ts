import type { CliContext } from '@quarterdeck/client'
import type { Command } from 'commander'
import { createRole, deleteRole, getRole, listPermissions, listRoles, updateRole } from './role.contract.ts'

interface RoleOptions {
  title?: string
  permission?: string[]
  from?: string
}

/** qd role list, show, create, update, delete and permissions. */
export function roleCommands(program: Command, context: CliContext): void {
  const role = program.command('role').description('Roles: permissions under a name')
  role
    .command('list')
    .description('Roles, built-in ones first')
    .action(async () =>
      context.print(await context.client(listRoles), {
        name: ({ name }) => name,
        title: ({ title }) => title,
        builtIn: ({ builtIn }) => (builtIn ? 'yes' : ''),
        permissions: ({ permissions }) => (permissions.includes('*') ? 'all' : permissions.length),
        grants: ({ grants }) => grants,
      }),
    )
  role
    .command('show <name>')
    .description('One role with its permissions')
    .action(async (name: string) => context.print(await context.client(getRole, { params: { role: name } })))
  role
    .command('create <name>')
    .description('Make a role of permissions that you have yourself, or of those of another role')
    .option('--permission <permission...>', 'as qd role permissions lists them')
    .option('--from <role>', 'clone this role')
    .option('--title <title>', 'as people say it')
    .action(async (name: string, { permission, ...rest }: RoleOptions) => {
      const body = { name, ...rest, ...(permission ? { permissions: permission } : {}) }
      context.print(await context.client(createRole, { body: body as never }))
    })
  role
    .command('update <name>')
    .description('Change what a role permits or is called; whoever has it has the change at once')
    .option('--permission <permission...>', 'all that it permits from now on')
    .option('--title <title>', 'as people say it')
    .action(async (name: string, { permission, title }: RoleOptions) => {
      const body = { ...(title === undefined ? {} : { title }), ...(permission ? { permissions: permission } : {}) }
      context.print(await context.client(updateRole, { params: { role: name }, body: body as never }))
    })
  role
    .command('delete <name>')
    .description('Delete a role that nobody has')
    .action(async (name: string) => {
      if (!(await context.confirm(`Delete the role ${name}?`))) return
      await context.client(deleteRole, { params: { role: name } })
      context.progress(`${name} is deleted`)
    })
  role
    .command('permissions')
    .description('Every permission there is, and what it opens at the Kubernetes API')
    .action(async () =>
      context.print(await context.client(listPermissions), {
        permission: ({ permission }) => permission,
        what: ({ en }) => en,
        native: ({ native }) =>
          native.map(({ verbs, resources }) => `${verbs.join(',')} ${[resources].flat().join(',')}`).join('; '),
      }),
    )
}
