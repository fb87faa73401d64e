import { isProblem } from '@quarterdeck/kernel'
import type { Connection } from './connection.ts'

/** One of the API server's own checks: `etcd`, `ping`, `poststarthook/rbac/bootstrap-roles`. */
export interface Check {
  name: string
  healthy: boolean
  /** Empty when healthy. */
  message: string
}

/** The API server as it sees itself. */
export interface ClusterHealth {
  /** It answered /readyz with yes. */
  ready: boolean
  /** It answered /livez with yes. */
  live: boolean
  checks: Check[]
  /** Time to the answer of /readyz. Absent when there was none. */
  latencyMs?: number
  /** Why there is no answer; empty when there is one. */
  message: string
}

/** Asks /readyz and /livez for every check by name. Never throws. */
export async function healthOf(connection: Connection, signal: AbortSignal | undefined): Promise<ClusterHealth> {
  const ask = (path: string) =>
    connection.call({
      path,
      query: { verbose: '' },
      accept: '*/*',
      verb: 'get',
      what: path,
      timeoutSeconds: 5,
      anyStatus: true,
      signal,
    })
  const began = performance.now()
  try {
    const readyz = await ask('/readyz')
    const latencyMs = Math.round(performance.now() - began)
    const livez = await ask('/livez')
    const checks = new Map<string, Check>()
    for (const answer of [livez, readyz]) {
      for (const check of checksOf(String(answer.body))) checks.set(check.name, check)
    }
    const denied = readyz.status === 401 || readyz.status === 403
    return {
      ready: denied || readyz.status === 200,
      live: denied || livez.status === 200,
      checks: [...checks.values()],
      latencyMs,
      message: denied ? 'The API server answers, but does not let us read its checks (/readyz).' : '',
    }
  } catch (error) {
    const message = isProblem(error) ? (error.body.detail ?? error.body.title) : String(error)
    return { ready: false, live: false, checks: [], message }
  }
}

/** Lines such as `[+]ping ok` and `[-]etcd failed: reason withheld`. */
export function checksOf(text: string): Check[] {
  const checks: Check[] = []
  for (const line of text.split('\n')) {
    const match = /^\[([+-])\](\S+) (.*)$/.exec(line)
    if (match)
      checks.push({
        name: match[2] ?? '',
        healthy: match[1] === '+',
        message: match[1] === '+' ? '' : (match[3] ?? ''),
      })
  }
  return checks
}
