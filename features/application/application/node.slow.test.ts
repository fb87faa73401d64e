import { setTimeout as sleep } from 'node:timers/promises'
import { type NodeCluster, nodeCluster, type Platform, startPlatform } from '@quarterdeck/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { changeMaker } from '../../delivery/operation/change.routes.ts'
import { getOperation, type Operation, type Plan, undoOperation } from '../../delivery/operation/operation.contract.ts'
import { operationReconciler } from '../../delivery/operation/operation.reconciler.ts'
import { operationRoutes } from '../../delivery/operation/operation.routes.ts'
import { openImages } from '../../image/image/image.routes.ts'
import { createEnvironment, deleteEnvironment } from '../../tenancy/environment/environment.contract.ts'
import { environmentRoutes, getEnvironmentPlace } from '../../tenancy/environment/environment.routes.ts'
import { environmentDefinitions, hold } from '../../tenancy/environment/environment.store.ts'
import { placing, tenantOfProject } from '../../tenancy/tenant/placing.store.ts'
import { deleteApplication, deployApplication, getApplication, setApplicationImage } from './application.contract.ts'
import { applicationRoutes } from './application.routes.ts'
import { applicationDefinitions, countByEnvironment, countIn } from './application.store.ts'
import { rolloutOf } from './rollout.rules.ts'

// A real node: images are pulled, containers run, addresses answer.
let platform: Platform
let node: NodeCluster
const environment = `n${Math.random().toString(36).slice(2, 8)}`

beforeAll(async () => {
  node = await nodeCluster()
  const definitions = {
    application: applicationDefinitions({ holdEnvironment: hold }),
    environment: environmentDefinitions({ applicationsIn: countIn, placing }),
  }
  const clusterOf = async () => node.cluster
  const images = openImages({ registries: async () => [{ title: 'local', host: node.registry, insecure: true }] })
  platform = await startPlatform({
    cluster: false,
    routes(server, { db, store }) {
      const makeChange = changeMaker({ db, clusterOf, definitions })
      const placeOf = (name: string) => getEnvironmentPlace(db, name)
      operationRoutes(server, {
        db,
        listen: (channel, fn) => store.listen(channel, fn),
        undo: makeChange.undo,
        definitions,
        environmentsWith: () => undefined,
      })
      environmentRoutes(server, {
        db,
        makeChange,
        clusterOf,
        tenantOf: tenantOfProject,
        countApplications: countByEnvironment,
        changed: async () => {},
      })
      const inspect = (image: string) => images.inspect(image)
      applicationRoutes(server, { db, makeChange, clusterOf, placeOf, inspect, nodePortHolders: () => [] })
    },
    reconcilers: ({ db }) => ({ operation: operationReconciler({ db, clusterOf, rolloutOf, definitions }) }),
  })
  const body = { cluster: 'node', stage: 'test' as const }
  await ended(await platform.client(createEnvironment, { params: { environment }, query: {}, body }))
}, 600_000)
afterAll(async () => {
  await platform?.client(deleteEnvironment, { params: { environment }, query: {} }).catch(() => {})
  await platform?.settle()
  await platform?.close()
  await node?.close()
})

async function ended(change: Operation | Plan): Promise<Operation> {
  if (change.kind !== 'Operation') throw new Error('a plan was answered')
  for (;;) {
    const operation = await platform.client(getOperation, { params: { operation: change.id } })
    if (operation.endTime) return operation
    await sleep(50)
  }
}
const at = (application: string) => ({ environment, application })
const deploy = (application: string, image: string, more: object = {}) =>
  platform.client(deployApplication, {
    params: at(application),
    query: {},
    body: { image: `${node.registry}/${image}`, ...more },
  })
const remove = async (application: string) =>
  ended(await platform.client(deleteApplication, { params: at(application), query: {} }))
const get = (application: string) => platform.client(getApplication, { params: at(application) })

/** The version that answers at the address, once it is this one: node ports follow the pods a moment later. */
async function answers(url: string, version: string): Promise<string> {
  let seen = ''
  for (let tries = 0; tries < 100 && seen !== version; tries++) {
    seen = await fetch(url)
      .then(async (response) => ((await response.json()) as { version: string }).version)
      .catch(() => '')
    if (seen !== version) await sleep(100)
  }
  return seen
}

test('[APP-22] [DEL-17] [DEL-21] [TRF-16] an image answers at its address, the next one too, and undo brings the first back', {
  timeout: 120_000,
}, async () => {
  expect((await ended(await deploy('hello', 'hello:1'))).state).toBe('Succeeded')
  const application = await get('hello')
  expect(application).toMatchObject({ state: 'Healthy', spec: { readinessProbe: { kind: 'http', path: '/healthz' } } })
  const url = application.address?.url ?? ''
  expect(await answers(url, '1')).toBe('1')
  while (!(await get('hello')).address?.answers) await sleep(100)
  const body = { image: `${node.registry}/hello:2` }
  const changed = await ended(await platform.client(setApplicationImage, { params: at('hello'), query: {}, body }))
  expect(changed.state).toBe('Succeeded')
  expect(await answers(url, '2')).toBe('2')
  const undone = await ended(await platform.client(undoOperation, { params: { operation: changed.id }, query: {} }))
  expect(undone.state).toBe('Succeeded')
  expect(await answers(url, '1')).toBe('1')
  expect((await remove('hello')).state).toBe('Succeeded')
})

test('[DEL-14] [DEL-21] a rollout that fails is undone: the undo succeeds and the old version goes on answering', {
  timeout: 300_000,
}, async () => {
  expect((await ended(await deploy('fails', 'hello:1'))).state).toBe('Succeeded')
  const url = (await get('fails')).address?.url ?? ''
  const body = { image: '127.0.0.1:1/absent:1' }
  const changed = await ended(await platform.client(setApplicationImage, { params: at('fails'), query: {}, body }))
  expect(changed).toMatchObject({ state: 'Failed', conditions: [{ reason: 'ProgressDeadlineExceeded' }] })
  const undone = await ended(await platform.client(undoOperation, { params: { operation: changed.id }, query: {} }))
  expect(undone).toMatchObject({ state: 'Succeeded', conditions: [{ type: 'Succeeded', status: 'True' }] })
  expect(await get('fails')).toMatchObject({ state: 'Healthy' })
  expect(await answers(url, '1')).toBe('1')
  expect((await remove('fails')).state).toBe('Succeeded')
})

test('a container that ends at once is told with its code, and another operation overtakes the wait', {
  timeout: 120_000,
}, async () => {
  const operation = await deploy('ends', 'shell:1', { command: ['/bin/sh', '-c', 'exit 3'] })
  while (!(await get('ends')).message.includes('ends with code 3')) await sleep(200)
  expect((await get('ends')).state).toBe('Failed')
  expect((await remove('ends')).state).toBe('Succeeded')
  expect((await ended(operation)).conditions).toContainEqual(expect.objectContaining({ reason: 'Superseded' }))
})

test('a probe that fails and an image that cannot be pulled are told in words', { timeout: 120_000 }, async () => {
  await deploy('unready', 'hello:1', { readinessProbe: { kind: 'http', path: '/nothing' } })
  // This registry is not known to the platform, so only the node finds out.
  const params = at('absent')
  await platform.client(deployApplication, { params, query: {}, body: { image: '127.0.0.1:1/absent:1' } })
  while (!(await get('unready')).message.includes('Its readiness probe fails: HTTP probe failed with statuscode: 404'))
    await sleep(200)
  while (
    !(await get('absent')).message.includes(
      'The image 127.0.0.1:1/absent:1 cannot be pulled: nothing answers at the registry',
    )
  )
    await sleep(200)
  await remove('unready')
  await remove('absent')
})
