import { isProblem, Problem, ProblemBody, problemType } from '@quarterdeck/kernel'

/** Nothing answers at the server's address. Made by the client, so its status says only "try again". */
export const serverUnreachable = problemType('server-unreachable', 503, 'Quarterdeck does not answer')

/** The problem that an answer with an error status carries; one without a problem body is told as what it is. */
export async function problemOf(response: Response): Promise<Problem> {
  const text = await response.text().catch(() => '')
  try {
    const parsed = ProblemBody.safeParse(JSON.parse(text))
    if (parsed.success) return new Problem(parsed.data)
  } catch {
    // Not JSON: a proxy's page, told below.
  }
  return new Problem({
    type: 'about:blank',
    title: response.statusText || 'The request failed',
    status: response.status < 400 ? 502 : response.status,
    detail: `Status ${response.status} without an explanation; perhaps a proxy in between has answered`,
  })
}

/** Turns a failure of `fetch` itself into serverUnreachable; an abort by the caller stays what it is. */
export function unreachable(error: unknown, baseUrl: string, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted || isProblem(error)) return error
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const code = (cause as { code?: unknown }).code
  const why = typeof code === 'string' ? ` (${code})` : ''
  const at = baseUrl === '' ? 'The server' : baseUrl
  return serverUnreachable({ detail: `${at} does not answer${why}. Is it running? npm start starts it.` })
}
