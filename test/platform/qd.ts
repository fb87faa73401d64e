import { spawn } from 'node:child_process'
import { join } from 'node:path'

const QD = join(import.meta.dirname, '../../apps/cli/bin/qd.mjs')

/** qd as a user starts it, in a process of its own with its settings in `home`, signed in at `server` with `token`. */
export function startQd(args: string[], { home, server, token }: { home: string; server: string; token: string }) {
  const child = spawn(process.execPath, [QD, ...args], {
    env: {
      PATH: process.env.PATH ?? '',
      HOME: home,
      XDG_CONFIG_HOME: home,
      QUARTERDECK_SERVER: server,
      QUARTERDECK_TOKEN: token,
    },
  })
  const said = { out: '', err: '' }
  child.stdout.on('data', (bytes) => {
    said.out += bytes
  })
  child.stderr.on('data', (bytes) => {
    said.err += bytes
  })
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  return { child, said, ended }
}
