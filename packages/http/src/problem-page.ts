import { type AnyEndpoint, commonProblems, notFound, type ProblemType } from '@quarterdeck/kernel'
import type { FastifyInstance } from 'fastify'
import { foreignOrigin, unknownHost } from './guard.ts'
import { serverClosing, unsupportedMediaType, upgradeRequired } from './problem-handler.ts'

/** What to do about the problems that any endpoint may answer with; those of a feature say it in their `detail`. */
const CURES: Record<string, string> = {
  'invalid-input':
    'Correct the fields that `errors` names. Unknown fields are refused, so that typing errors are seen.',
  'sign-in-required': 'Sign in, or send a token that is neither revoked nor expired as Authorization: Bearer.',
  'permission-missing': 'Ask an administrator for the permission that `permission` names.',
  'not-found': 'Look at the name and at where it is searched: environment, cluster. It may have been deleted.',
  conflict: 'Read the present state and decide again.',
  'too-large': 'Send less at a time.',
  'too-many-requests': 'Wait for `retryAfterSeconds`.',
  'store-unavailable': 'Wait for `retryAfterSeconds`. An operator finds the cause in the server log and at /readyz.',
  'foreign-origin': 'Use a page of this server; scripts use a token.',
  'unknown-host': 'Use a name that the server knows, or start it with QUARTERDECK_URL set to the one you use.',
  'unsupported-media-type': 'Send JSON with content-type: application/json.',
  'server-closing': 'Connect again in a moment.',
  'upgrade-required': 'Connect with a WebSocket.',
}
const own = [foreignOrigin, unknownHost, serverClosing, unsupportedMediaType, upgradeRequired]

const escaped = (text: string) =>
  text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`).replace(/`([^`]+)`/g, '<code>$1</code>')

/** All problem types of these endpoints, by slug. */
function problemsOf(endpoints: readonly AnyEndpoint[]): Map<string, ProblemType> {
  const all = [...commonProblems, ...own, ...endpoints.flatMap(({ problems }) => problems)]
  return new Map(all.map((problem) => [problem.slug, problem]))
}

function pageOf(problem: ProblemType, endpoints: readonly AnyEndpoint[]): string {
  const from = endpoints.filter(({ problems }) => problems.includes(problem))
  const rows = from.map(
    ({ method, path, summary }) => `<li><code>${method} ${escaped(path)}</code>: ${escaped(summary)}</li>`,
  )
  const cure = CURES[problem.slug] ?? 'The answer itself says in `detail` what happened and what to do about it.'
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${escaped(problem.title)}</title>
<h1>${escaped(problem.title)}</h1>
<p>HTTP status ${problem.status}, type <code>/problems/${problem.slug}</code></p>
<p>${escaped(cure)}</p>
${rows.length > 0 ? `<p>Answered by:</p><ul>${rows.join('')}</ul>` : '<p>Any endpoint may answer so.</p>'}
</html>
`
}

/** /problems/<slug>: where the `type` of a problem leads. */
export function serveProblems(app: FastifyInstance, endpoints: readonly AnyEndpoint[]): void {
  app.get('/problems/:slug', (request, reply) => {
    const { slug } = request.params as { slug: string }
    const problem = problemsOf(endpoints).get(slug)
    if (!problem) throw notFound({ detail: `There is no problem type ${slug}` })
    return reply.type('text/html; charset=utf-8').header('cache-control', 'no-cache').send(pageOf(problem, endpoints))
  })
}
