import assert from 'node:assert/strict'
import { connect } from 'node:net'
import type { Client } from '@quarterdeck/client'
import { type AnyEndpoint, isProblem } from '@quarterdeck/kernel'
import type { z } from 'zod'
import { ensureEnvironment, PASSWORD, signIn, tokenClient } from '../platform/platform.ts'
import { type ServerProcess, serverProcess } from '../platform/server-process.ts'
import type { TestCluster } from '../platform/test-cluster.ts'

/** A running server with an environment `dev`, and several ways to talk to it. */
export interface Target {
  server: ServerProcess
  cluster: TestCluster
  /** May everything. */
  admin: Client
  /** A token that carries application.list and nothing else. */
  limited: Client
  /** Sends a request with nothing added but what is given. */
  send(method: string, path: string, options?: SendOptions): Promise<Answer>
  /** A fresh session, as a browser has it. */
  cookie(): Promise<string>
  /** Writes these bytes to a socket of its own and gives back what comes until the server closes or falls silent. */
  raw(text: string | Buffer, quietMs?: number): Promise<string>
  /** Starts a further server; it ends with the run. */
  another(environment: Record<string, string>): Promise<ServerProcess>
  dispose(): Promise<void>
}

export interface SendOptions {
  headers?: Record<string, string>
  /** Sent as JSON, unless it is a string. */
  body?: unknown
}
export interface Answer {
  status: number
  headers: Headers
  text: string
  body: Record<string, unknown>
}

export async function startTarget(cluster: TestCluster): Promise<Target> {
  const environment = { ...cluster.environment, QUARTERDECK_ADMIN_PASSWORD: PASSWORD }
  const server = await serverProcess({ environment })
  const others: ServerProcess[] = []
  const limitedTo = ['application.list']
  server.start()
  await server.ready()
  const admin = await tokenClient(server.url)
  await ensureEnvironment(admin, 'dev')
  return {
    server,
    cluster,
    admin,
    limited: await tokenClient(server.url, limitedTo),
    send: (method, path, options = {}) => send(`${server.url}${path}`, method, options),
    cookie: () => signIn(server.url),
    raw: (text, quietMs = 1_500) => raw(server.port, text, quietMs),
    async another(extra) {
      const other = await serverProcess({ environment: { ...cluster.environment, ...extra } })
      others.push(other)
      other.start()
      return other
    },
    async dispose() {
      for (const one of [server, ...others]) await one.dispose()
    },
  }
}

export async function send(url: string, method: string, { headers = {}, body }: SendOptions): Promise<Answer> {
  const json: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' }
  const response = await fetch(url, {
    method,
    redirect: 'manual',
    headers: { ...json, ...headers },
    signal: AbortSignal.timeout(20_000),
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, body: parse(text) }
}

function parse(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

function raw(port: number, text: string | Buffer, quietMs: number): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  let got = ''
  const socket = connect(port, '127.0.0.1', () => socket.write(text))
  socket.setTimeout(quietMs, () => socket.destroy())
  socket.on('data', (chunk) => {
    got += chunk
  })
  socket.on('error', () => socket.destroy())
  socket.on('close', () => resolve(got))
  return promise
}

/** Asserts that an answer is a problem of one of these statuses and says nothing of the inside. */
export function refused(answer: Answer, what: string, ...statuses: number[]): void {
  assert.ok(statuses.includes(answer.status), `${what}: ${answer.status} ${answer.text.slice(0, 300)}`)
  assert.doesNotMatch(
    answer.text,
    /node_modules|\bat .*\.ts:\d+|syntax error at|pg_|kysely/i,
    `${what} tells of the inside`,
  )
}

/** The type of the problem that a call ends with, as its last word; undefined when it succeeds. */
export const problemOf = (call: Promise<unknown>): Promise<string | undefined> =>
  call.then(
    () => undefined,
    (error: unknown) => {
      if (isProblem(error)) return error.body.type.replace('/problems/', '')
      throw error
    },
  )

/** A path of this endpoint with every parameter filled in: names that fit, ids that nobody has. */
export function pathOf(endpoint: AnyEndpoint): string {
  const shape = endpoint.params.shape as Record<string, z.ZodType>
  const path = endpoint.path.replace(/:(\w+)/g, (_, name: string) => {
    if (name === 'permission') return 'application.list'
    const ids = ['nobody', '00000000-0000-4000-8000-000000000000', '999999999']
    return name === 'environment' ? 'dev' : (ids.find((id) => shape[name]?.safeParse(id).success) ?? 'nobody')
  })
  return `/api/v1${path}`
}
