import { type AnyEndpoint, commonProblems, ProblemBody, type ProblemType } from '@quarterdeck/kernel'
import type { z } from 'zod'
import { collectSchemas, type JsonSchema, type SchemaCollection } from './openapi-schema.ts'

type Document = JsonSchema

const isNothing = (schema: z.ZodType) => schema._zod.def.type === 'undefined'

function parametersOf(endpoint: AnyEndpoint, schemas: SchemaCollection): Document[] {
  const from = (schema: z.ZodObject, where: 'path' | 'query') =>
    Object.entries(schema.shape).map(([name, member]) => {
      const { description, ...shape } = schemas.schemaOf(member as z.ZodType, 'input')
      const required = where === 'path' || !(member as z.ZodType).safeParse(undefined).success
      return { name, in: where, required, ...(description ? { description } : {}), schema: shape }
    })
  const key = {
    name: 'Idempotency-Key',
    in: 'header',
    required: false,
    description: 'The same key with the same request answers with the same operation and does nothing twice',
    schema: { type: 'string', minLength: 1, maxLength: 200 },
  }
  return [...from(endpoint.params, 'path'), ...from(endpoint.query, 'query'), ...(endpoint.change ? [key] : [])]
}

const CONTENT = {
  json: 'application/json',
  text: 'text/plain',
  lines: 'application/jsonl',
  websocket: '',
  proxy: '*/*',
} as const

function successOf(endpoint: AnyEndpoint, schemas: SchemaCollection): Document {
  if (endpoint.transport === 'websocket') return { 101: { description: 'The connection becomes a WebSocket' } }
  const lines = endpoint.transport === 'lines' ? ', one JSON value a line' : ''
  const content = { [CONTENT[endpoint.transport]]: { schema: schemas.schemaOf(endpoint.response, 'output') } }
  const answer = { description: `${endpoint.summary}${lines}`, ...(endpoint.status === 204 ? {} : { content }) }
  if (!endpoint.change) return { [endpoint.status]: answer }
  return { 200: { ...answer, description: 'dryRun: the plan' }, 202: { ...answer, description: 'The operation' } }
}

function problemsOf(endpoint: AnyEndpoint): Document {
  const byStatus = new Map<number, ProblemType[]>()
  for (const problem of [...commonProblems, ...endpoint.problems]) {
    byStatus.set(problem.status, [...(byStatus.get(problem.status) ?? []), problem])
  }
  const content = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } }
  return Object.fromEntries(
    [...byStatus].map(([status, problems]) => {
      const description = problems.map(({ title, slug }) => `${title} (/problems/${slug})`).join('; ')
      return [status, { description, content }]
    }),
  )
}

function operationOf(endpoint: AnyEndpoint, schemas: SchemaCollection): Document {
  const [noun] = endpoint.id.split('.')
  const body = isNothing(endpoint.body)
    ? {}
    : {
        requestBody: {
          required: !endpoint.body.safeParse(undefined).success,
          content: {
            [endpoint.form ? 'application/x-www-form-urlencoded' : 'application/json']: {
              schema: schemas.schemaOf(endpoint.body, 'input'),
            },
          },
        },
      }
  return {
    operationId: endpoint.id,
    tags: [noun],
    summary: endpoint.summary,
    parameters: parametersOf(endpoint, schemas),
    ...body,
    responses: { ...successOf(endpoint, schemas), ...problemsOf(endpoint) },
    ...(endpoint.permission === 'anonymous' ? { security: [] } : {}),
    'x-permission': endpoint.permission,
    'x-quarterdeck-change': endpoint.change,
    ...(endpoint.transport === 'json' ? {} : { 'x-transport': endpoint.transport }),
  }
}

/** The OpenAPI 3.1 document of these endpoints, in the order of their paths so that it changes only when they do. */
export function openApiDocument(endpoints: readonly AnyEndpoint[], { version }: { version: string }): Document {
  const paths: Record<string, Document> = {}
  const schemas = collectSchemas()
  const Problem = schemas.schemaOf(ProblemBody, 'output')
  const sorted = [...endpoints].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
  for (const endpoint of sorted) {
    const path = `/api/v1${endpoint.path.replace(/:(\w+)/g, '{$1}')}`
    paths[path] = { ...paths[path], [endpoint.method.toLowerCase()]: operationOf(endpoint, schemas) }
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Quarterdeck',
      version,
      description:
        'Everything the console and qd do. Failures are RFC 9457 problems. `x-permission` names what a caller needs.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ session: [] }, { token: [] }],
    paths,
    components: {
      schemas: { ...schemas.components(), Problem },
      securitySchemes: {
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: '__Host-session',
          description: 'Set by session.create; over plain HTTP on this machine its name is session-<port>',
        },
        token: { type: 'http', scheme: 'bearer', description: 'A token of token.create (qd token create)' },
      },
    },
  }
}
