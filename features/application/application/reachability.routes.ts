import { connect } from 'node:net'

/** Whether addresses take connections, tried from here; answers are kept for some seconds. */
export interface Reachability {
  /** Waits at most 0.3 s; what does not answer by then does not answer. */
  answers(url: string): Promise<boolean>
}

const TRY_MS = 300
const KEPT_MS = { true: 15_000, false: 2_000 }
const REMEMBERED = 2_000

/** `now` in milliseconds; the system's clock when absent. */
export function reachability(now: () => number = Date.now): Reachability {
  const known = new Map<string, { until: number; answer: Promise<boolean> }>()
  return {
    answers(url) {
      const kept = known.get(url)
      if (kept && kept.until > now()) return kept.answer
      const answer = takesConnections(new URL(url))
      const entry = { until: now() + KEPT_MS.false, answer }
      known.delete(url)
      known.set(url, entry)
      answer.then((yes) => {
        entry.until = now() + KEPT_MS[`${yes}`]
      })
      for (const oldest of known.size > REMEMBERED ? known.keys() : []) {
        known.delete(oldest)
        break
      }
      return answer
    },
  }
}

function takesConnections({ hostname, port, protocol }: URL): Promise<boolean> {
  return new Promise((resolve) => {
    const number = Number(port || (protocol === 'https:' ? 443 : 80))
    const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: number })
    const end = (answer: boolean) => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(TRY_MS, () => end(false))
    socket.once('connect', () => end(true))
    socket.once('error', () => end(false))
  })
}
