import { ageText, type CliContext } from '@quarterdeck/client'
import type { Command } from 'commander'
import {
  addGroupMember,
  createGroup,
  deleteGroup,
  listGroupMembers,
  listGroups,
  removeGroupMember,
} from './group.contract.ts'

/** qd group: who belongs together. */
export function groupCommands(program: Command, context: CliContext): void {
  const group = program.command('group').description('Groups of users and machine accounts')
  group
    .command('list')
    .description('Groups by name')
    .option('--search <text>', 'part of name or title')
    .option('--limit <count>', 'how many', '100')
    .option('--continue <name>', 'only names after this one')
    .action(async (query: Record<string, string>) => {
      const page = await context.client(listGroups, { query })
      context.print(page, {
        name: (one) => one.name,
        title: (one) => one.title,
        source: (one) => one.source,
        members: (one) => one.members,
        age: (one) => ageText(one.createTime),
      })
      if (page.continue) context.progress(`${page.total} in all; go on with --continue ${page.continue}`)
    })
  group
    .command('members <group>')
    .description('Who belongs to a group')
    .option('--limit <count>', 'how many', '100')
    .option('--continue <name>', 'only names after this one')
    .action(async (name: string, query: Record<string, string>) =>
      context.print(await context.client(listGroupMembers, { params: { group: name }, query }), {
        user: (one) => one.user,
        title: (one) => one.title,
        kind: (one) => one.kind,
        disabled: (one) => (one.disabled ? 'yes' : ''),
      }),
    )
  group
    .command('create <group>')
    .description('Make a group')
    .option('--title <title>', 'as people say it')
    .action(async (name: string, words: { title?: string }) =>
      context.print(await context.client(createGroup, { body: { name, ...words } })),
    )
  group
    .command('add <group> <user...>')
    .description('Let users or machine accounts belong to a group')
    .action(async (name: string, users: string[]) => {
      for (const user of users) {
        await context.client(addGroupMember, { params: { group: name, user } })
        context.progress(`${user} belongs to ${name}`)
      }
    })
  group
    .command('remove <group> <user...>')
    .description('Take users or machine accounts out of a group')
    .action(async (name: string, users: string[]) => {
      if (!(await context.confirm(`Take ${users.join(', ')} out of ${name}?`))) return
      for (const user of users) {
        await context.client(removeGroupMember, { params: { group: name, user } })
        context.progress(`${user} does not belong to ${name} any more`)
      }
    })
  group
    .command('delete <group>')
    .description('Delete a group and what it has been granted; its members stay')
    .action(async (name: string) => {
      if (!(await context.confirm(`Delete the group ${name}, with all that was granted to it?`))) return
      await context.client(deleteGroup, { params: { group: name } })
      context.progress(`${name} is deleted`)
    })
}
