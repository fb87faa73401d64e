import type { CliContext } from '@quarterdeck/client'
import type { Command } from 'commander'
import { clusterCommands } from '../../../features/cluster/cluster/cluster.cli.ts'
import { logCommands } from '../../../features/container/log/log.cli.ts'
import { terminalCommands } from '../../../features/container/terminal/terminal.cli.ts'
import { imageCommands } from '../../../features/image/image/image.cli.ts'
import { sessionCommands } from '../../../features/tenancy/session/session.cli.ts'
import { tokenCommands } from '../../../features/tenancy/session/token.cli.ts'

/** One line a feature. */
export const commands: ((program: Command, context: CliContext) => void)[] = [
  sessionCommands,
  tokenCommands,
  clusterCommands,
  logCommands,
  terminalCommands,
  imageCommands,
]
