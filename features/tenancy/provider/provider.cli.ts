import { type CliContext, UsageError } from '@quarterdeck/client'
import type { Command } from 'commander'
import {
  createProvider,
  deleteProvider,
  listProviders,
  ProviderSettings,
  syncProvider,
  testProvider,
} from './provider.contract.ts'

interface AddOptions {
  title?: string
  issuer?: string
  clientId?: string
  groupsClaim?: string
  nameClaim?: string
  scopes?: string[]
  askAgainMinutes?: string
  url?: string
  baseDn?: string
  bindDn?: string
  userFilter?: string
  groupBaseDn?: string
  groupFilter?: string
  keyAttribute?: string
  nameAttribute?: string
  ca?: string
  secretStdin?: boolean
  disabled?: boolean
}

async function settingsOf(context: CliContext, options: AddOptions): Promise<ProviderSettings> {
  const { issuer, url, ca, askAgainMinutes, title: _, secretStdin: __, disabled: ___, ...rest } = options
  if ((issuer === undefined) === (url === undefined)) {
    throw new UsageError('Give --issuer for an OIDC provider, or --url for a directory')
  }
  const authorities = ca === undefined ? {} : { authorities: await context.readFile(ca) }
  const minutes = askAgainMinutes === undefined ? {} : { askAgainMinutes: Number(askAgainMinutes) }
  const given = issuer === undefined ? { kind: 'ldap', url, ...rest } : { kind: 'oidc', issuer, ...minutes, ...rest }
  const checked = ProviderSettings.safeParse({ ...given, ...authorities })
  if (checked.success) return checked.data
  const [issue] = checked.error.issues
  throw new UsageError(`${issue?.path.join('.')}: ${issue?.message}`)
}

/** qd provider list, add, test, sync and remove. */
export function providerCommands(program: Command, context: CliContext): void {
  const provider = program.command('provider').description('Who else says who people are: OIDC providers, directories')
  provider
    .command('list')
    .description('Sign-in providers')
    .action(async () =>
      context.print(await context.client(listProviders), {
        name: ({ name }) => name,
        title: ({ title }) => title,
        kind: ({ settings }) => settings.kind,
        address: ({ settings }) => (settings.kind === 'oidc' ? settings.issuer : settings.url),
        enabled: ({ enabled }) => enabled,
        sessions: ({ sessions }) => sessions,
        compared: ({ syncTime }) => syncTime,
      }),
    )
  provider
    .command('add <name>')
    .description('Connect an OIDC provider (--issuer) or a directory (--url)')
    .option('--title <title>', 'what the sign-in page says; the name when absent')
    .option('--issuer <url>', 'OIDC: the issuer')
    .option('--client-id <id>', 'OIDC: what this platform is called there')
    .option('--name-claim <claim>', 'OIDC: what a new user is named by')
    .option('--groups-claim <claim>', 'OIDC: the claim that lists groups')
    .option('--scopes <scope...>', 'OIDC: what is asked for; openid, profile and email when absent')
    .option('--ask-again-minutes <n>', 'OIDC: how often it is asked whether a session may go on; 15 when absent')
    .option('--url <url>', 'LDAP: ldaps://host, or ldap://host, which is raised to TLS')
    .option('--base-dn <dn>', 'LDAP: where people are')
    .option('--bind-dn <dn>', 'LDAP: who looks people up')
    .option('--user-filter <filter>', 'LDAP: finds one person; {user} stands for the name')
    .option('--key-attribute <name>', 'LDAP: stays with a person for ever')
    .option('--name-attribute <name>', 'LDAP: what a new user is named by')
    .option('--group-base-dn <dn>', 'LDAP: where groups are')
    .option('--group-filter <filter>', 'LDAP: finds the groups of a person; {dn} stands for them')
    .option('--ca <file>', 'PEM of who signed the server certificate')
    .option('--secret-stdin', 'read the secret from the first line of stdin; asked for when a directory needs it')
    .option('--disabled', 'nobody signs in with it yet')
    .action(async (name: string, options: AddOptions) => {
      const settings = await settingsOf(context, options)
      const asks = options.secretStdin === true || (settings.kind === 'ldap' && settings.bindDn !== undefined)
      const secret = asks ? await context.secret(`Secret of ${name}`, options.secretStdin === true) : ''
      const { title = name, disabled = false } = options
      const body = { name, title, enabled: !disabled, settings, ...(secret === '' ? {} : { secret }) }
      const { settings: made, ...rest } = await context.client(createProvider, { body })
      context.print(context.output === 'table' ? { ...rest, kind: made.kind } : { ...rest, settings: made })
    })
  provider
    .command('test <name>')
    .description('Try it step by step; ends with status 1 when a step fails')
    .option('--user <name>', 'LDAP: somebody to look up')
    .action(async (name: string, { user }: { user?: string }) => {
      const { steps } = await context.client(testProvider, { params: { provider: name }, body: user ? { user } : {} })
      context.print(
        { items: steps },
        {
          step: ({ step }) => step,
          result: ({ succeeded }) => (succeeded ? 'well' : 'failed'),
          detail: ({ detail }) => detail,
        },
      )
      if (steps.some(({ succeeded }) => !succeeded)) context.exitStatus(1)
    })
  provider
    .command('sync <name>')
    .description('Compare users and groups with the directory now')
    .action(async (name: string) => {
      const { message } = await context.client(syncProvider, { params: { provider: name } })
      context.print({ message })
    })
  provider
    .command('remove <name>')
    .description('Remove it; its users stay and can no longer sign in with it')
    .action(async (name: string) => {
      if (!(await context.confirm(`Remove the sign-in provider ${name}?`))) return
      await context.client(deleteProvider, { params: { provider: name } })
      context.progress(`${name} is removed`)
    })
}
