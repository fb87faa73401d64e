import type { FastifyInstance } from 'fastify'
import { collectDefaultMetrics, Histogram, Registry } from 'prom-client'

declare module 'fastify' {
  interface FastifyContextConfig {
    endpointId?: string
  }
}

/** One figure at /metrics; its name begins with `quarterdeck_`, that of a counter ends in `_total`. */
export interface Figure {
  name: string
  help: string
  type: 'gauge' | 'counter'
  values: readonly { labels?: Readonly<Record<string, string>>; value: number }[]
}

/**
 * Request latency by endpoint id, event loop lag, process figures and those of `sources` at /metrics; one log line a
 * request.
 */
export function measure(app: FastifyInstance, sources: readonly (() => readonly Figure[])[]): void {
  const register = new Registry()
  collectDefaultMetrics({ register })
  const latency = new Histogram({
    name: 'quarterdeck_http_request_duration_seconds',
    help: 'Time from the first byte of a request to the last of its answer',
    labelNames: ['endpoint', 'status'],
    buckets: [0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10],
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
  app.get('/metrics', async (_request, reply) => {
    const own = await register.metrics()
    const figures = sources.flatMap((source) => source()).map(textOf)
    return reply.type(register.contentType).send([own.trimEnd(), ...figures, ''].join('\n'))
  })
}

// The text format of Prometheus, version 0.0.4.
const textOf = ({ name, help, type, values }: Figure): string =>
  [
    `# HELP ${name} ${help.replace(/\\/g, '\\\\').replace(/\n/g, '\\n')}`,
    `# TYPE ${name} ${type}`,
    ...values.map(({ labels = {}, value }) => `${name}${labelsOf(labels)} ${value}`),
  ].join('\n')

const labelsOf = (labels: Readonly<Record<string, string>>): string => {
  const pairs = Object.entries(labels).map(
    ([key, text]) => `${key}="${text.replace(/[\\"]/g, '\\$&').replace(/\n/g, '\\n')}"`,
  )
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}
