// A certificate that has expired: packages/kube/src/tls.test.ts. Bad starts: apps/server/src/start.slow.test.ts.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Answer, startTarget, type Target } from './attacks/target.ts'
import { type TestCluster, testCluster } from './platform/test-cluster.ts'

let cluster: TestCluster
let target: Target
beforeAll(async () => {
  cluster = await testCluster()
  target = await startTarget(cluster)
}, 120_000)
afterAll(async () => {
  await target?.dispose()
  await cluster?.close()
})

const call = (method: string, path: string, body?: unknown): Promise<Answer> =>
  target.send(method, `/api/v1${path}`, {
    headers: { authorization: `Bearer ${target.admin.token}` },
    ...(body === undefined ? {} : { body }),
  })
const deploy = (name: string, body: Record<string, unknown>, environment = 'dev') =>
  call('PUT', `/environments/${environment}/applications/${name}?dryRun=true`, body)
const pointers = ({ body }: Answer) => ((body.errors ?? []) as { pointer: string }[]).map(({ pointer }) => pointer)

const kubeconfig = (server: string) => `apiVersion: v1
kind: Config
current-context: it
clusters: [{ name: it, cluster: { server: '${server}' } }]
users: [{ name: it, user: { token: nothing } }]
contexts: [{ name: it, context: { cluster: it, user: it } }]
`

test('a text that is no kubeconfig is refused and says so', async () => {
  for (const text of ['this: is: none', '[]', 'apiVersion: v1', kubeconfig('not a url')]) {
    const answer = await call('PUT', '/clusters/bad', { kubeconfig: text })
    expect([text, answer.status]).toEqual([text, 422])
    expect(answer.body.type).toBe('/problems/invalid-kubeconfig')
  }
})

test('a cluster that does not answer is refused with its address', async () => {
  const answer = await call('PUT', '/clusters/bad', { kubeconfig: kubeconfig('https://127.0.0.1:1') })
  expect([422, 504]).toContain(answer.status)
  expect(answer.body.detail).toContain('127.0.0.1:1')
})

test('a malformed image reference is refused at its field', async () => {
  for (const image of ['UPPER/case', 'a b', 'host:port/x', 'x@sha256:123', '', ':1']) {
    const answer = await deploy('hello', { image })
    expect([image, answer.status, pointers(answer)]).toEqual([image, 400, ['/body/image']])
  }
})

test('an image that does not exist is said in the plan, before anything is made', async () => {
  const answer = await deploy('hello', { image: `${cluster.registry.host}/hello:absent` })
  const said = answer.status === 200 ? JSON.stringify(answer.body.blockers) : answer.text
  expect(said).toMatch(/absent/)
  expect(answer.status === 200 ? said : '[]').not.toBe('')
  const deployments = await cluster.kube.list({ apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'dev' })
  expect(deployments.items).toEqual([])
})

test('a name with capitals is refused at its field', async () => {
  const answer = await deploy('Hello', { image: cluster.image(1) })
  expect([answer.status, pointers(answer)]).toEqual([400, ['/params/application']])
})

test('a body of 10 MB is refused as too large', async () => {
  const answer = await deploy('hello', { image: 'a'.repeat(10 * 1024 * 1024) })
  expect([answer.status, answer.body.type]).toEqual([413, '/problems/too-large'])
})

test('an unknown field is refused by its name', async () => {
  const answer = await deploy('hello', { image: cluster.image(1), replica: 3 })
  expect([answer.status, pointers(answer)]).toEqual([400, ['/body/replica']])
})

test('an unknown environment is not found', async () => {
  const answer = await deploy('hello', { image: cluster.image(1) }, 'nowhere')
  expect([answer.status, answer.body.type]).toEqual([404, '/problems/not-found'])
  expect(answer.body.detail).toContain('nowhere')
})

test('a wrong password is refused without saying which part was wrong', async () => {
  const answer = await target.send('POST', '/api/v1/session', {
    headers: { origin: target.server.url },
    body: { user: 'admin', password: 'not this one' },
  })
  expect([answer.status, answer.body.type]).toEqual([401, '/problems/wrong-password'])
})

test('a query of objects that cannot be answered is refused at its field', async () => {
  const wrong: [string, number, string][] = [
    ['/objects/podz', 404, '/params/resource'],
    ['/objects/pods?filter=colour:red', 400, '/query/filter'],
    ['/objects/pods?filter=(status:Running', 400, '/query/filter'],
    ['/objects/pods?sort=colour', 400, '/query/sort'],
    ['/objects/pods?limit=5000', 400, '/query/limit'],
    ['/objects/pods?offset=-1', 400, '/query/offset'],
    ['/objects/pods/facets?fields=colour', 400, '/query/fields'],
    ['/search?text=', 400, '/query/text'],
  ]
  while ((await call('GET', '/objects/pods')).status !== 200) await new Promise((resolve) => setTimeout(resolve, 50))
  for (const [path, status, pointer] of wrong) {
    const answer = await call('GET', path)
    expect([path, answer.status, pointers(answer)]).toEqual([path, status, [pointer]])
  }
})
