import { existsSync } from 'node:fs'
import { join, sep } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { noSuchRoute, sendProblem } from './problem-handler.ts'

// Loads itself again: at the first start the compiler needs some seconds longer than the server.
const NOT_BUILT = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="refresh" content="2">
<title>Quarterdeck</title>
<h1>Quarterdeck is running, its console is being built</h1>
<p>At the first start this takes a few seconds; this page follows by itself. If it stays, the terminal of
<code>npm start</code> says why; <code>npm run build -w @quarterdeck/console</code> builds it by hand.</p>
<p>The API is at <a href="/api/v1/openapi.json">/api/v1/openapi.json</a>.</p>
<p lang="zh">服务已启动，正在构建控制台。首次启动需要几秒钟，本页会自动刷新；若一直停留在此，请查看 npm start 的终端输出。</p>
</html>
`

const isPage = (request: FastifyRequest) =>
  request.method === 'GET' && !/^\/(api|metrics|healthz|readyz)(\/|$|\?)/.test(request.url)

/**
 * Serves the built console: files with a hash in their name for ever, index.html never cached and for every path that
 * is not a file, `.br` and `.gz` beside a file instead of it. Looks for index.html at each request, so that a console
 * built while the server runs appears.
 */
export async function serveConsole(app: FastifyInstance, folder: string | undefined): Promise<void> {
  const notFound = (request: FastifyRequest, reply: FastifyReply) => sendProblem(noSuchRoute(request), request, reply)
  const page = (reply: FastifyReply) => {
    void reply.header('cache-control', 'no-cache')
    if (folder && existsSync(join(folder, 'index.html'))) return reply.sendFile('index.html', folder)
    return reply.code(503).type('text/html; charset=utf-8').send(NOT_BUILT)
  }
  await app.register(fastifyStatic, {
    root: folder ?? process.cwd(),
    serve: false,
    preCompressed: true,
    cacheControl: false,
    dotfiles: 'deny',
    index: false,
  })
  app.get('/*', { config: { endpointId: 'console' } }, (request, reply) => {
    if (!isPage(request)) return notFound(request, reply)
    const path = (request.params as { '*': string })['*']
    if (!folder || path === '' || !existsSync(join(folder, path)) || !join(folder, path).startsWith(folder + sep)) {
      // A missing asset must not come back as a page, or a browser would run HTML as a script.
      return /^assets\//.test(path) ? notFound(request, reply) : page(reply)
    }
    const hashed = path.startsWith('assets/')
    void reply.header('cache-control', hashed ? 'public, max-age=31536000, immutable' : 'no-cache')
    return reply.sendFile(path, folder)
  })
}
