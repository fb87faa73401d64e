import { codeRequired, isProblem, Problem, ProblemBody } from '@quarterdeck/kernel'

/** Lets a person give a one-time password; true when the server has taken it. */
export type GiveCode = (problem: Problem, method: string) => Promise<boolean>

/** Has a one-time password given where the server asks for one, and then sends the request again: it was not begun. */
export const fetchWithCode =
  (fetch: typeof globalThis.fetch, give: GiveCode): typeof globalThis.fetch =>
  async (input, init) => {
    const answer = await fetch(input, init)
    if (answer.status !== 403 || !answer.headers.get('content-type')?.startsWith('application/problem+json'))
      return answer
    const text = await answer.clone().text()
    const body = ProblemBody.safeParse(text === '' ? undefined : JSON.parse(text))
    const problem = body.success ? new Problem(body.data) : undefined
    if (!isProblem(problem, codeRequired)) return answer
    return (await give(problem, init?.method ?? 'GET')) ? fetch(input, init) : answer
  }
