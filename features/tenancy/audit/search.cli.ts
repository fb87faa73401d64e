import { type CliContext, UsageError } from '@quarterdeck/client'
import type { Command } from 'commander'
import { AuditSearchFilter, deleteAuditSearch, listAuditSearches, saveAuditSearch } from './search.contract.ts'
import { filterAt, searchNamed } from './search.rules.ts'

/** Which records, as the command line says it. */
export interface FilterOptions extends Record<string, string | undefined> {
  /** Name of a saved search that the rest narrows. */
  search?: string
}

const filters = (command: Command): Command =>
  command
    .option('--actor <user>', 'exactly this user')
    .option('--act <id>', 'exactly this act: application.deploy')
    .option('--what <text>', 'part of what it was done to')
    .option('--about <name>', 'a whole name within what it was done to: "tenant retail"')
    .option('--text <text>', 'part of what it was done to or of the detail')
    .option('--operation <id>', 'records of one operation')
    .option('--environment <name>', 'done in this environment')
    .option('--peer <address>', 'from this network address')
    .option('--outcome <outcome>', 'intent, succeeded or failed')
    .option('--since <time>', 'RFC 3339, UTC, inclusive')
    .option('--until <time>', 'RFC 3339, UTC, exclusive')

/** The options that say which records. */
export const filtered = (command: Command): Command =>
  filters(command).option('--search <name>', 'as this saved search says; OWNER/NAME for one of another user')

/** What is asked for: a saved search, if one is named, and what the command line says besides. */
export async function queryOf(context: CliContext, { search, ...given }: FilterOptions) {
  if (search === undefined) return given
  const found = searchNamed((await context.client(listAuditSearches)).items, search)
  if (!found) throw new UsageError(`There is no saved search named ${search}; qd audit searches list shows all`)
  return { ...filterAt(found.filter, Date.now()), ...given }
}

interface SaveOptions extends FilterOptions {
  hours?: string
  shared?: string
}

/** qd audit searches. */
export function searchCommands(audit: Command, context: CliContext): void {
  const searches = audit.command('searches').description('Saved searches: your own, and those that others share')
  searches
    .command('list')
    .description('All of them, and what they ask for')
    .action(async () =>
      context.print(await context.client(listAuditSearches), {
        name: ({ name }) => name,
        owner: ({ owner }) => owner,
        shared: ({ shared }) => (shared ? 'yes' : 'no'),
        filter: ({ filter }) =>
          Object.entries(filter)
            .map(([field, value]) => `${field}=${value}`)
            .join(' '),
      }),
    )
  filters(searches.command('save <name>'))
    .description('Keep a search under a name, in the place of your one of that name')
    .option('--hours <count>', 'what is no older than this, whenever it is opened')
    .option('--shared', 'others who may read the trail find it, too')
    .action(async (name: string, { hours, shared, ...given }: SaveOptions) => {
      const filter = AuditSearchFilter.safeParse({ ...given, ...(hours === undefined ? {} : { hours: Number(hours) }) })
      if (!filter.success) {
        const [issue] = filter.error.issues
        throw new UsageError(`--${issue?.path.join('.')}: ${issue?.message}`)
      }
      const body = { filter: filter.data, shared: shared !== undefined }
      context.print(await context.client(saveAuditSearch, { params: { search: name }, body }))
    })
  searches
    .command('delete <name>')
    .description('Delete one of your own')
    .action(async (name: string) => {
      if (!(await context.confirm(`Delete the saved search ${name}?`))) return
      await context.client(deleteAuditSearch, { params: { search: name } })
      context.progress(`The saved search ${name} is deleted`)
    })
}
