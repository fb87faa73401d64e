import { ageText, type CliContext } from '@quarterdeck/client'
import type { Command } from 'commander'
import { createPasswordLink, createUser, deleteUser, getUser, listUsers, updateUser } from './user.contract.ts'

/** qd user: who there is, and who may come in. */
export function userCommands(program: Command, context: CliContext): void {
  const user = program.command('user').description('Users and machine accounts')
  user
    .command('list')
    .description('Users and machine accounts by name')
    .option('--search <text>', 'part of name, title or e-mail address')
    .option('--kind <kind>', 'user or machine')
    .option('--state <state>', 'active, invited or disabled')
    .option('--group <group>', 'members of this group')
    .option('--source <source>', 'local, or a sign-in provider')
    .option('--limit <count>', 'how many', '100')
    .option('--continue <name>', 'only names after this one')
    .action(async (query: Record<string, string>) => {
      const page = await context.client(listUsers, { query })
      context.print(page, {
        name: (one) => one.name,
        title: (one) => one.title,
        kind: (one) => one.kind,
        state: (one) => one.state,
        source: (one) => one.source,
        groups: (one) => one.groups.join(','),
        signedIn: (one) => ageText(one.lastSignInTime),
      })
      if (page.continue) context.progress(`${page.total} in all; go on with --continue ${page.continue}`)
    })
  user
    .command('show <name>')
    .description('One user or machine account')
    .action(async (name: string) => context.print(await context.client(getUser, { params: { user: name } })))
  user
    .command('invite <name>')
    .description('Make a user; prints the link, once, with which they choose a password within three days')
    .option('--title <title>', 'as people say it')
    .option('--email <address>', 'e-mail address')
    .action(async (name: string, words: { title?: string; email?: string }) => {
      const { link, user: made } = await context.client(createUser, { body: { name, ...words } })
      context.print({ ...made, link: link?.url, linkExpireTime: link?.expireTime })
      context.progress(`Pass the link on to ${name} in private; it is not shown again.`)
    })
  user
    .command('create-machine <name>')
    .description('Make a machine account for a pipeline; then: qd token create TOKEN --user NAME')
    .option('--title <title>', 'as people say it')
    .action(async (name: string, words: { title?: string }) => {
      const { user: made } = await context.client(createUser, { body: { name, kind: 'machine', ...words } })
      context.print(made)
    })
  user
    .command('update <name>')
    .description('Change title or e-mail address')
    .option('--title <title>', 'as people say it; empty: none')
    .option('--email <address>', 'e-mail address; empty: none')
    .action(async (name: string, { title, email }: { title?: string; email?: string }) => {
      const body = {
        ...(title === undefined ? {} : { title: title || null }),
        ...(email === undefined ? {} : { email: email || null }),
      }
      context.print(await context.client(updateUser, { params: { user: name }, body }))
    })
  user
    .command('disable <name>')
    .description('End the sessions of a user and what they have open; tokens do not count any more')
    .action(async (name: string) => {
      if (!(await context.confirm(`Disable ${name}? Whatever they have open ends.`))) return
      await context.client(updateUser, { params: { user: name }, body: { disabled: true } })
      context.progress(`${name} is disabled`)
    })
  user
    .command('enable <name>')
    .description('Let a disabled user sign in again; tokens count again')
    .action(async (name: string) => {
      await context.client(updateUser, { params: { user: name }, body: { disabled: false } })
      context.progress(`${name} is enabled`)
    })
  user
    .command('delete <name>')
    .description('Delete a user with sessions, tokens and grants; whoever gets the name later inherits nothing')
    .action(async (name: string) => {
      if (!(await context.confirm(`Delete ${name}, with all that was granted to them?`))) return
      await context.client(deleteUser, { params: { user: name } })
      context.progress(`${name} is deleted`)
    })
  user
    .command('reset <name>')
    .description('Print a new link, once, with which a user chooses a password')
    .action(async (name: string) => {
      context.print(await context.client(createPasswordLink, { params: { user: name } }))
      context.progress(`Pass the link on to ${name} in private. Until it is used the old password stays.`)
    })
}
