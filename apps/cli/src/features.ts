import type { CliContext } from '@quarterdeck/client'
import type { Command } from 'commander'
import { sessionCommands } from '../../../features/tenancy/session/session.cli.ts'
import { tokenCommands } from '../../../features/tenancy/session/token.cli.ts'

/** One line a feature. */
export const commands: ((program: Command, context: CliContext) => void)[] = [sessionCommands, tokenCommands]
