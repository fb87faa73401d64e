import { ageText, type CliContext, UsageError } from '@quarterdeck/client'
import type { Command } from 'commander'
import { durationSeconds } from './duration.rules.ts'
import { getUserPermission, listHolders, listUserPermissions } from './explain.contract.ts'
import { throughText } from './explain.rules.ts'
import { createGrant, deleteGrant, type Grant, listGrants, updateGrant } from './grant.contract.ts'

interface Place {
  env?: string
  project?: string
  tenant?: string
  platform?: boolean
}
interface ListOptions extends Place {
  user?: string
  group?: string
  role?: string
  inherited?: boolean
  limit?: string
  continue?: string
}
interface GiveOptions extends Place {
  user?: string
  group?: string
  until?: string
  for?: string
  reason?: string
  dryRun?: boolean
}

const placed = (command: Command): Command =>
  command
    .option('--env <environment>', 'in this environment')
    .option('--project <project>', 'in all environments of this project')
    .option('--tenant <tenant>', 'in all projects of this tenant')

/** As the endpoints name a place. */
const placeOf = ({ env, project, tenant }: { [name in keyof Place]?: Place[name] | undefined }) => ({
  ...(env === undefined ? {} : { environment: env }),
  ...(project === undefined ? {} : { project }),
  ...(tenant === undefined ? {} : { tenant }),
})

const placeColumn = ({ environment, project, tenant }: Pick<Grant, 'environment' | 'project' | 'tenant'>): string => {
  if (environment) return `environment ${environment}`
  if (project) return `project ${project}`
  return tenant ? `tenant ${tenant}` : 'platform'
}

/** An instant, from --until or --for; undefined where neither is given. */
function endOf({ until, for: duration }: { until?: string; for?: string }): string | undefined {
  if (until !== undefined && duration !== undefined) throw new UsageError('Give either --until or --for')
  if (duration !== undefined) {
    const seconds = durationSeconds(duration)
    if (seconds === undefined) throw new UsageError('--for: a number and a unit: 30m, 8h or 7d')
    return new Date(Date.now() + seconds * 1_000).toISOString()
  }
  if (until === undefined) return undefined
  const instant = new Date(until)
  if (Number.isNaN(instant.getTime())) throw new UsageError('--until: an instant, as 2026-12-01T18:00:00Z')
  return instant.toISOString()
}

/** qd grant list, give, extend and take; qd can. */
export function grantCommands(program: Command, context: CliContext): void {
  const grant = program.command('grant').description('Who has which role where')
  placed(grant.command('list'))
    .description('Grants, newest first')
    .option('--user <user>', 'of this user')
    .option('--group <group>', 'of this group')
    .option('--role <role>', 'of this role')
    .option('--platform', 'for the whole platform')
    .option('--inherited', 'with those that count at the named place since they were given further up')
    .option('--limit <count>', 'how many', '100')
    .option('--continue <text>', 'go on where the page before ended')
    .action(async ({ env, platform, inherited, ...asked }: ListOptions) => {
      const query = {
        ...asked,
        ...placeOf({ ...asked, env }),
        ...(platform ? { platform: 'true' as const } : {}),
        ...(inherited ? { inherited: 'true' as const } : {}),
      }
      const page = await context.client(listGrants, { query })
      context.print(page, {
        id: ({ id }) => id,
        who: ({ user, group }) => user ?? `group ${group}`,
        role: ({ role }) => role,
        where: placeColumn,
        until: ({ expireTime }) => expireTime,
        by: ({ grantor }) => grantor,
        age: ({ createTime }) => ageText(createTime),
      })
      if (page.continue) context.progress(`${page.total} in all; go on with --continue ${page.continue}`)
    })
  giveCommand(grant, context)
  grant
    .command('extend <id>')
    .description('Change until when a grant counts')
    .option('--until <time>', 'RFC 3339')
    .option('--for <duration>', 'from now on: 30m, 8h, 7d')
    .option('--lasting', 'until it is taken back')
    .action(async (id: string, options: { until?: string; for?: string; lasting?: boolean }) => {
      const expireTime = options.lasting ? null : endOf(options)
      if (expireTime === undefined) throw new UsageError('Give --until, --for or --lasting')
      context.print(await context.client(updateGrant, { params: { grant: id }, body: { expireTime } }))
    })
  grant
    .command('take <id>')
    .description('Take a grant back; what it opened closes within five seconds')
    .action(async (id: string) => {
      if (!(await context.confirm(`Take the grant ${id} back?`))) return
      await context.client(deleteGrant, { params: { grant: id } })
      context.progress(`${id} is taken back`)
    })
  holdersCommand(grant, context)
  canCommand(program, context)
}

function giveCommand(grant: Command, context: CliContext): void {
  placed(grant.command('give <role>'))
    .description('Give a user or a group a role')
    .option('--user <user>', 'to this user or machine account')
    .option('--group <group>', 'to all members of this group')
    .option('--platform', 'for the whole platform')
    .option('--until <time>', 'RFC 3339; until it is taken back when absent')
    .option('--for <duration>', 'from now on: 30m, 8h, 7d')
    .option('--reason <text>', 'kept in the audit trail')
    .option('--dry-run', 'only tell what it would open')
    .action(async (role: string, options: GiveOptions) => {
      const { user, group, reason, platform, dryRun } = options
      const expireTime = endOf(options)
      const body = {
        role,
        ...(user === undefined ? {} : { user }),
        ...(group === undefined ? {} : { group }),
        ...placeOf(options),
        ...(platform ? { platform: true as const } : {}),
        ...(expireTime === undefined ? {} : { expireTime }),
        ...(reason === undefined ? {} : { reason }),
      }
      const answer = await context.client(createGrant, { query: dryRun ? { dryRun: 'true' } : {}, body })
      if (answer.kind === 'Grant' || context.output !== 'table') return context.print(answer)
      const { gaining, people, environments, clusters, permissions } = answer
      context.progress(
        `${gaining} of ${people} would get something new, in ${environments.total} environments on ${clusters.join(', ') || 'no cluster'}`,
      )
      context.print(permissions, { permission: (one) => one.permission, newFor: (one) => one.people })
    })
}

function holdersCommand(grant: Command, context: CliContext): void {
  placed(grant.command('holders <permission>'))
    .description('Who may do one thing at a place; the platform when none is given')
    .option('--limit <count>', 'how many', '100')
    .option('--continue <name>', 'only names after this one')
    .action(async (permission: string, { env, ...asked }: ListOptions) => {
      const query = { ...asked, permission, ...placeOf({ ...asked, env }) }
      const page = await context.client(listHolders, { query: query as never })
      context.print(page, {
        user: ({ user }) => user,
        through: ({ through: [first] }) => (first ? throughText(first) : ''),
        until: ({ through: [first] }) => first?.expireTime,
      })
    })
}

/** Ends with status 0 when the user may, and 1 when not. */
function canCommand(program: Command, context: CliContext): void {
  placed(program.command('can <user> [permission]'))
    .description(
      'Whether a user may do something at a place, and why (status 0 or 1); without a permission: all they may',
    )
    .action(async (user: string, permission: string | undefined, place: Place) => {
      const query = placeOf(place)
      if (permission === undefined) {
        const held = await context.client(listUserPermissions, { params: { user }, query })
        return context.print(held, {
          permission: (one) => one.permission,
          through: ({ through: [first] }) => (first ? throughText(first) : ''),
          until: ({ through: [first] }) => first?.expireTime,
        })
      }
      const verdict = await context.client(getUserPermission, {
        params: { user, permission: permission as never },
        query,
      })
      if (context.output === 'table') await context.write(`${verdict.detail}\n`)
      else context.print(verdict)
      if (!verdict.allowed) context.exitStatus(1)
    })
}
