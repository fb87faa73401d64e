import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo, LookupFunction } from 'node:net'
import { promisify } from 'node:util'
import { clusterForbidden, clusterUnreachable, isProblem } from '@quarterdeck/kernel'
import { afterEach, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { connectCluster, parseKubeconfig } from './index.ts'
import { isLinkLocal, lookupServer } from './link-local.ts'

// What a kubeconfig points to may be anything: a service inside that answers, or a server that wants us to fall over.
const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections()
})
const kubeconfigFor = (server: string) =>
  stringify({
    clusters: [{ name: 'c', cluster: { server } }],
    users: [{ name: 'u', user: { token: 't' } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  })

async function failure(listener: RequestListener) {
  const server = createServer(listener)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const cluster = connectCluster({ name: 'prod', kubeconfig: kubeconfigFor(`http://127.0.0.1:${port}`) })
  const error = await cluster.version().then(
    () => undefined,
    (reason) => reason,
  )
  await cluster.close()
  return error
}

test('an answer without end is cut off, and the cluster counts as one that cannot be reached', async () => {
  let sent = 0
  const piece = Buffer.alloc(1024 * 1024, 0x20)
  const error = await failure((_, response) => {
    response.setHeader('content-type', 'application/json')
    const go = () => {
      while (!response.destroyed && sent++ < 1_000) if (!response.write(piece)) return void response.once('drain', go)
    }
    go()
  })
  expect(isProblem(error, clusterUnreachable), String(error)).toBe(true)
  expect(error.message).toMatch(/prod .*longer than 64 MiB/)
  expect(sent).toBeLessThan(200)
})

test.each([403, 404, 500, 400])(
  'the words of %d are not repeated when they are no Status of Kubernetes',
  async (status) => {
    const error = await failure((_, response) => response.writeHead(status).end('key of the machine inside: AKIA1234'))
    expect(JSON.stringify(error.body)).not.toContain('AKIA1234')
    const told = { kind: 'Status', message: 'User "u" cannot get /version' }
    const plain = await failure((_, response) =>
      response.writeHead(403, { 'content-type': 'application/json' }).end(JSON.stringify(told)),
    )
    expect(isProblem(plain, clusterForbidden)).toBe(true)
    expect(plain.message).toContain('cannot get /version')
  },
)

test.each([
  'http://169.254.169.254',
  'https://0xA9FEA9FE:6443',
  'https://[fe80::1]:6443',
  'http://[::ffff:169.254.169.254]/latest',
  'http://[fd00:ec2::254]',
])('no API server is at %s: a link-local address is refused', (server) => {
  expect(() => parseKubeconfig(kubeconfigFor(server))).toThrow(
    /clusters\[0\]\.cluster\.server: is a link-local address/,
  )
})

test('a name that stands for a link-local address is not connected to, others are', async () => {
  const resolve = promisify(lookupServer as LookupFunction)
  await expect(resolve('169.254.169.254', {})).rejects.toThrow(/169\.254\.169\.254 is a link-local address/)
  expect(await resolve('127.0.0.1', { all: true })).toEqual([{ address: '127.0.0.1', family: 4 }])
  expect([isLinkLocal('10.0.0.1'), isLinkLocal('[fd00::1]'), isLinkLocal('api.example.com')]).toEqual([
    false,
    false,
    false,
  ])
})
