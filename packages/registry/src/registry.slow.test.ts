import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { pushImage, pushIndex, pushManifest, startRegistry, type TestRegistry } from '../../testkit/src/registry.ts'
import { openRegistry } from './index.ts'

const linux = { os: 'linux', architecture: 'amd64' }
const created = '2026-01-02T03:04:05.678Z'
let real: TestRegistry
const servers: Server[] = []
const registryAt = (host: string) => openRegistry({ host, insecure: true }, { timeoutMs: 1_500 })

beforeAll(async () => {
  real = await startRegistry()
})
afterAll(async () => {
  await real.close()
  for (const server of servers) server.close().closeAllConnections()
})

/** A registry that misbehaves: what a real one never does. */
async function crooked(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  servers.push(server)
  await new Promise((resolve) => server.once('listening', resolve))
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('an image tells what it exposes, in both notations', async () => {
  for (const docker of [false, true]) {
    const target = { host: real.host, repository: `team/shop-${docker ? 'docker' : 'oci'}` }
    const config = { ExposedPorts: { '8080/tcp': {} }, User: '1000', Env: ['A=1'], Cmd: ['serve'], Entrypoint: null }
    const pushed = await pushImage(target, '1', { docker, created, config })
    const image = await registryAt(real.host).image(target.repository, '1', linux)
    expect(image.digest).toBe(pushed.digest)
    expect(image.configuration).toMatchObject({
      created,
      config: { ExposedPorts: ['8080/tcp'], User: '1000', Env: ['A=1'], Cmd: ['serve'], Entrypoint: [] },
    })
    expect(image.sizeBytes).toBeGreaterThan(100)
    expect(await registryAt(real.host).image(target.repository, pushed.digest, linux)).toEqual(image)
  }
})

test('of an index the image for the platform is taken, and the index is what pins it', async () => {
  const target = { host: real.host, repository: 'multi' }
  const variants = ['arm64', 'amd64'].map((architecture) => ({
    os: 'linux',
    architecture,
    config: { User: architecture },
  }))
  for (const docker of [false, true]) {
    const index = await pushIndex(target, 'all', variants, { docker })
    const image = await registryAt(real.host).image('multi', 'all', linux)
    expect(image.digest).toBe(index.digest)
    expect(image.configuration.config?.User).toBe('amd64')
  }
  await expect(
    registryAt(real.host).image('multi', 'all', { os: 'linux', architecture: 's390x' }),
  ).rejects.toMatchObject({
    reason: 'Absent',
    message: expect.stringContaining('linux/arm64, linux/amd64'),
  })
})

test('what a digest stands for is asked once; what a tag stands for, each time', async () => {
  const target = { host: real.host, repository: 'again' }
  await pushImage(target, '1', { config: { User: '1' } })
  const asked: string[] = []
  const between = await crooked(async (request, response) => {
    asked.push(request.url ?? '')
    const { accept = '' } = request.headers
    const answer = await fetch(`http://${real.host}${request.url}`, { headers: { accept } })
    const digest = answer.headers.get('docker-content-digest') ?? ''
    response.writeHead(answer.status, { 'docker-content-digest': digest }).end(await answer.bytes())
  })
  const registry = registryAt(between)
  const image = await registry.image('again', '1', linux)
  expect(await registry.image('again', '1', linux)).toEqual(image)
  expect(asked.filter((url) => url.includes('/manifests/'))).toHaveLength(2)
  expect(asked.filter((url) => url.includes('/blobs/'))).toHaveLength(1)
  await pushImage(target, '1', { config: { User: '2' } })
  expect((await registry.image('again', '1', linux)).configuration.config?.User).toBe('2')
})

test('tags and repositories are read page by page', async () => {
  const target = { host: real.host, repository: 'many' }
  const first = await pushImage(target, 'v0')
  const raw = await fetch(`http://${real.host}/v2/many/manifests/v0`, { headers: { accept: first.mediaType } })
  const manifest = await raw.json()
  for (let tag = 1; tag < 12; tag += 1) await pushManifest(target, `v${tag}`, first.mediaType, manifest)
  const registry = registryAt(real.host)
  const all = await registry.tags('many', 100)
  expect(all.items).toHaveLength(12)
  expect(all.complete).toBe(true)
  expect(await registry.tags('many', 5)).toMatchObject({ complete: false, items: { length: 5 } })
  expect((await registry.repositories(100)).items).toContain('many')
  expect(await registry.resolve('many', 'v3')).toBe(first.digest)
})

test('pages are followed by their links, which cannot lead to another path or host', async () => {
  const asked: string[] = []
  const host = await crooked((request, response) => {
    asked.push(request.url ?? '')
    const next = asked.length < 3 ? `<http://elsewhere.example/secret?last=${asked.length}>; rel="next"` : ''
    response.setHeader('link', next).end(JSON.stringify({ tags: [`t${asked.length}`] }))
  })
  expect(await registryAt(host).tags('a', 100)).toEqual({ items: ['t1', 't2', 't3'], complete: true })
  expect(asked).toEqual(['/v2/a/tags/list?n=100', '/v2/a/tags/list?last=1', '/v2/a/tags/list?last=2'])
})

test('what is not there is told as absent', async () => {
  const registry = registryAt(real.host)
  await pushImage({ host: real.host, repository: 'one' }, '1')
  const absent = { reason: 'Absent' }
  await expect(registry.image('one', '2', linux)).rejects.toMatchObject({
    ...absent,
    message: `${real.host} has no one:2`,
  })
  await expect(registry.image('none', '1', linux)).rejects.toMatchObject(absent)
  await expect(registry.tags('none', 10)).rejects.toMatchObject(absent)
  await expect(registry.image('one', `sha256:${'0'.repeat(64)}`, linux)).rejects.toMatchObject(absent)
})

test('an artifact that is no container image is told as what it is', async () => {
  const target = { host: real.host, repository: 'chart' }
  const image = await pushImage(target, 'image')
  const raw = await fetch(`http://${real.host}/v2/chart/manifests/image`, { headers: { accept: image.mediaType } })
  const manifest = (await raw.json()) as { config: object }
  const config = { ...manifest.config, mediaType: 'application/vnd.cncf.helm.config.v1+json' }
  await pushManifest(target, '1', image.mediaType, { ...manifest, config })
  await expect(registryAt(real.host).image('chart', '1', linux)).rejects.toMatchObject({
    reason: 'Absent',
    message: expect.stringContaining('vnd.cncf.helm.config'),
  })
})

test('a registry that is down, silent or failing is unreachable', async () => {
  const down = await startRegistry()
  await down.close()
  await expect(registryAt(down.host).ping()).rejects.toMatchObject({
    reason: 'Unreachable',
    message: `Nothing listens at ${down.host}`,
  })
  const silent = await crooked(() => undefined)
  await expect(registryAt(silent).ping()).rejects.toMatchObject({
    reason: 'Unreachable',
    message: expect.stringMatching(/within 1.5 s/),
  })
  const stalling = await crooked((_request, response) => void response.write('{'))
  await expect(registryAt(stalling).tags('a', 1)).rejects.toMatchObject({ reason: 'Unreachable' })
  const failing = await crooked((_request, response) => response.writeHead(503).end())
  await expect(registryAt(failing).ping()).rejects.toMatchObject({ reason: 'Unreachable' })
  await expect(registryAt('no-such-host.invalid').ping()).rejects.toMatchObject({ reason: 'Unreachable' })
})

test('an answer that is not what its digest says is refused', async () => {
  const manifest = JSON.stringify({ config: { digest: `sha256:${'1'.repeat(64)}`, size: 2 }, layers: [] })
  const host = await crooked((request, response) => response.end(request.url?.includes('blobs') ? '{}' : manifest))
  const unsound = { reason: 'Unsound', message: expect.stringMatching(/digest/) }
  await expect(registryAt(host).image('a', `sha256:${'2'.repeat(64)}`, linux)).rejects.toMatchObject(unsound)
  await expect(registryAt(host).image('a', '1', linux)).rejects.toMatchObject(unsound)
})

test('answers over the limit, bombs, garbage and endless redirects are refused', async () => {
  const answers: Record<string, RequestListener> = {
    large: (_request, response) => response.end('x'.repeat(5 * 2 ** 20)),
    bomb: (_request, response) =>
      response.setHeader('content-encoding', 'gzip').end(gzipSync(Buffer.alloc(50 * 2 ** 20))),
    brotli: (_request, response) => response.setHeader('content-encoding', 'br').end('x'),
    garbage: (_request, response) => response.end('<html>'),
    schema1: (_request, response) => response.end('{"schemaVersion":1,"fsLayers":[]}'),
    loop: (request, response) => response.writeHead(307, { location: request.url }).end(),
    nowhere: (_request, response) => response.writeHead(307).end(),
    file: (_request, response) => response.writeHead(307, { location: 'file:///etc/passwd' }).end(),
  }
  for (const [name, listener] of Object.entries(answers)) {
    const host = await crooked(listener)
    await expect(registryAt(host).image('a', '1', linux), name).rejects.toMatchObject({ reason: 'Unsound' })
  }
})

test('an ordinary gzip answer is read', async () => {
  const host = await crooked((_request, response) =>
    response.setHeader('content-encoding', 'gzip').end(gzipSync('{"tags":["1"]}')),
  )
  expect((await registryAt(host).tags('a', 5)).items).toEqual(['1'])
})

test('a request can be given up', async () => {
  const host = await crooked(() => undefined)
  const gone = new AbortController()
  const asked = registryAt(host).ping(gone.signal)
  gone.abort(new Error('given up'))
  await expect(asked).rejects.toThrow('given up')
})
