import { ageText, type CliContext } from '@quarterdeck/client'
import type { Command } from 'commander'
import {
  getStateAt,
  getVersion,
  listChanges,
  listVersions,
  type ObjectVersion,
  type VersionDetail,
} from './version.contract.ts'

interface Asked {
  cluster: string
  namespace?: string
  at?: string
  against?: string
  limit: string
}

const placed = (command: Command): Command =>
  command
    .requiredOption('--cluster <name>', 'cluster')
    .option('-n, --namespace <name>', 'namespace, where the kind has one')

export function versionCommands(program: Command, context: CliContext): void {
  placed(program.command('versions <resource> <name> [number]'))
    .description('Recorded versions of an object, who changed it and when; with a number, that version and its change')
    .option('--at <time>', 'the state at this time (RFC 3339, UTC) instead of a number')
    .option('--against <number>', 'compare with this version instead of the one before')
    .option('--limit <count>', 'how many', '20')
    .action(async (resource: string, name: string, number: string | undefined, asked: Asked) => {
      const params = { cluster: asked.cluster, resource, name }
      const { namespace, at, against, limit } = asked
      if (at !== undefined) show(await context.client(getStateAt, { params, query: { namespace, time: at } }))
      else if (number !== undefined) {
        show(await context.client(getVersion, { params: { ...params, number }, query: { namespace, against } }))
      } else list(await context.client(listVersions, { params, query: { namespace, limit } }))
    })

  program
    .command('changes')
    .description('What was changed lately in the clusters, and by whom')
    .option('--cluster <name>')
    .option('-n, --namespace <name>')
    .option('--resource <resource>', 'as in RBAC: deployments.apps')
    .option('--manager <name>', 'exactly this field manager')
    .option('--no-controllers', "without what the cluster's own controllers changed")
    .option('--since <time>', 'RFC 3339, UTC')
    .option('--limit <count>', 'how many', '50')
    .action(async (query: Record<string, string | boolean>) => {
      context.print(await context.client(listChanges, { query }), {
        when: ({ time }) => ageText(time),
        change: ({ change }) => change,
        cluster: ({ cluster }) => cluster,
        object: ({ kind, namespace, name }) => `${kind} ${namespace === '' ? name : `${namespace}/${name}`}`,
        by: ({ manager }) => manager,
        version: ({ number }) => String(number),
      })
    })

  function list(page: { items: ObjectVersion[] }): void {
    context.print(page, {
      version: ({ number }) => number,
      change: ({ change }) => change,
      by: ({ manager }) => manager,
      user: ({ user }) => user,
      operation: ({ operation }) => operation,
      when: ({ time }) => ageText(time),
      generation: ({ generation }) => generation,
    })
  }

  function show(detail: VersionDetail): void {
    if (context.output === 'table') showText(context, detail)
    else context.print(detail)
  }
}

function showText(context: CliContext, { number, change, manager, time, comparedWith, changes, yaml }: VersionDetail) {
  context.progress(`Version ${number}: ${change}${manager === '' ? '' : ` by ${manager}`}, ${time}`)
  if (comparedWith !== undefined) context.progress(`Compared with version ${comparedWith}:`)
  for (const { path, before, after } of comparedWith === undefined ? [] : changes) {
    context.progress(`  ${path}: ${JSON.stringify(before) ?? '(absent)'} → ${JSON.stringify(after) ?? '(absent)'}`)
  }
  void context.write(yaml)
}
