import type { FastifyInstance } from 'fastify'

/** Answer of /readyz: `checks` name what is ready and what is awaited. */
export interface Readiness {
  ready: boolean
  checks: Record<string, { ready: boolean; detail?: string }>
}

/** /healthz: the process answers. /readyz: 200 once everything is ready, else 503 with what is awaited. */
export function serveHealth(app: FastifyInstance, readiness: (() => Promise<Readiness>) | undefined): void {
  app.get('/healthz', (_request, reply) => reply.header('cache-control', 'no-store').send({ status: 'ok' }))
  app.get('/readyz', async (request, reply) => {
    const answer = await (readiness?.() ?? Promise.resolve<Readiness>({ ready: true, checks: {} })).catch((error) => {
      request.log.warn({ err: error }, 'readiness could not be told')
      return { ready: false, checks: { server: { ready: false, detail: 'Readiness could not be told' } } }
    })
    return reply
      .code(answer.ready ? 200 : 503)
      .header('cache-control', 'no-store')
      .send(answer)
  })
}
