import { type CliContext, createClient, fetchWithCookies, serverUnreachable, UsageError } from '@quarterdeck/client'
import { isProblem, nameFrom, signInRequired } from '@quarterdeck/kernel'
import type { Command } from 'commander'
import { createSession, deleteSession, getSession } from './session.contract.ts'
import { createToken } from './token.contract.ts'

const DAY_MS = 24 * 3_600_000

/** Signs in as a browser would, has a token made, and signs that session out again. */
async function tokenFor(
  context: CliContext,
  server: string,
  credentials: { user: string; password: string },
  days: number,
) {
  const browser = createClient({ baseUrl: server, fetch: fetchWithCookies(server) })
  await browser(createSession, { body: credentials })
  try {
    const now = new Date()
    const name = nameFrom(`qd-${context.machine.slice(0, 40)}-${now.getTime().toString(36)}`) ?? 'qd'
    const expireTime = new Date(now.getTime() + days * DAY_MS).toISOString()
    return await browser(createToken, { body: { name, expireTime } })
  } finally {
    await browser(deleteSession).catch(() => undefined)
  }
}

/** Ends the token that was kept. A server that is gone or has forgotten it is no obstacle. */
async function revokeKept(context: CliContext): Promise<void> {
  const { signedIn } = context
  if (!signedIn) return
  try {
    await createClient({ baseUrl: signedIn.server, token: signedIn.token })(deleteSession)
  } catch (error) {
    if (isProblem(error, signInRequired)) return
    if (!isProblem(error, serverUnreachable)) throw error
    context.progress(`${signedIn.server} does not answer; the token stays valid there until it expires`)
  }
}

/** qd login, logout and whoami. */
export function sessionCommands(program: Command, context: CliContext): void {
  program
    .command('login')
    .description('Sign in and keep a token for the commands that follow')
    .option('--user <name>', 'user name', 'admin')
    .option('--password-stdin', 'read the password from the first line of stdin')
    .option('--days <n>', 'how long the token is valid', '30')
    .action(async (options: { user: string; passwordStdin?: boolean; days: string }) => {
      const { server } = context
      const days = Number(options.days)
      if (!(days > 0 && days <= 3_650)) throw new UsageError('--days: a number from 1 to 3650')
      const password = await context.secret(`Password of ${options.user} at ${server}`, options.passwordStdin === true)
      if (password === '') throw new UsageError('The password is empty')
      const token = await tokenFor(context, server, { user: options.user, password }, days)
      await revokeKept(context).catch(() => undefined)
      context.remember({ server, user: options.user, token: token.secret })
      context.print({ server, user: options.user, token: token.name, expireTime: token.expireTime })
    })
  program
    .command('logout')
    .description('Revoke the token and forget it')
    .action(async () => {
      if (!context.signedIn) throw signInRequired({ detail: `You are not signed in at ${context.server}` })
      await revokeKept(context)
      context.forget()
      context.progress(`Signed out of ${context.server}`)
    })
  program
    .command('whoami')
    .description('Who is signed in where, and what that allows')
    .action(async () => context.print({ server: context.server, ...(await context.client(getSession)) }))
}
