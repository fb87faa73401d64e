import { type Client, createClient } from '@quarterdeck/client'
import { createServer } from '@quarterdeck/http'
import { isProblem, type ProblemType } from '@quarterdeck/kernel'
import { pushImage, pushIndex, startRegistry, type TestRegistry } from '@quarterdeck/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  type ImageConfig,
  imageAbsent,
  inspectImage,
  listRegistries,
  listRepositories,
  listTags,
  registryUnknown,
  registryUnreachable,
} from './image.contract.ts'
import { imageRoutes, type KnownRegistry, openImages } from './image.routes.ts'

let registry: TestRegistry
let down: TestRegistry
let client: Client
let nobody: Client
let close: () => Promise<void>

const propose = (image: ImageConfig) => ({
  name: 'shop',
  spec: { image: image.image, replicas: 1, exposure: 'node' as const, variables: [] },
  notes: [`runs as ${image.user}`],
})

beforeAll(async () => {
  registry = await startRegistry()
  down = await startRegistry()
  await down.stop()
  const known: KnownRegistry[] = [
    { host: registry.host, title: 'Local', insecure: true },
    { host: down.host, title: 'Down', insecure: true },
  ]
  const server = await createServer({
    authenticate: async ({ token }) => ({ name: 'ann', kind: 'token', permissions: token === 'all' ? ['*'] : [] }),
    logLevel: 'silent',
  })
  imageRoutes(server, { images: openImages({ registries: async () => known }), propose })
  client = createClient({ baseUrl: 'http://localhost', fetch: server.fetch, token: 'all' })
  nobody = createClient({ baseUrl: 'http://localhost', fetch: server.fetch, token: 'none' })
  close = () => server.close()
})
afterAll(async () => {
  await close?.()
  await registry?.close()
  await down?.close()
})

const refused = async (answer: Promise<unknown>, type: ProblemType, detail: string) => {
  const error = await answer.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(isProblem(error, type), String(error)).toBe(true)
  expect((error as Error).message).toContain(detail)
}

test('tags come newest first whatever they are called, and a moved tag is seen at once', async () => {
  const target = { host: registry.host, repository: 'team/shop' }
  const push = (tag: string, created: string) => pushImage(target, tag, { created })
  await push('zeta', '2026-01-01T00:00:00Z')
  await push('alpha', '2026-03-01T00:00:00Z')
  await push('1', '2026-02-01T00:00:00Z')
  const list = () => client(listTags, { query: { repository: `${registry.host}/team/shop` } })
  const { items, total } = await list()
  expect(items.map(({ tag }) => tag)).toEqual(['alpha', '1', 'zeta'])
  expect(total).toBe(3)
  expect(items[0]).toMatchObject({ image: `${registry.host}/team/shop:alpha`, createTime: '2026-03-01T00:00:00.000Z' })
  const moved = await push('zeta', '2026-04-01T00:00:00Z')
  expect((await list()).items[0]).toMatchObject({ tag: 'zeta', digest: moved.digest })
})

test('an image tells ports, user, volumes, command and health, with what is proposed for it', async () => {
  const target = { host: registry.host, repository: 'full' }
  await pushIndex(target, '1', [
    {
      os: 'linux',
      architecture: 'amd64',
      created: '2026-01-01T00:00:00Z',
      config: {
        ExposedPorts: { '8080/tcp': {}, '9090/udp': {} },
        User: '1000:1000',
        Volumes: { '/data': {} },
        Entrypoint: ['/shop'],
        Cmd: ['serve'],
        Env: ['MODE=web'],
        Labels: { 'org.opencontainers.image.title': 'Shop' },
        Healthcheck: { Test: ['CMD', '/shop', 'check'] },
      },
    },
  ])
  const { image, notes } = await client(inspectImage, { query: { image: `${registry.host}/full:1` } })
  expect(image).toMatchObject({
    image: `${registry.host}/full:1`,
    os: 'linux',
    ports: [
      { port: 8080, protocol: 'TCP' },
      { port: 9090, protocol: 'UDP' },
    ],
    user: '1000:1000',
    volumes: ['/data'],
    entrypoint: ['/shop'],
    command: ['serve'],
    environment: [{ name: 'MODE', value: 'web' }],
    healthcheck: ['CMD', '/shop', 'check'],
  })
  expect(notes).toEqual(['runs as 1000:1000'])
  const pinned = await client(inspectImage, { query: { image: `${registry.host}/full@${image.digest}` } })
  expect(pinned.image.digest).toBe(image.digest)
})

test('a tag of an image for another machine is listed though it cannot be inspected', async () => {
  const target = { host: registry.host, repository: 'arm' }
  await pushIndex(target, '1', [{ os: 'linux', architecture: 'arm64' }])
  const { items } = await client(listTags, { query: { repository: `${registry.host}/arm` } })
  expect(items).toHaveLength(1)
  expect(items[0]?.createTime).toBeUndefined()
  await refused(client(inspectImage, { query: { image: `${registry.host}/arm:1` } }), imageAbsent, 'it has linux/arm64')
})

test('repositories of all registries are found by a part of their name; one that is down is told, not fatal', async () => {
  await pushImage({ host: registry.host, repository: 'finance/ledger' }, '1')
  const { items, problems } = await client(listRepositories, { query: { search: 'LEDG' } })
  expect(items).toEqual([{ registry: registry.host, repository: 'finance/ledger' }])
  expect(problems).toEqual([expect.stringContaining(`Nothing listens at ${down.host}`)])
  await pushImage({ host: registry.host, repository: 'quarterdeck/pause' }, '1')
  const search = 'pause'
  expect((await client(listRepositories, { query: { search } })).items).toEqual([])
  expect((await client(listRepositories, { query: { search, system: true } })).items).toHaveLength(1)
  const { items: registries } = await client(listRegistries)
  expect(registries).toEqual([
    { host: registry.host, title: 'Local', answers: true, message: '' },
    { host: down.host, title: 'Down', answers: false, message: `Nothing listens at ${down.host}` },
  ])
})

test('an image, tag, registry or reference that is wrong is named with what to do', async () => {
  const inspect = (image: string) => client(inspectImage, { query: { image } })
  await refused(inspect(`${registry.host}/none:1`), imageAbsent, 'has no none:1')
  await refused(inspect(`${registry.host}/team/shop:none`), imageAbsent, 'Check the name and the tag')
  await refused(client(listTags, { query: { repository: `${registry.host}/none` } }), imageAbsent, 'has no none')
  await refused(inspect(`${down.host}/shop:1`), registryUnreachable, 'Nothing listens')
  await refused(inspect('nginx'), registryUnknown, 'docker.io is not among')
  await refused(inspect('169.254.169.254/meta:1'), registryUnknown, 'QUARTERDECK_REGISTRIES')
  await refused(inspect('127.0.0.1:1/x'), registryUnknown, registry.host)
  for (const wrong of ['Shop', 'a b', 'shop:', `shop@sha256:12`, 'http://shop', '../etc/passwd', 'a/../b', '']) {
    await expect(inspect(wrong), wrong).rejects.toMatchObject({
      body: { status: 400, errors: [{ pointer: '/query/image' }] },
    })
  }
})

test('without the permission nothing of the registries is told', async () => {
  const denied = { body: { status: 403, permission: 'image.list' } }
  await expect(nobody(listRegistries)).rejects.toMatchObject(denied)
  await expect(nobody(listRepositories)).rejects.toMatchObject(denied)
  await expect(nobody(listTags, { query: { repository: 'a' } })).rejects.toMatchObject(denied)
  await expect(nobody(inspectImage, { query: { image: 'a' } })).rejects.toMatchObject(denied)
})
