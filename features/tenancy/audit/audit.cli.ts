import type { CliContext } from '@quarterdeck/client'
import type { Command } from 'commander'
import { checkAuditTrail, listAudit } from './audit.contract.ts'

/** qd audit list and check. */
export function auditCommands(program: Command, context: CliContext): void {
  const audit = program.command('audit').description('Who did what, and how it ended')
  audit
    .command('list')
    .description('The audit trail, newest first')
    .option('--actor <user>', 'exactly this user')
    .option('--act <id>', 'exactly this act: application.deploy')
    .option('--what <text>', 'part of what it was done to')
    .option('--operation <id>', 'records of one operation')
    .option('--outcome <outcome>', 'intent, succeeded or failed')
    .option('--since <time>', 'RFC 3339, UTC, inclusive')
    .option('--until <time>', 'RFC 3339, UTC, exclusive')
    .option('--limit <count>', 'how many', '50')
    .option('--continue <number>', 'only records before this one')
    .action(async (query: Record<string, string>) => {
      context.print(await context.client(listAudit, { query }), {
        number: ({ number }) => number,
        time: ({ time }) => time,
        who: ({ actor }) => actor,
        act: ({ act }) => act,
        what: ({ what }) => what,
        result: ({ outcome }) => outcome,
        detail: ({ detail }) => detail,
      })
    })
  audit
    .command('check')
    .description('Compute the chain of records anew; ends with status 1 when one was altered or taken out')
    .action(async () => {
      const checked = await context.client(checkAuditTrail, {})
      context.print(checked)
      if (!checked.intact) {
        throw new Error(
          `Record ${checked.brokenAt} of the audit trail is not what was written, or one before it is gone`,
        )
      }
    })
}
