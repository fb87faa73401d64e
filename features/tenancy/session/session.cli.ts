import {
  ageText,
  type CliContext,
  createClient,
  fetchWithCode,
  fetchWithCookies,
  serverUnreachable,
  UsageError,
} from '@quarterdeck/client'
import { isProblem, nameFrom, signInRequired, tooManyRequests } from '@quarterdeck/kernel'
import type { Command } from 'commander'
import { verifySession } from '../onetime/onetime.contract.ts'
import { finishDeviceLogin, startDeviceLogin } from './device.contract.ts'
import {
  createSession,
  deleteSession,
  getSession,
  listSessions,
  listUserSessions,
  revokeSession,
  revokeUserSession,
} from './session.contract.ts'
import { createToken } from './token.contract.ts'

const DAY_MS = 24 * 3_600_000

/** What login keeps. */
interface LoginToken {
  user: string
  name: string
  secret: string
  expireTime?: string | undefined
}

/** Signs in as a browser would, has a token made, and signs that session out again. */
async function tokenFor(
  context: CliContext,
  server: string,
  credentials: { user: string; password: string; provider?: string },
  { days, code: given }: { days: number; code: string | undefined },
): Promise<LoginToken> {
  const fetch = fetchWithCookies(server)
  const withCode = fetchWithCode(fetch, async ({ body }) => {
    const code = body.enrolled === true ? (given ?? (await context.code())) : undefined
    if (code === undefined) return false
    await createClient({ baseUrl: server, fetch })(verifySession, { body: { code } })
    return true
  })
  const browser = createClient({ baseUrl: server, fetch: withCode })
  const { user } = await browser(createSession, { body: credentials })
  try {
    const now = new Date()
    const name = nameFrom(`qd-${context.machine.slice(0, 40)}-${now.getTime().toString(36)}`) ?? 'qd'
    const expireTime = new Date(now.getTime() + days * DAY_MS).toISOString()
    return { user, ...(await browser(createToken, { body: { name, expireTime } })) }
  } finally {
    await browser(deleteSession).catch(() => undefined)
  }
}

const pause = (ms: number, signal: AbortSignal) =>
  new Promise<void>((resolve, reject) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    signal.addEventListener('abort', () => clearTimeout(timer), { once: true })
  })

/** Shows a code and waits until somebody has confirmed it in a browser. */
async function tokenByCode(context: CliContext, server: string, days: number): Promise<LoginToken> {
  if (days > 90) throw new UsageError('--days: a number from 1 to 90 when you sign in with a browser')
  const client = createClient({ baseUrl: server })
  const machine = context.machine.slice(0, 63) || 'qd'
  const { secret, code, url, intervalSeconds } = await client(startDeviceLogin, { body: { machine, days } })
  context.terminal.writeError(`Open ${url} in a browser, sign in there and type this code:\n\n    ${code}\n\n`)
  for (;;) {
    await pause(intervalSeconds * 1_000, context.signal)
    try {
      const finished = await client(finishDeviceLogin, { body: { secret } })
      if (finished.state === 'confirmed') {
        const { user, token: name, expireTime } = finished
        return { user, name, secret: finished.secret, expireTime }
      }
    } catch (error) {
      // It is no answer: the next one may come.
      if (!isProblem(error, serverUnreachable) && !isProblem(error, tooManyRequests)) throw error
    }
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

interface LoginOptions {
  user?: string
  provider?: string
  passwordStdin?: boolean
  code?: string
  days: string
}

async function login(context: CliContext, options: LoginOptions): Promise<void> {
  const { server } = context
  const days = Number(options.days)
  if (!(Number.isInteger(days) && days > 0 && days <= 3_650)) throw new UsageError('--days: a number from 1 to 3650')
  const byPassword = options.user !== undefined || options.passwordStdin === true
  let token: LoginToken
  if (byPassword) {
    const user = options.user ?? 'admin'
    const password = await context.secret(`Password of ${user} at ${server}`, options.passwordStdin === true)
    if (password === '') throw new UsageError('The password is empty')
    const provider = options.provider === undefined ? {} : { provider: options.provider }
    token = await tokenFor(context, server, { user, password, ...provider }, { days, code: options.code })
  } else token = await tokenByCode(context, server, days)
  await revokeKept(context).catch(() => undefined)
  context.remember({ server, user: token.user, token: token.secret })
  context.print({ server, user: token.user, token: token.name, expireTime: token.expireTime })
}

/** qd login, logout, whoami and session. */
export function sessionCommands(program: Command, context: CliContext): void {
  program
    .command('login')
    .description('Sign in with a browser, or with --user and a password, and keep a token for the commands that follow')
    .option('--user <name>', 'sign in with the password of this user')
    .option('--provider <name>', 'directory that knows the password, with --user; Quarterdeck itself when absent')
    .option('--password-stdin', 'read the password from the first line of stdin')
    .option('--code <code>', 'one-time password; asked for when absent and needed')
    .option('--days <n>', 'how long the token is valid', '30')
    .action((options: LoginOptions) => login(context, options))
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
  const session = program.command('session').description('Signed-in browsers')
  session
    .command('list')
    .description('Sessions, newest first')
    .option('--user <name>', 'of this user; yours when absent')
    .action(async ({ user }: { user?: string }) =>
      context.print(
        user ? await context.client(listUserSessions, { params: { user } }) : await context.client(listSessions),
        {
          id: (one) => one.id,
          from: (one) => one.peer,
          age: (one) => ageText(one.createTime),
          used: (one) => ageText(one.lastUseTime),
          expires: (one) => one.expireTime,
          client: (one) => one.client,
        },
      ),
    )
  session
    .command('end <id>')
    .description('End a session; what it has open closes within five seconds')
    .option('--user <name>', 'of this user; yours when absent')
    .action(async (id: string, { user }: { user?: string }) => {
      if (!(await context.confirm(`End the session ${id}?`))) return
      if (user) await context.client(revokeUserSession, { params: { user, session: id } })
      else await context.client(revokeSession, { params: { session: id } })
      context.progress('The session has ended')
    })
}
