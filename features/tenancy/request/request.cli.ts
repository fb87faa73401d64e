import { ageText, type CliContext, UsageError } from '@quarterdeck/client'
import type { Command } from 'commander'
import {
  approveRequest,
  createRequest,
  type GrantRequest,
  listRequests,
  refuseRequest,
  withdrawRequest,
} from './request.contract.ts'

interface AskOptions {
  role?: string
  permission?: string
  env?: string
  project?: string
  tenant?: string
  platform?: boolean
  hours?: string
  reason: string
}

const placeOf = ({ environment, project, tenant }: GrantRequest): string => {
  if (environment) return `environment ${environment}`
  if (project) return `project ${project}`
  return tenant ? `tenant ${tenant}` : 'platform'
}

/** qd request list, create, approve, refuse and withdraw. */
export function requestCommands(program: Command, context: CliContext): void {
  const request = program.command('request').description('Requests for roles')
  request
    .command('list')
    .description('My requests and those that I could grant, newest first')
    .option('--state <state>', 'open, approved, refused or withdrawn')
    .option('--which <which>', 'mine, to-decide or all', 'all')
    .option('--limit <count>', 'how many', '100')
    .option('--continue <text>', 'go on where the page before ended')
    .action(async (query: Record<string, string>) => {
      const page = await context.client(listRequests, { query: query as never })
      context.print(page, {
        id: ({ id }) => id,
        who: ({ user }) => user,
        role: ({ role }) => role,
        where: placeOf,
        hours: (one) => Math.round(one.durationSeconds / 360) / 10,
        reason: ({ reason }) => reason,
        state: ({ state }) => state,
        mine: (one) => (one.decidable ? 'to decide' : one.mine ? 'mine' : ''),
        age: ({ createTime }) => ageText(createTime),
      })
      if (page.continue) context.progress(`Go on with --continue ${page.continue}`)
    })
  request
    .command('create')
    .description('Ask for a role, or for the smallest built-in role with a permission')
    .option('--role <role>', 'this role')
    .option('--permission <permission>', 'what is missing: application.deploy')
    .option('--env <environment>', 'in this environment')
    .option('--project <project>', 'in all environments of this project')
    .option('--tenant <tenant>', 'in all projects of this tenant')
    .option('--platform', 'for the whole platform')
    .option('--hours <count>', 'how long it is needed, from the approval on', '168')
    .requiredOption('--reason <text>', 'why it is needed')
    .action(async ({ env, hours, platform, ...asked }: AskOptions) => {
      const durationSeconds = Math.round(Number(hours) * 3_600)
      if (!(durationSeconds > 0)) throw new UsageError('--hours: a number')
      const place = { ...(env === undefined ? {} : { environment: env }), ...(platform ? { platform: true } : {}) }
      context.print(await context.client(createRequest, { body: { ...asked, ...place, durationSeconds } as never }))
    })
  request
    .command('approve <id>')
    .description('Grant what is asked for')
    .option('--until <time>', 'RFC 3339; as long as was asked for when absent')
    .option('--reason <text>', 'told to who asks')
    .action(async (id: string, { until, reason }: { until?: string; reason?: string }) => {
      const body = {
        ...(until === undefined ? {} : { expireTime: until }),
        ...(reason === undefined ? {} : { reason }),
      }
      context.print(await context.client(approveRequest, { params: { request: id }, body }))
    })
  request
    .command('refuse <id>')
    .description('Refuse a request')
    .requiredOption('--reason <text>', 'told to who asks')
    .action(async (id: string, { reason }: { reason: string }) =>
      context.print(await context.client(refuseRequest, { params: { request: id }, body: { reason } })),
    )
  request
    .command('withdraw <id>')
    .description('Withdraw a request of mine')
    .action(async (id: string) => {
      await context.client(withdrawRequest, { params: { request: id } })
      context.progress(`${id} is withdrawn`)
    })
}
