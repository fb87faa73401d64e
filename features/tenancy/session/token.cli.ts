import { ageText, type CliContext, UsageError } from '@quarterdeck/client'
import type { Scope } from '@quarterdeck/kernel'
import type { Command } from 'commander'
import {
  createToken,
  createUserToken,
  deleteToken,
  deleteUserToken,
  listTokens,
  listUserTokens,
} from './token.contract.ts'
import { placeWords } from './token.rules.ts'

const DAY_MS = 24 * 3_600_000

function expireTimeIn(days: string | undefined): { expireTime?: string } {
  if (days === undefined) return {}
  const count = Number(days)
  if (!(count > 0 && count <= 3_650)) throw new UsageError('--days: a number from 1 to 3650')
  return { expireTime: new Date(Date.now() + count * DAY_MS).toISOString() }
}

interface CreateOptions {
  tenant?: string
  project?: string
  env?: string
  user?: string
  permission?: string[]
  source?: string[]
  days?: string
}

function bodyOf(name: string, { permission, source, days, tenant, project, env }: CreateOptions) {
  const places = Object.entries({ tenant, project, environment: env }).filter(([, place]) => place !== undefined)
  if (places.length > 1) throw new UsageError('Give one of --tenant, --project and --env')
  return {
    name,
    ...expireTimeIn(days),
    ...(permission ? { permissions: permission } : {}),
    ...(source ? { sources: source } : {}),
    ...(places.length > 0 ? { within: Object.fromEntries(places) as Scope } : {}),
  }
}

/** qd token create, list and delete. */
export function tokenCommands(program: Command, context: CliContext): void {
  const token = program.command('token').description('Tokens for scripts and other machines')
  token
    .command('create <name>')
    .description('Make a token; its secret is printed once')
    .option('--user <name>', 'a machine account that it is for; you when absent')
    .option('--permission <permission...>', 'only these permissions; all that its owner has when absent')
    .option('--tenant <tenant>', 'counts in this tenant only')
    .option('--project <project>', 'counts in this project only')
    .option('--env <environment>', 'counts in this environment only')
    .option('--source <network...>', 'may be used from these addresses or networks only: 10.1.0.0/16')
    .option('--days <n>', 'how long it is valid; until it is revoked when absent')
    .action(async (name: string, options: CreateOptions) => {
      const body = bodyOf(name, options)
      const made = options.user
        ? await context.client(createUserToken, { params: { user: options.user }, body })
        : await context.client(createToken, { body })
      context.print(made)
      context.progress('Keep the secret now; it is not shown again.')
    })
  token
    .command('list')
    .description('Tokens, newest first')
    .option('--user <name>', 'of this user or machine account; yours when absent')
    .action(async ({ user }: { user?: string }) =>
      context.print(
        user ? await context.client(listUserTokens, { params: { user } }) : await context.client(listTokens),
        {
          name: (one) => one.name,
          permissions: (one) => one.permissions.join(','),
          within: (one) => one.within && placeWords(one.within),
          sources: (one) => one.sources.join(','),
          age: (one) => ageText(one.createTime),
          used: (one) => ageText(one.lastUseTime),
          from: (one) => one.lastPeer,
          expires: (one) => one.expireTime,
          this: (one) => (one.current ? 'yes' : ''),
        },
      ),
    )
  token
    .command('delete <name>')
    .description('Revoke a token, by name or id; what it has open closes within five seconds')
    .option('--user <name>', 'of this user or machine account; yours when absent')
    .action(async (name: string, { user }: { user?: string }) => {
      if (!(await context.confirm(`Revoke the token ${name}${user ? ` of ${user}` : ''}?`))) return
      if (user) await context.client(deleteUserToken, { params: { user, token: name } })
      else await context.client(deleteToken, { params: { token: name } })
      context.progress(`${name} is revoked`)
    })
}
