import type { CliContext } from '@quarterdeck/client'
import type { Command } from 'commander'
import { placeNamed } from './object.cli.ts'
import { getObjectTree, type TreeLine } from './related.contract.ts'

interface Options {
  cluster?: string
  namespace?: string
  limit: string
}

/** qd tree: what hangs together with an object. */
export function relatedCommands(program: Command, context: CliContext): void {
  program
    .command('tree <kind> <name>')
    .description('What an object belongs to, has made, uses and is used by, to the last level')
    .option('--cluster <name>', 'of this cluster; where only one has it that need not be said')
    .option('-n, --namespace <name>', 'of this namespace')
    .option('--limit <count>', 'how many of one kind under one object', '30')
    .action(async (kind: string, name: string, { limit, ...where }: Options) => {
      const { cluster, namespace } = await placeNamed(context, kind, name, where)
      const params = { cluster, resource: kind, name }
      const tree = await context.client(
        getObjectTree,
        { params, query: { namespace, limit } },
        { signal: context.signal },
      )
      if (context.output !== 'table') return context.print(tree)
      const parts = [drawn(tree.belongs), titled('Uses', tree.uses), titled('Is used by', tree.usedBy)]
      await context.write(`${parts.filter(Boolean).join('\n')}`)
      if (tree.message !== '') context.progress(tree.message)
    })
}

const titled = (title: string, lines: TreeLine[]) => (lines.length > 0 ? `${title}:\n${drawn(lines)}` : '')

/** The lines with the branches they hang on. */
function drawn(lines: readonly TreeLine[]): string {
  const open: boolean[] = []
  return lines
    .map((line, index) => {
      const { depth } = line
      open[depth] = hasSibling(lines, index)
      const branches = open.slice(1, depth).map((more) => (more ? '│  ' : '   '))
      const branch = depth === 0 ? '' : open[depth] ? '├─ ' : '└─ '
      return `${branches.join('')}${branch}${lineText(line)}\n`
    })
    .join('')
}

/** Another line of the same depth follows before the tree goes further up. */
function hasSibling(lines: readonly TreeLine[], index: number): boolean {
  const { depth } = lines[index] as TreeLine
  const next = lines.slice(index + 1).find((line) => line.depth <= depth)
  return next?.depth === depth
}

function lineText({ kind, name, itself, found, optional, state, ready, revision, more, resource }: TreeLine): string {
  if (more) return `… and ${more.count.toLocaleString('en')} more: qd get ${resource} --filter '${more.filter}'`
  const parts = [
    `${kind}/${name}`,
    ...(revision === undefined ? [] : [`revision ${revision}`]),
    ...(state === '' ? [] : [state]),
    ...(ready === '' ? [] : [ready]),
    ...(found ? [] : [optional ? '(not there)' : '(missing)']),
    ...(itself ? ['←'] : []),
  ]
  return parts.join('  ')
}
