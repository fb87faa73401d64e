import type { FastifyInstance } from 'fastify'
import { Histogram } from './histogram.ts'

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
  const latency = new Histogram(
    'quarterdeck_http_request_duration_seconds',
    'Time from the first byte of a request to the last of its answer',
    [0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10],
  )
  let process: Promise<{ metrics(): Promise<string>; contentType: string }> | undefined
  app.addHook('onResponse', async (request, reply) => {
    const endpoint = request.routeOptions.config?.endpointId ?? 'other'
    latency.observe({ endpoint, status: String(reply.statusCode) }, reply.elapsedTime / 1000)
    if (endpoint === 'other' && reply.statusCode < 400) return
    const subject = (request as { subject?: { name: string } }).subject?.name
    const tookMs = Math.round(reply.elapsedTime)
    request.log.info({ endpoint, status: reply.statusCode, tookMs, subject, peer: request.ip }, 'answered')
  })
  app.get('/metrics', async (_request, reply) => {
    process ??= processFigures()
    const { metrics, contentType } = await process
    const figures = sources.flatMap((source) => source()).map(textOf)
    return reply.type(contentType).send([(await metrics()).trimEnd(), latency.text(), ...figures, ''].join('\n'))
  })
}

/** Of the process and its event loop; loaded and begun when they are first asked for, since most servers never are. */
async function processFigures() {
  const { collectDefaultMetrics, Registry } = await import('prom-client')
  const register = new Registry()
  collectDefaultMetrics({ register })
  return { metrics: () => register.metrics(), contentType: register.contentType }
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
