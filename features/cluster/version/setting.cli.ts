import type { CliContext } from '@quarterdeck/client'
import { formatBytes } from '@quarterdeck/kernel'
import type { Command } from 'commander'
import { getVersionSettings, type KindVersions, setVersionSettings } from './setting.contract.ts'

interface Asked {
  keepDays?: string
  record: string[]
  leaveOut: string[]
  dryRun?: boolean
}

const several = (value: string, all: string[]) => [...all, ...value.split(',').filter((one) => one !== '')]

/** qd version-settings: what is recorded of objects and for how long. */
export function versionSettingCommands(program: Command, context: CliContext): void {
  const settings = program
    .command('version-settings')
    .description('Which kinds of objects are recorded, for how long, and how much is kept')
  settings
    .command('get')
    .description('The settings, and how much is kept of each kind')
    .action(async () => {
      const found = await context.client(getVersionSettings)
      if (context.output !== 'table') return context.print(found)
      context.progress(`Kept for ${found.keepDays} days. Not recorded: ${found.unrecorded.join(', ') || 'nothing'}`)
      printKinds(found.kinds)
    })
  settings
    .command('set')
    .description('Change what is named; says first what that forgets. Whatever is not named stays as it is')
    .option('--keep-days <count>', 'forget versions after so many days')
    .option('--record <kinds>', 'record these, as RBAC calls them, with commas', several, [])
    .option('--leave-out <kinds>', 'do not record these', several, [])
    .option('--dry-run', 'only say what would be forgotten')
    .action(async ({ keepDays, record, leaveOut, dryRun }: Asked) => {
      const now = await context.client(getVersionSettings)
      const unrecorded = [...new Set([...now.unrecorded, ...leaveOut])].filter((one) => !record.includes(one))
      const body = { unrecorded, keepDays: keepDays === undefined ? now.keepDays : Number(keepDays) }
      const plan = await context.client(setVersionSettings, { body, query: { dryRun: 'true' } })
      if (dryRun && context.output !== 'table') return context.print(plan)
      const { forgets } = plan
      if (forgets.length > 0) {
        context.progress('This will be forgotten, and cannot be brought back:')
        printKinds(forgets)
      } else context.progress('Nothing that is kept will be forgotten')
      if (dryRun) return
      const count = forgets.reduce((sum, { versions }) => sum + versions, 0)
      if (count > 0 && !(await context.confirm(`Forget ${count} versions?`))) return
      await context.client(setVersionSettings, { body, query: {} })
      context.progress(`Kept for ${body.keepDays} days. Not recorded: ${unrecorded.join(', ') || 'nothing'}`)
    })

  const printKinds = (kinds: KindVersions[]) =>
    context.print(kinds, {
      kind: ({ resource }) => resource,
      objects: ({ objects }) => objects,
      versions: ({ versions }) => versions,
      size: ({ bytes }) => formatBytes(bytes),
    })
}
