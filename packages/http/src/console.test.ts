import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliCompressSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createServer, type Server } from './index.ts'

const folder = mkdtempSync(join(tmpdir(), 'console-'))
const dist = join(folder, 'dist')
let server: Server
beforeAll(async () => {
  server = await createServer({ logLevel: 'silent', authenticate: async () => undefined, consoleFolder: dist })
})
afterAll(async () => {
  await server.close()
  rmSync(folder, { recursive: true })
})
const get = (path: string, headers: Record<string, string> = {}) =>
  server.fastify.inject({ method: 'GET', url: path, headers })

test('while the console is being built a page says so and loads itself again, and once it is built it is served without a restart', async () => {
  const before = await get('/')
  expect([before.statusCode, before.headers['content-type']]).toEqual([503, 'text/html; charset=utf-8'])
  expect(before.body).toContain('its console is being built')
  expect(before.body).toContain('<meta http-equiv="refresh" content="2">')
  mkdirSync(join(dist, 'assets'), { recursive: true })
  writeFileSync(join(dist, 'index.html'), '<title>deck</title>')
  writeFileSync(join(dist, 'assets', 'app-1a2b.js'), 'plain')
  writeFileSync(join(dist, 'assets', 'app-1a2b.js.br'), brotliCompressSync('plain'))
  writeFileSync(join(folder, 'secret.txt'), 'secret')
  for (const path of ['/', '/applications/shop?tab=logs', '/first']) {
    const page = await get(path)
    expect([path, page.statusCode, page.body]).toEqual([path, 200, '<title>deck</title>'])
    expect(page.headers['cache-control']).toBe('no-cache')
  }
})

test('files with a hash in their name are kept for ever, in their compressed form where the browser takes it', async () => {
  const plain = await get('/assets/app-1a2b.js')
  expect([plain.body, plain.headers['cache-control']]).toEqual(['plain', 'public, max-age=31536000, immutable'])
  const compressed = await get('/assets/app-1a2b.js', { 'accept-encoding': 'br, gzip' })
  expect(compressed.headers['content-encoding']).toBe('br')
  expect(compressed.headers['content-type']).toContain('javascript')
})

test('an asset that is not there is no page, and nothing outside the folder is served', async () => {
  expect((await get('/assets/gone-9.js')).statusCode).toBe(404)
  for (const path of [
    '/../secret.txt',
    '/%2e%2e/secret.txt',
    '/assets/../../secret.txt',
    '/assets/%2e%2e%2f%2e%2e%2fsecret.txt',
  ]) {
    expect((await get(path)).body).not.toBe('secret')
  }
  const api = await get('/api/v1/nothing')
  expect([api.statusCode, api.headers['content-type']]).toEqual([404, 'application/problem+json; charset=utf-8'])
})
