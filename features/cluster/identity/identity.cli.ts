import { ageText, type CliContext } from '@quarterdeck/client'
import type { Command } from 'commander'
import { type ClusterAccess, getClusterAccess } from './identity.contract.ts'

const columns = {
  state: (one: ClusterAccess) => one.state,
  seen: (one: ClusterAccess) => ageText(one.observeTime),
  message: (one: ClusterAccess) => one.messages.join('\n'),
}

/** qd cluster access. */
export function identityCommands(program: Command, context: CliContext): void {
  const cluster = program.commands.find((command) => command.name() === 'cluster') ?? program.command('cluster')
  cluster
    .command('access <name>')
    .description('Whether people get through to a cluster as themselves: kubectl, logs, shells; and what is missing')
    .action(async (name: string) => {
      context.print([await context.client(getClusterAccess, { params: { cluster: name } })], columns)
    })
}
