import { type OutputFormat, UsageError, WaitTimeout } from '@quarterdeck/client'
import { isProblem, type ProblemBody } from '@quarterdeck/kernel'
import { CommanderError } from 'commander'

/** Exit statuses of style.md §2.9. */
const STATUS = { ok: 0, problem: 1, usage: 2, notPermitted: 3, timeout: 4, interrupted: 130 } as const

const ADVICE: Record<string, string> = {
  '/problems/sign-in-required': 'Sign in with qd login.',
  '/problems/server-unreachable': 'Another server is named with --server or QUARTERDECK_SERVER.',
}

function sentences(body: ProblemBody): string {
  const advice = ADVICE[body.type]
  const errors = body.errors ?? []
  const fields = errors.length > 1 ? errors.map(({ pointer, detail }) => `  ${pointer}: ${detail}`) : []
  return [
    body.detail && body.detail !== body.title ? `${body.title}: ${body.detail}` : body.title,
    ...fields,
    ...(advice ? [advice] : []),
    ...(body.status >= 500 && body.instance
      ? [`The server's log has more under ${body.instance.split('/').pop()}.`]
      : []),
  ].join('\n')
}

/** How a failure is told and which exit status it has. `text` is for stderr; empty: commander has said it already. */
export function outcomeOf(error: unknown, format: OutputFormat): { status: number; text: string } {
  if (error instanceof CommanderError) {
    return { status: error.exitCode === 0 ? STATUS.ok : STATUS.usage, text: '' }
  }
  if (isProblem(error)) {
    const refused = error.body.status === 401 || error.body.status === 403
    const text = format === 'json' ? JSON.stringify(error.body) : `qd: ${sentences(error.body)}`
    return { status: refused ? STATUS.notPermitted : STATUS.problem, text: `${text}\n` }
  }
  const [status, title] =
    error instanceof UsageError
      ? [STATUS.usage, 'Wrong usage']
      : error instanceof WaitTimeout
        ? [STATUS.timeout, 'It takes longer than --wait allows']
        : error instanceof Error && error.name === 'AbortError'
          ? [STATUS.interrupted, 'Interrupted']
          : [STATUS.problem, 'qd failed']
  const detail = error instanceof Error ? error.message : String(error)
  if (format === 'json') {
    const body = { type: 'about:blank', title, status: status === STATUS.timeout ? 504 : 400, detail }
    return { status, text: `${JSON.stringify(body)}\n` }
  }
  return { status, text: status === STATUS.interrupted ? '' : `qd: ${detail}\n` }
}
