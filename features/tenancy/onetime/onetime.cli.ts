import { type CliContext, UsageError } from '@quarterdeck/client'
import { isProblem } from '@quarterdeck/kernel'
import type { Command } from 'commander'
import { renderUnicodeCompact } from 'uqr'
import {
  confirmOneTimePassword,
  enrolOneTimePassword,
  getVerification,
  removeOneTimePassword,
  resetOneTimePassword,
  signInNotFresh,
  verifySession,
} from './onetime.contract.ts'

async function codeOf(context: CliContext, given: string | undefined): Promise<string> {
  const code = given ?? (await context.code())
  if (code === undefined || code === '') throw new UsageError('Give the code with --code; nobody can type it here')
  return code
}

async function begin(context: CliContext) {
  try {
    return await context.client(enrolOneTimePassword, { body: {} })
  } catch (error) {
    if (!isProblem(error, signInNotFresh)) throw error
    const password = await context.secret('Your password', false)
    return context.client(enrolOneTimePassword, { body: { password } })
  }
}

/** qd otp show, enroll, verify, remove and reset. */
export function oneTimeCommands(program: Command, context: CliContext): void {
  const otp = program.command('otp').description('One-time passwords: a code from an app beside the password')
  otp
    .command('show')
    .description('Whether you have one, and when you last gave a code')
    .action(async () => context.print(await context.client(getVerification)))
  otp
    .command('enroll')
    .description('Set one up: scan the QR code, type the first code, keep the recovery codes')
    .action(async () => {
      if (!context.terminal.interactive)
        throw new UsageError('This takes a terminal: it shows a QR code and asks for a code')
      const { uri, secret } = await begin(context)
      context.terminal.writeError(`${renderUnicodeCompact(uri)}\n\nOr type this key into the app: ${secret}\n\n`)
      const { recoveryCodes } = await context.client(confirmOneTimePassword, {
        body: { code: await codeOf(context, undefined) },
      })
      context.progress('Each of these replaces one code, once. They are shown this once:')
      context.print(recoveryCodes.map((code) => ({ code })))
    })
  otp
    .command('verify')
    .description('Give a code for this sign-in of qd')
    .option('--code <code>', 'six digits, or a recovery code; asked for when absent')
    .action(async ({ code }: { code?: string }) => {
      context.print(await context.client(verifySession, { body: { code: await codeOf(context, code) } }))
    })
  otp
    .command('remove')
    .description('Remove your one-time password; takes a code')
    .option('--code <code>', 'six digits, or a recovery code; asked for when absent')
    .action(async ({ code }: { code?: string }) => {
      await context.client(removeOneTimePassword, { body: { code: await codeOf(context, code) } })
      context.progress('You have no one-time password any more')
    })
  otp
    .command('reset <user>')
    .description('Remove the one-time password of somebody who has lost it')
    .action(async (user: string) => {
      if (!(await context.confirm(`Remove the one-time password of ${user}?`))) return
      await context.client(resetOneTimePassword, { params: { user } })
      context.progress(`${user} has no one-time password any more`)
    })
}
