import { ageText, type CliContext, UsageError } from '@quarterdeck/client'
import type { Command } from 'commander'
import { createToken, deleteToken, listTokens } from './token.contract.ts'

const DAY_MS = 24 * 3_600_000

function expireTimeIn(days: string | undefined): { expireTime?: string } {
  if (days === undefined) return {}
  const count = Number(days)
  if (!(count > 0 && count <= 3_650)) throw new UsageError('--days: a number from 1 to 3650')
  return { expireTime: new Date(Date.now() + count * DAY_MS).toISOString() }
}

/** qd token create, list and delete. */
export function tokenCommands(program: Command, context: CliContext): void {
  const token = program.command('token').description('Tokens for scripts and other machines')
  token
    .command('create <name>')
    .description('Make a token; its secret is printed once')
    .option('--permission <permission...>', 'only these permissions; all that you have when absent')
    .option('--days <n>', 'how long it is valid; until it is revoked when absent')
    .action(async (name: string, { permission, days }: { permission?: string[]; days?: string }) => {
      const body = { name, ...expireTimeIn(days), ...(permission ? { permissions: permission } : {}) }
      context.print(await context.client(createToken, { body }))
      context.progress('Keep the secret now; it is not shown again.')
    })
  token
    .command('list')
    .description('My tokens, newest first')
    .action(async () =>
      context.print(await context.client(listTokens), {
        name: (one) => one.name,
        permissions: (one) => one.permissions.join(','),
        age: (one) => ageText(one.createTime),
        used: (one) => ageText(one.lastUseTime),
        expires: (one) => one.expireTime,
        this: (one) => (one.current ? 'yes' : ''),
      }),
    )
  token
    .command('delete <name>')
    .description('Revoke a token, by name or id; what it has open closes within five seconds')
    .action(async (name: string) => {
      if (!(await context.confirm(`Revoke the token ${name}?`))) return
      await context.client(deleteToken, { params: { token: name } })
      context.progress(`${name} is revoked`)
    })
}
