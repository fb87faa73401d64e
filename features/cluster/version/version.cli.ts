import { ageText, type CliContext } from '@quarterdeck/client'
import type { Command } from 'commander'
import { getStateAt, getVersion, listChanges, listVersions, type VersionDetail } from './version.contract.ts'

interface Place {
  cluster: string
  namespace?: string
}

const placed = (command: Command): Command =>
  command
    .requiredOption('--cluster <name>', 'cluster')
    .option('-n, --namespace <name>', 'namespace, where the kind has one')

export function versionCommands(program: Command, context: CliContext): void {
  placed(program.command('versions <resource> <name>'))
    .description('Recorded versions of an object: who changed it and when')
    .option('--limit <count>', 'how many', '20')
    .action(async (resource: string, name: string, { cluster, namespace, limit }: Place & { limit: string }) => {
      const page = await context.client(listVersions, {
        params: { cluster, resource, name },
        query: { namespace, limit },
      })
      context.print(page, {
        version: ({ number }) => String(number),
        change: ({ change }) => change,
        by: ({ manager }) => manager,
        when: ({ time }) => ageText(time),
        generation: ({ generation }) => String(generation),
      })
      if (page.items.length === 0) context.progress('Nothing is recorded of this object; not every kind is recorded.')
    })

  placed(program.command('version <resource> <name> [number]'))
    .description('One version of an object: its YAML and what it changed')
    .option('--at <time>', 'the state at this time (RFC 3339, UTC) instead of a number')
    .option('--against <number>', 'compare with this version instead of the one before')
    .action(
      async (
        resource: string,
        name: string,
        number: string | undefined,
        { cluster, namespace, at, against }: Place & { at?: string; against?: string },
      ) => {
        const params = { cluster, resource, name }
        const detail =
          at === undefined
            ? await context.client(getVersion, {
                params: { ...params, number: number ?? (await newest(params, namespace)) },
                query: { namespace, against },
              })
            : await context.client(getStateAt, { params, query: { namespace, time: at } })
        if (context.output === 'table') print(detail)
        else context.print(detail)
      },
    )

  program
    .command('changes')
    .description('What was changed lately in the clusters, and by whom')
    .option('--cluster <name>')
    .option('-n, --namespace <name>')
    .option('--resource <resource>', 'as in RBAC: deployments.apps')
    .option('--manager <name>', 'exactly this field manager')
    .option('--since <time>', 'RFC 3339, UTC')
    .option('--limit <count>', 'how many', '50')
    .action(async (query: Record<string, string>) => {
      context.print(await context.client(listChanges, { query }), {
        when: ({ time }) => ageText(time),
        change: ({ change }) => change,
        cluster: ({ cluster }) => cluster,
        object: ({ kind, namespace, name }) => `${kind} ${namespace === '' ? name : `${namespace}/${name}`}`,
        by: ({ manager }) => manager,
        version: ({ number }) => String(number),
      })
    })

  async function newest(params: { cluster: string; resource: string; name: string }, namespace: string | undefined) {
    const { items } = await context.client(listVersions, { params, query: { namespace, limit: 1 } })
    return items[0]?.number ?? 1
  }

  function print(detail: VersionDetail): void {
    const { number, change, manager, time, comparedWith, changes, yaml } = detail
    context.progress(`Version ${number}: ${change}${manager === '' ? '' : ` by ${manager}`}, ${time}`)
    if (comparedWith !== undefined) context.progress(`Compared with version ${comparedWith}:`)
    for (const { path, before, after } of comparedWith === undefined ? [] : changes) {
      context.progress(`  ${path}: ${JSON.stringify(before) ?? '(absent)'} → ${JSON.stringify(after) ?? '(absent)'}`)
    }
    context.write(yaml)
  }
}
