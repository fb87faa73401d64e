import { createServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net'
import { clusterUnreachable, isProblem, tooManyRequests } from '@quarterdeck/kernel'
import { createTestAuthority } from '@quarterdeck/testkit'
import { afterEach, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { connectCluster } from './index.ts'

const authority = createTestAuthority('cluster')
const other = createTestAuthority('cluster')
const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

async function listening(server: Server): Promise<number> {
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}
const serverWith = (names: string[], days?: number) => {
  const { certificate, key } = authority.issue({ commonName: 'api', names, ...(days === undefined ? {} : { days }) })
  return listening(createServer({ cert: certificate, key }, (_, response) => response.end('{}')))
}
const kubeconfigFor = (server: string, ca = authority.certificate, cluster = {}) =>
  stringify({
    clusters: [
      { name: 'c', cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64'), ...cluster } },
    ],
    users: [{ name: 'u', user: { token: 'secret-token' } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  })

async function failure(kubeconfig: string) {
  const cluster = connectCluster({ name: 'prod', kubeconfig })
  const error = await cluster.version().then(
    () => undefined,
    (reason) => reason,
  )
  await cluster.close()
  expect(isProblem(error, clusterUnreachable), String(error)).toBe(true)
  expect(JSON.stringify(error.body)).not.toContain('secret-token')
  return error.body
}

test('an expired certificate of the API server is said as such, with the cure', async () => {
  const port = await serverWith(['127.0.0.1'], -0.02)
  expect(await failure(kubeconfigFor(`https://127.0.0.1:${port}`))).toMatchObject({
    status: 504,
    detail: expect.stringMatching(/Cluster prod: the certificate of 127.* has expired. Renew it/),
  })
})

test('a certificate of another authority is not trusted, even of one with the same name', async () => {
  const port = await serverWith(['127.0.0.1'])
  const { detail } = await failure(kubeconfigFor(`https://127.0.0.1:${port}`, other.certificate))
  expect(detail).toMatch(/authority that the kubeconfig does not name.*certificate-authority-data/)
})

test('a certificate for other names is refused with the names it has, and tls-server-name settles it', async () => {
  const port = await serverWith(['api.example.com'])
  const server = `https://127.0.0.1:${port}`
  expect((await failure(kubeconfigFor(server))).detail).toMatch(
    /other names \(DNS:api\.example\.com\).*tls-server-name/,
  )
  const kubeconfig = kubeconfigFor(server, authority.certificate, { 'tls-server-name': 'api.example.com' })
  const cluster = connectCluster({ name: 'prod', kubeconfig })
  expect(await cluster.raw('/')).toBe('{}')
  await cluster.close()
})

test('what listens but speaks no TLS, or says nothing, is told apart from what does not listen', async () => {
  const talker = await listening(
    createTcpServer((socket) => void socket.on('error', () => {}).end('220 mail ready\r\n')),
  )
  expect((await failure(kubeconfigFor(`https://127.0.0.1:${talker}`))).detail).toMatch(/does not speak TLS as expected/)
  const closed = await listening(createTcpServer((socket) => void socket.destroy()))
  expect((await failure(kubeconfigFor(`https://127.0.0.1:${closed}`))).detail).toMatch(/closed the connection/)
  expect((await failure(kubeconfigFor('https://127.0.0.1:1'))).detail).toMatch(/nothing listens at 127\.0\.0\.1:1/)
})

test('a name that nobody knows is said as such', async () => {
  expect((await failure(kubeconfigFor('https://no-such-host.invalid'))).detail).toMatch(/cannot be looked up/)
})

test('something that answers but is no API server is not taken for one', async () => {
  const port = await serverWith(['127.0.0.1'])
  const cluster = connectCluster({ name: 'prod', kubeconfig: kubeconfigFor(`https://127.0.0.1:${port}`) })
  await expect(cluster.version()).rejects.toThrow(/is not a Kubernetes API server/)
  await cluster.close()
})

test('a busy API server is asked again as it says, within the timeout', async () => {
  let asked = 0
  const { certificate, key } = authority.issue({ commonName: 'api', names: ['127.0.0.1'] })
  const busy = createServer({ cert: certificate, key }, (_, response) => {
    asked++
    if (asked < 3) response.writeHead(429, { 'retry-after': '0.05' }).end('too many requests')
    else response.setHeader('content-type', 'application/json').end('{"gitVersion":"v1.36.3"}')
  })
  const kubeconfig = kubeconfigFor(`https://127.0.0.1:${await listening(busy)}`)
  const cluster = connectCluster({ name: 'prod', kubeconfig })
  expect((await cluster.version()).gitVersion).toBe('v1.36.3')
  asked = -100
  const refused = await cluster.version().then(
    () => undefined,
    (error) => error,
  )
  expect(isProblem(refused, tooManyRequests)).toBe(true)
  expect(asked).toBe(-96)
  await cluster.close()
})
