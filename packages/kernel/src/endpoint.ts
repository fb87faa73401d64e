import { z } from 'zod'
import type { Permission, Scope } from './permission.ts'
import type { ProblemType } from './problem.ts'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** How the answer travels: one JSON body, a stream of text or JSON lines, a WebSocket, or whatever another server says. */
export type Transport = 'json' | 'text' | 'lines' | 'websocket' | 'proxy'

/**
 * Where an endpoint's permission has to be granted. `path`: at the environment, project or tenant that its path names,
 * or for the platform when it names none. `anywhere`: at one place at least, and its handler shows and does only what
 * is within the places where it is.
 */
export type Reach = 'path' | 'anywhere'

/** An endpoint as declared once; server, OpenAPI, client, CLI and permission matrix derive from it. */
export interface Endpoint<
  Params extends z.ZodObject = z.ZodObject,
  Query extends z.ZodObject = z.ZodObject,
  Body extends z.ZodType = z.ZodType,
  Response extends z.ZodType = z.ZodType,
> {
  /** Unique, `noun.verb`; the OpenAPI operationId. */
  readonly id: string
  readonly method: Method
  /** Relative to /api/v1, parameters as `:name`. */
  readonly path: string
  /** One sentence for the user: OpenAPI, --help and the page. */
  readonly summary: string
  readonly permission: Permission
  readonly reach: Reach
  readonly params: Params
  readonly query: Query
  readonly body: Body
  readonly response: Response
  /** True: the body comes as application/x-www-form-urlencoded, for protocols that have it so; JSON otherwise. */
  readonly form: boolean
  /** HTTP status of success; 202 for what goes on after the answer. */
  readonly status: number
  readonly transport: Transport
  readonly problems: readonly ProblemType[]
  /** True when the act is a change to a cluster: takes dryRun, planHash and Idempotency-Key. */
  readonly change: boolean
  /** Whether reading is written into the audit trail before it is answered: always, or in protected environments. */
  readonly recorded: 'no' | 'protected' | 'always'
}

// biome-ignore lint/suspicious/noExplicitAny: any endpoint, whatever its schemas; zod's types are invariant
export type AnyEndpoint = Endpoint<any, any, any, any>

/** What a caller passes: each part only where the endpoint declares it. */
export type Input<E extends AnyEndpoint> = {
  params: z.input<E['params']>
  query: z.input<E['query']>
  body: z.input<E['body']>
}
export type Output<E extends AnyEndpoint> = z.output<E['response']>

const nothing = z.object({})

/** Declares an endpoint. Parts left out mean: no parameters, no query, no body. */
export function endpoint<
  Response extends z.ZodType,
  Params extends z.ZodObject = typeof nothing,
  Query extends z.ZodObject = typeof nothing,
  Body extends z.ZodType = z.ZodUndefined,
>(declared: {
  id: string
  method: Method
  path: string
  summary: string
  permission: Permission
  /** Default `path`. */
  reach?: Reach
  response: Response
  params?: Params
  query?: Query
  body?: Body
  form?: boolean
  status?: number
  transport?: Transport
  problems?: readonly ProblemType[]
  change?: boolean
  /** Default `no`. Changes are recorded by whoever makes them. */
  recorded?: 'no' | 'protected' | 'always'
}): Endpoint<Params, Query, Body, Response> {
  return Object.freeze({
    status: 200,
    transport: 'json' as const,
    reach: 'path' as const,
    problems: [],
    change: false,
    form: false,
    recorded: 'no' as const,
    params: nothing as unknown as Params,
    query: nothing as unknown as Query,
    body: z.undefined() as unknown as Body,
    ...declared,
  })
}

/** The place that a path names: the parameter `:environment`, `:project` or `:tenant`, the innermost one. */
export function scopeOf(params: Record<string, unknown>): Scope {
  for (const place of ['environment', 'project', 'tenant'] as const) {
    const name = params[place]
    if (typeof name === 'string') return { [place]: name }
  }
  return {}
}
