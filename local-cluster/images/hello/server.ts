import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { hostname } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'

/** A small HTTP service to try things with. Its environment: VERSION, PORT, ERROR_RATE (0–1), DELAY_MILLISECONDS, DRAIN_SECONDS, MESSAGE. */
const number = (name: string, fallback: number) => {
  const value = Number(process.env[name] ?? fallback)
  return Number.isFinite(value) ? value : fallback
}
const version = process.env.VERSION ?? 'unknown'
const port = number('PORT', 8080)
const errorRate = number('ERROR_RATE', 0)
const delayMilliseconds = number('DELAY_MILLISECONDS', 0)
// Longer than a busy node takes to turn its Services away from this pod.
const drainSeconds = number('DRAIN_SECONDS', 5)

const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const requests = new Map<string, number>()
const buckets = BUCKETS.map(() => 0)
let seconds = 0
let count = 0
let open = 0
let draining = false

function record(method: string, status: number, took: number): void {
  const key = `method="${method}",status="${status}"`
  requests.set(key, (requests.get(key) ?? 0) + 1)
  for (const [index, limit] of BUCKETS.entries()) if (took <= limit) buckets[index] = (buckets[index] ?? 0) + 1
  seconds += took
  count++
}

function metrics(): string {
  return [
    '# HELP http_requests_total Requests answered.',
    '# TYPE http_requests_total counter',
    ...[...requests].map(([labels, value]) => `http_requests_total{${labels}} ${value}`),
    '# HELP http_request_duration_seconds Time to answer.',
    '# TYPE http_request_duration_seconds histogram',
    ...BUCKETS.map((limit, index) => `http_request_duration_seconds_bucket{le="${limit}"} ${buckets[index]}`),
    `http_request_duration_seconds_bucket{le="+Inf"} ${count}`,
    `http_request_duration_seconds_sum ${seconds}`,
    `http_request_duration_seconds_count ${count}`,
    '# HELP http_requests_in_flight Requests being answered.',
    '# TYPE http_requests_in_flight gauge',
    `http_requests_in_flight ${open}`,
    '# HELP hello_version_info The running version.',
    '# TYPE hello_version_info gauge',
    `hello_version_info{version="${version}"} 1`,
    '',
  ].join('\n')
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type, ...(draining ? { connection: 'close' } : {}) })
  response.end(body)
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = new URL(request.url ?? '/', 'http://localhost').pathname
  if (path === '/healthz') return send(response, 200, 'text/plain', 'ok\n')
  if (path === '/readyz') return send(response, draining ? 503 : 200, 'text/plain', draining ? 'draining\n' : 'ok\n')
  if (path === '/metrics') return send(response, 200, 'text/plain; version=0.0.4', metrics())
  const began = performance.now()
  open++
  if (delayMilliseconds > 0) await delay(delayMilliseconds)
  const status = path !== '/' ? 404 : Math.random() < errorRate ? 500 : 200
  const body = {
    service: 'hello',
    version,
    host: hostname(),
    message: process.env.MESSAGE ?? `Hello from version ${version}`,
  }
  send(response, status, 'application/json', `${JSON.stringify(status === 200 ? body : { ...body, status })}\n`)
  open--
  record(request.method ?? 'GET', status, (performance.now() - began) / 1000)
  console.log(JSON.stringify({ time: new Date().toISOString(), method: request.method, path, status }))
}

const server = createServer((request, response) => void answer(request, response))
server.listen(port, () =>
  console.log(JSON.stringify({ time: new Date().toISOString(), message: `hello ${version} listens on port ${port}` })),
)

/** Says "not ready" first, goes on answering while Services take this pod out, then ends. */
async function drain(signal: string): Promise<void> {
  if (draining) return
  draining = true
  console.log(JSON.stringify({ time: new Date().toISOString(), message: `${signal}: draining for ${drainSeconds} s` }))
  await delay(drainSeconds * 1000)
  server.close(() => {
    console.log(JSON.stringify({ time: new Date().toISOString(), message: 'ended' }))
    process.exit(0)
  })
  server.closeIdleConnections()
}
process.on('SIGTERM', () => void drain('SIGTERM'))
process.on('SIGINT', () => void drain('SIGINT'))
