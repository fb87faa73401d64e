import { ageText, type CliContext, type Columns, UsageError } from '@quarterdeck/client'
import { notFound } from '@quarterdeck/kernel'
import type { Command } from 'commander'
import type { Change } from '../../delivery/operation/operation.contract.ts'
import {
  deleteObjects,
  getObject,
  listKinds,
  listObjects,
  type ObjectKind,
  type ObjectRow,
  searchObjects,
  unknownKind,
} from './object.contract.ts'
import { headingOf, tableColumns, valueText } from './row-text.rules.ts'
import { watchRows } from './watch-rows.cli.ts'

interface Options {
  cluster?: string
  namespace?: string
  filter?: string
  sort?: string
  limit: string
  wide?: boolean
  watch?: boolean
}

const PAGE = 1_000

/** What all commands that change a cluster have in common; belongs to operations and is passed by apps/cli. */
export interface ChangeCommands<Asked> {
  withOptions(command: Command): Command
  query(options: Asked): { dryRun: boolean; force: boolean; reason?: string; planHash?: string }
  finish(context: CliContext, change: Change, options: Asked): Promise<void>
}

/** qd get, qd search and qd kinds: what the clusters hold, by the mirror; qd delete. */
export function objectCommands<Asked extends { dryRun?: boolean }>(
  program: Command,
  context: CliContext,
  changes: ChangeCommands<Asked>,
): void {
  program
    .command('get <kind> [name]')
    .description('Objects of one kind over all clusters; with a name that one as YAML')
    .option('--cluster <name>', 'only of this cluster')
    .option('-n, --namespace <name>', 'only of this namespace')
    .option('--filter <text>', 'status:Running restarts>3 age<10m label:tier=front -name:test (a or b) "free text"')
    .option('--sort <columns>', 'columns with commas, - before what descends: -restarts,name')
    .option('--limit <count>', 'how many at most', '500')
    .option('--wide', 'all columns')
    .option('-w, --watch', 'go on with what changes')
    .action(async (kind: string, name: string | undefined, options: Options) => {
      if (name !== undefined) return printOne(context, kind, name, options)
      const spec = await kindOf(context, kind)
      const limit = limitOf(options.limit)
      const asked = {
        cluster: options.cluster,
        namespace: options.namespace,
        filter: options.filter,
        sort: options.sort,
      }
      const columns = columnsOf(spec, options)
      if (options.watch)
        return watchRows(context, { resource: spec.resource, ...asked, limit: Math.min(limit, PAGE) }, columns)
      await printList(context, spec, asked, limit, columns)
    })
  changes
    .withOptions(program.command('delete <kind> <names...>'))
    .description('Delete objects of one kind; --dry-run shows the plan, qd operation undo puts them back where it can')
    .option('--cluster <name>', 'of this cluster; where only one has them it need not be said')
    .option('-n, --namespace <name>', 'of this namespace')
    .action(async (kind: string, names: string[], options: Asked & Pick<Options, 'cluster' | 'namespace'>) => {
      const [first = ''] = names
      const { cluster, namespace } = await placeNamed(context, kind, first, options)
      const where = namespace === '' ? cluster : `${namespace} on ${cluster}`
      if (!options.dryRun && !(await context.confirm(`Delete ${kind} ${names.join(', ')} in ${where}?`))) return
      const change = await context.client(deleteObjects, {
        params: { cluster },
        query: changes.query(options),
        body: { namespace, objects: names.map((name) => ({ resource: kind, name })) },
      })
      await changes.finish(context, change, options)
    })
  program
    .command('search <text>')
    .description('Free text over every kind of every cluster')
    .option('--cluster <name>', 'only of this cluster')
    .option('--limit <count>', 'how many of a kind', '10')
    .action(async (text: string, { cluster, limit }: { cluster?: string; limit: string }) => {
      const query = { text, limit: String(limitOf(limit)), ...(cluster === undefined ? {} : { cluster }) }
      const found = await context.client(searchObjects, { query }, { signal: context.signal })
      if (context.output !== 'table') return context.print(found)
      context.print(
        found.kinds.flatMap(({ resource, columns, rows }) =>
          rows.map((row) => ({ resource, ...placeOf(row, columns) })),
        ),
        {
          kind: (one) => one.resource,
          cluster: (one) => one.cluster,
          namespace: (one) => one.namespace,
          name: (one) => one.name,
        },
      )
      const shown = found.kinds.reduce((sum, { rows }) => sum + rows.length, 0)
      if (found.total > shown) context.progress(`${shown} of ${found.total}; --limit shows more of each kind`)
      remark(context, found.freshness)
    })
  program
    .command('kinds')
    .description('Every kind that some cluster serves, and how many objects there are')
    .option('--names', 'only the names, one a line: for completion')
    .action(async ({ names }: { names?: boolean }) => {
      const kinds = await context.client(listKinds, {}, { signal: context.signal })
      if (names) return context.write(kinds.items.map(({ resource }) => `${resource}\n`).join(''))
      context.print(kinds, kindColumns)
    })
}

const kindColumns: Columns<ObjectKind> = {
  name: ({ resource }) => resource,
  short: ({ shortNames }) => shortNames.join(','),
  kind: ({ kind }) => kind,
  version: ({ version }) => version,
  namespaced: ({ namespaced }) => (namespaced ? 'yes' : 'no'),
  objects: ({ clusters }) => clusters.reduce((sum, { objects }) => sum + objects, 0),
  clusters: ({ clusters }) =>
    clusters.map(({ cluster, state }) => (state === 'live' ? cluster : `${cluster} (${state})`)).join(','),
}

function limitOf(text: string): number {
  const limit = Number(text)
  if (/^\d{1,6}$/.test(text) && limit > 0) return limit
  throw new UsageError('--limit: a number, 1 to 999999')
}

/** The kind by any of its names. Throws unknownKind as the server words it. */
async function kindOf(context: CliContext, name: string): Promise<ObjectKind> {
  const { items } = await context.client(listKinds, {}, { signal: context.signal })
  const wanted = name.toLowerCase()
  const found =
    items.find(({ resource }) => resource === wanted) ??
    items.find(({ plural, kind, shortNames }) => [plural, kind.toLowerCase(), ...shortNames].includes(wanted))
  if (found) return found
  await context.client(listObjects, { params: { resource: name }, query: { limit: '1' } })
  throw unknownKind({ detail: `No cluster serves a kind ${name}; qd kinds lists those there are` })
}

function columnsOf(spec: ObjectKind, { cluster, namespace, wide = false }: Options): Columns<ObjectRow> {
  const shown = tableColumns(spec.columns, { wide, namespaced: spec.namespaced, namespace })
  const cells = shown.map((column): [string, (row: ObjectRow) => string] => {
    const index = spec.columns.indexOf(column)
    return [headingOf(column), (row) => valueText(row.values[index], column, ageText)]
  })
  return {
    ...(cluster === undefined ? { cluster: (row: ObjectRow) => row.cluster } : {}),
    ...Object.fromEntries(cells),
  }
}

type Asked = Pick<Options, 'cluster' | 'namespace' | 'filter' | 'sort'>

/** Page after page until there are `limit` rows. */
async function printList(
  context: CliContext,
  { resource }: ObjectKind,
  asked: Asked,
  limit: number,
  columns: Columns<ObjectRow>,
): Promise<void> {
  const page = (offset: number) => {
    const window = { offset: String(offset), limit: String(Math.min(PAGE, limit - offset)) }
    return context.client(
      listObjects,
      { params: { resource }, query: { ...asked, ...window } },
      { signal: context.signal },
    )
  }
  const first = await page(0)
  const rows = first.rows
  while (rows.length < Math.min(limit, first.total)) {
    const more = await page(rows.length)
    if (more.rows.length === 0) break
    rows.push(...more.rows)
  }
  if (context.output !== 'table') return context.print({ ...first, rows })
  context.print(rows, columns)
  if (first.total > rows.length) context.progress(`${rows.length} of ${first.total}; --limit shows more`)
  remark(context, first.freshness)
}

/** What is not as fresh as it should be, to stderr. */
function remark(
  context: CliContext,
  freshness: { cluster: string; state: string; message: string; ageSeconds: number }[],
): void {
  for (const { cluster, state, message, ageSeconds } of freshness) {
    if (state === 'live' || state === 'unknown') continue
    context.progress(`${cluster}: ${state} for ${Math.round(ageSeconds)} s: ${message}`)
  }
}

/** Where an object is. */
export interface Place {
  cluster: string
  namespace: string
  name: string
}

function placeOf({ cluster, values }: ObjectRow, columns: readonly string[]): Place {
  const text = (name: string) => String(values[columns.indexOf(name)] ?? '')
  return { cluster, namespace: text('namespace'), name: text('name') }
}

/** One object as YAML, wherever it is. Throws notFound, and UsageError when it is in several places. */
async function printOne(context: CliContext, kind: string, name: string, options: Options): Promise<void> {
  const { cluster, namespace } = await placeNamed(context, kind, name, options)
  const detail = await context.client(
    getObject,
    { params: { cluster, resource: kind, name }, query: { namespace } },
    { signal: context.signal },
  )
  if (context.output === 'json') context.print(detail.object)
  else await context.write(detail.yaml)
}

/** Where the only object of this name is. Throws notFound, and UsageError when it is in several places. */
export async function placeNamed(
  context: CliContext,
  kind: string,
  name: string,
  { cluster, namespace }: Pick<Options, 'cluster' | 'namespace'>,
): Promise<Place> {
  const filter = `name=${JSON.stringify(name)}`
  const page = await context.client(
    listObjects,
    { params: { resource: kind }, query: { cluster, namespace, filter, columns: 'namespace,name', limit: '20' } },
    { signal: context.signal },
  )
  const places = page.rows.map((row) => placeOf(row, page.columns)).filter((place) => place.name === name)
  const [place] = places
  if (place && places.length === 1) return place
  if (place) {
    const all = places.map((one) => [one.cluster, one.namespace].filter((part) => part !== '').join(' ')).join('; ')
    throw new UsageError(`${name} is in several places: ${all}. Say which with --cluster and -n`)
  }
  // The mirror may be behind: whoever says exactly where it is may ask the API server.
  if (cluster !== undefined) return { cluster, namespace: namespace ?? '', name }
  const where = namespace === undefined ? 'no cluster' : `namespace ${namespace} of no cluster`
  throw notFound({ detail: `There is a ${kind} ${name} in ${where}; give --cluster to ask its API server` })
}
