import { ageText, type CliContext, UsageError, WaitTimeout } from '@quarterdeck/client'
import { isProblem } from '@quarterdeck/kernel'
import type { Command } from 'commander'
import {
  type Change,
  getOperation,
  listOperations,
  type Operation,
  OperationState,
  type Plan,
  undoOperation,
  watchOperation,
} from './operation.contract.ts'

/** What every command that changes a cluster takes. */
export interface ChangeOptions {
  dryRun?: boolean
  force?: boolean
  reason?: string
  planHash?: string
  wait?: boolean
  timeout?: string
}

/** Adds the options that every change has. */
export const withChangeOptions = (command: Command): Command =>
  command
    .option('--dry-run', 'show what it would do and change nothing')
    .option('--plan-hash <hash>', 'only if the plan is still this one')
    .option('--force', 'take over fields that somebody else manages')
    .option('--reason <text>', 'why; kept in the audit trail')
    .option('--wait', 'wait until it has ended; status 1 when it failed, 4 when --timeout is over')
    .option('--timeout <seconds>', 'how long --wait waits', '300')

/** The options as the endpoint's query. */
export const changeQuery = ({ dryRun, force, reason, planHash }: ChangeOptions) => ({
  dryRun: dryRun ?? false,
  force: force ?? false,
  ...(reason === undefined ? {} : { reason }),
  ...(planHash === undefined ? {} : { planHash }),
})

/** Prints the plan, or the operation: as it was accepted, or with --wait as it ended. */
export async function finishChange(context: CliContext, change: Change, options: ChangeOptions): Promise<void> {
  if (change.kind === 'Plan') return printPlan(context, change)
  const operation = options.wait ? await followed(context, change, secondsOf(options.timeout)) : change
  print(context, operation)
  if (operation.state === 'Failed') context.exitStatus(1)
}

function secondsOf(text: string | undefined): number {
  const seconds = Number(text ?? 300)
  if (Number.isFinite(seconds) && seconds > 0) return seconds
  throw new UsageError('--timeout: a number of seconds above 0')
}

const messageOf = ({ conditions, steps }: Operation): string =>
  conditions.find(({ type }) => type === 'Succeeded')?.message ??
  conditions.find(({ status }) => status !== 'True')?.message ??
  steps.find(({ state }) => state === 'Running')?.message ??
  ''

function print(context: CliContext, operation: Operation): void {
  context.print(operation, {
    operation: ({ id }) => id,
    what: ({ summary }) => summary,
    state: ({ state }) => state,
    message: messageOf,
  })
}

/** Follows it to its end. Throws WaitTimeout; the operation goes on all the same. */
async function followed(context: CliContext, operation: Operation, seconds: number): Promise<Operation> {
  const late = AbortSignal.timeout(seconds * 1_000)
  const signal = AbortSignal.any([context.signal, late])
  let last = operation
  let told = ''
  while (last.endTime === undefined) {
    try {
      const call = { params: { operation: operation.id } }
      for await (const seen of context.client.lines(watchOperation, call, { signal })) {
        last = seen
        const step = seen.steps.find(({ state }) => state === 'Running')
        const text = step ? `${step.name}: ${step.message}` : seen.state
        if (text !== told) context.progress(text)
        told = text
      }
      last = await context.client(getOperation, call, { signal })
    } catch (error) {
      if (late.aborted) {
        throw new WaitTimeout(
          `${last.summary} has not ended after ${seconds} s: ${messageOf(last)} It goes on; qd operation get ${last.id} shows how far it is.`,
        )
      }
      if (!isProblem(error) || error.body.type !== '/problems/server-unreachable') throw error
      // The operation goes on when the server does, so the wait outlives a restart of the server.
      context.progress('The server does not answer; trying again')
      await new Promise((resolve) => setTimeout(resolve, 1_000))
    }
  }
  return last
}

const text = (value: unknown): string =>
  value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value)

function printPlan(context: CliContext, plan: Plan): void {
  if (context.output === 'table') {
    const rows = plan.changes.flatMap((change) => {
      const object = `${change.ref.kind} ${change.ref.name}`
      const fields = change.fields.length > 0 ? change.fields : [{ path: '', before: undefined, after: undefined }]
      return fields.map(({ path, before, after }) => ({ object, action: change.action, path, before, after }))
    })
    context.progress(plan.summary)
    context.print(rows, {
      object: ({ object }) => object,
      action: ({ action }) => action,
      field: ({ path }) => path,
      before: ({ before }) => text(before),
      after: ({ after }) => text(after),
    })
    for (const { effect } of plan.changes) if (effect) context.progress(`→ ${effect}`)
    for (const { ref, conflicts } of plan.changes) {
      for (const { manager, field } of conflicts)
        context.progress(`! ${ref.kind} ${ref.name} ${field} is managed by ${manager}`)
    }
    for (const warning of [...plan.warnings, ...plan.changes.flatMap(({ warnings }) => warnings)])
      context.progress(`! ${warning}`)
    for (const later of plan.laterOperations) context.progress(`! takes back as well: ${later}`)
    for (const { pointer, detail } of plan.blockers) context.progress(`✗ ${pointer} ${detail}`.replace('  ', ' '))
    context.progress(`plan hash ${plan.hash}`)
  } else context.print(plan)
  if (plan.blockers.length > 0) context.exitStatus(1)
}

interface ListOptions {
  env?: string
  app?: string
  state?: string
  running?: boolean
  limit?: string
}

function stateOf(given: string | undefined): { state?: OperationState } {
  if (given === undefined) return {}
  const state = OperationState.safeParse(given)
  if (state.success) return { state: state.data }
  throw new UsageError(`--state: one of ${OperationState.options.join(', ')}`)
}

/** qd operation list, get and undo. */
export function operationCommands(program: Command, context: CliContext): void {
  const operation = program.command('operation').description('Changes: who, what, when, how far')
  operation
    .command('list')
    .description('Operations, newest first')
    .option('--env <name>', 'only of this environment')
    .option('--app <name>', 'only of this application')
    .option('--state <state>', 'only in this state')
    .option('--running', 'only those that have not ended')
    .option('--limit <n>', 'at most so many', '50')
    .action(async ({ env, app, state, running, limit }: ListOptions) => {
      const query = {
        limit: Number(limit),
        ...stateOf(state),
        ...(env ? { environment: env } : {}),
        ...(app ? { application: app } : {}),
        ...(running ? { running: true } : {}),
      }
      context.print(await context.client(listOperations, { query }), {
        operation: ({ id }) => id,
        what: ({ summary }) => summary,
        state: ({ state }) => state,
        by: ({ actor }) => actor,
        age: ({ acceptTime }) => ageText(acceptTime),
      })
    })
  operation
    .command('get <operation>')
    .description('One operation with its steps')
    .action(async (id: string) => {
      const found = await context.client(getOperation, { params: { operation: id } })
      if (context.output !== 'table') return context.print(found)
      print(context, found)
      context.print(found.steps, {
        step: ({ name }) => name,
        state: ({ state }) => state,
        message: ({ message }) => message,
      })
    })
  withChangeOptions(operation.command('undo <operation>'))
    .description('Put back what was there before it')
    .action(async (id: string, options: ChangeOptions) => {
      const call = { params: { operation: id }, query: changeQuery(options) }
      await finishChange(context, await context.client(undoOperation, call, { signal: context.signal }), options)
    })
}
