import type { FastifyInstance } from 'fastify'
import { collectDefaultMetrics, Histogram, Registry } from 'prom-client'

declare module 'fastify' {
  interface FastifyContextConfig {
    endpointId?: string
  }
}

/** Request latency by endpoint id, event loop lag and process figures at /metrics; one log line a request. */
export function measure(app: FastifyInstance): void {
  const register = new Registry()
  collectDefaultMetrics({ register })
  const latency = new Histogram({
    name: 'quarterdeck_http_request_duration_seconds',
    help: 'Time from the first byte of a request to the last of its answer',
    labelNames: ['endpoint', 'status'],
    buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10],
    registers: [register],
  })
  app.addHook('onResponse', async (request, reply) => {
    const endpoint = request.routeOptions.config?.endpointId ?? 'other'
    latency.observe({ endpoint, status: String(reply.statusCode) }, reply.elapsedTime / 1000)
    if (endpoint === 'other' && reply.statusCode < 400) return
    const subject = (request as { subject?: { name: string } }).subject?.name
    const tookMs = Math.round(reply.elapsedTime)
    request.log.info({ endpoint, status: reply.statusCode, tookMs, subject, peer: request.ip }, 'answered')
  })
  app.get('/metrics', async (_request, reply) => reply.type(register.contentType).send(await register.metrics()))
}
