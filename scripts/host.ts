import { existsSync } from 'node:fs'
import {
  hostCapabilities,
  installHostPackages,
  type MissingPackage,
  obtain,
  type ProgressEvent,
  TOOL_NAMES,
} from '@quarterdeck/local-cluster'

const CHROMIUM: MissingPackage = { name: 'chromium', reason: 'the end-to-end stories drive the console with it' }

/**
 * Sees to what the whole test run needs from this machine: Debian packages (said with the reason before they are
 * installed; as another user than root only named) and the cluster's programs, which are built on a fresh machine.
 */
export async function prepareForTests(): Promise<void> {
  const host = await hostCapabilities()
  const missing = [...host.debianPackages, ...(existsSync('/usr/bin/chromium') ? [] : [CHROMIUM])]
  if (missing.length > 0) {
    console.log('Debian packages that are missing:')
    for (const { name, reason } of missing) console.log(`  ${name}: ${reason}`)
    if (host.canInstallPackages) await installHostPackages(missing, say)
    else console.log(`Install them as root: apt-get install ${missing.map(({ name }) => name).join(' ')}`)
  }
  for (const sentence of host.sentences) console.log(sentence)
  if (host.mode !== 'none') await obtain(TOOL_NAMES, { onProgress: say })
}

let last = ''
/** One line for each new state, and one for each ten per cent. */
function say({ component, state, detail, percent }: ProgressEvent): void {
  const key = `${component} ${state} ${Math.floor((percent ?? 0) / 10)}`
  if (key === last || (state === 'done' && detail.includes('in the cache'))) return
  last = key
  console.log(
    `  ${component}: ${state}${percent === undefined ? '' : ` ${Math.round(percent)} %`} – ${detail.slice(0, 160)}`,
  )
}
