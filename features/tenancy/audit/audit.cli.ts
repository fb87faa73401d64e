import { type CliContext, UsageError } from '@quarterdeck/client'
import { jsonLine } from '@quarterdeck/kernel'
import type { Command } from 'commander'
import { type AuditCheck, checkAuditTrail, exportAudit, listAudit, listAuditSeals } from './audit.contract.ts'
import { type FilterOptions, filtered, queryOf, searchCommands } from './search.cli.ts'
import { deleteAuditSink, listAuditSinks, saveAuditSink } from './sink.contract.ts'

/** qd audit. */
export function auditCommands(program: Command, context: CliContext): void {
  const audit = program.command('audit').description('Who did what, and how it ended')
  filtered(audit.command('list').description('The audit trail, newest first'))
    .option('--limit <count>', 'how many', '50')
    .option('--continue <number>', 'only records before this one')
    .action(async (options: FilterOptions) => {
      context.print(await context.client(listAudit, { query: await queryOf(context, options) }), {
        number: ({ number }) => number,
        time: ({ time }) => time,
        who: ({ actor }) => actor,
        act: ({ act }) => act,
        what: ({ what }) => what,
        result: ({ outcome }) => outcome,
        detail: ({ detail }) => detail,
      })
    })
  filtered(audit.command('export').description('All records as JSON lines, oldest first')).action(
    async (options: FilterOptions) => {
      for await (const record of context.client.lines(exportAudit, { query: await queryOf(context, options) })) {
        await context.write(jsonLine(record))
      }
    },
  )
  audit
    .command('seals')
    .description('The daily seals and the key that they are verified with')
    .action(async () => context.print(await context.client(listAuditSeals, {})))
  sinkCommands(audit, context)
  searchCommands(audit, context)
  audit
    .command('check')
    .description('Compute the chain of records anew; ends with status 1 when one was altered or taken out')
    .action(async () => {
      const checked = await context.client(checkAuditTrail, {})
      context.print(checked)
      if (!checked.intact) throw new Error(brokenWhere(checked))
    })
}

function brokenWhere({ brokenAt, brokenSeal, missingFrom }: AuditCheck): string {
  if (brokenAt !== undefined) {
    return `Record ${brokenAt} of the audit trail is not what was written, or one before it is gone`
  }
  if (missingFrom !== undefined) return `The audit trail has lost its end: record ${missingFrom} is gone`
  return `Record ${brokenSeal} of the audit trail is not what its seal says`
}

interface SinkOptions {
  webhook?: string
  syslog?: string
  fromBeginning?: boolean
}

/** qd audit sink. */
function sinkCommands(audit: Command, context: CliContext): void {
  const sink = audit.command('sink').description('Where the audit trail is sent as it grows')
  sink
    .command('list')
    .description('Targets, and how far the trail has arrived there')
    .action(async () =>
      context.print(await context.client(listAuditSinks, {}), {
        name: ({ name }) => name,
        url: ({ url }) => url,
        sent: ({ sent }) => sent,
        waiting: ({ waiting }) => waiting,
        message: ({ message }) => message,
      }),
    )
  sink
    .command('set <name>')
    .description('Send the trail there; the secret that a webhook is signed with is read from QUARTERDECK_SINK_SECRET')
    .option('--webhook <url>', 'https://host/path')
    .option('--syslog <url>', 'tls://host:6514, tcp://host:port or udp://host:514')
    .option('--from-beginning', 'with the first record; else with what happens from now on')
    .action(async (name: string, { webhook, syslog, fromBeginning }: SinkOptions) => {
      if ((webhook === undefined) === (syslog === undefined)) throw new UsageError('Give --webhook or --syslog')
      const secret = process.env.QUARTERDECK_SINK_SECRET
      const body = {
        kind: webhook === undefined ? ('syslog' as const) : ('webhook' as const),
        url: webhook ?? syslog ?? '',
        from: fromBeginning ? ('beginning' as const) : ('now' as const),
        ...(secret ? { secret } : {}),
      }
      context.print(await context.client(saveAuditSink, { params: { sink: name }, body }))
    })
  sink
    .command('delete <name>')
    .description('Send the trail there no longer')
    .action(async (name: string) => {
      if (!(await context.confirm(`Send the audit trail to ${name} no longer?`))) return
      await context.client(deleteAuditSink, { params: { sink: name } })
      context.progress(`The audit trail is not sent to ${name} any more`)
    })
}
