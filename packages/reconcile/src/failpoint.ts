import { setTimeout as sleep } from 'node:timers/promises'

const hits = new Map<string, number>()

/**
 * A place where a test can make this process fail. Does nothing unless the environment variable QUARTERDECK_FAILPOINT
 * names it: `name:kill` ends the process with SIGKILL, `name:throw` throws, each at the first hit or at the n-th with
 * `name:kill:n`; `name:delay:500` waits that many milliseconds at every hit.
 */
export async function failpoint(name: string): Promise<void> {
  const armed = process.env.QUARTERDECK_FAILPOINT
  if (armed === undefined) return
  const [wanted, action, argument] = armed.split(':')
  if (wanted !== name) return
  const hit = (hits.get(armed) ?? 0) + 1
  hits.set(armed, hit)
  if (action === 'delay') await sleep(Number(argument ?? 1_000))
  if (hit !== Number(argument ?? 1)) return
  if (action === 'throw') throw new Error(`Failpoint ${name}`)
  if (action === 'kill') {
    process.kill(process.pid, 'SIGKILL')
    await new Promise(() => {})
  }
}
