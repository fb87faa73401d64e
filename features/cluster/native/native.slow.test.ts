import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import type { CliContext } from '@quarterdeck/client'
import { codeRequired, notFound } from '@quarterdeck/kernel'
import {
  createTestAuthority,
  type Kubectl,
  kubectlWith,
  type NodeCluster,
  nodeCluster,
  type Platform,
  startPlatform,
} from '@quarterdeck/testkit'
import { Command } from 'commander'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { audit } from '../../delivery/operation/operation.store.ts'
import { nativeCommands } from './native.cli.ts'
import { nativeRoutes } from './native.routes.ts'

// A real node, since logs and exec need containers; the server listens, since kubectl needs a port.
let node: NodeCluster
let platform: Platform
let url: string
let kubectl: Kubectl
let namespace: string
const below = '/api/v1/clusters/node/kubernetes'

beforeAll(async () => {
  node = await nodeCluster()
  platform = await startPlatform({
    cluster: false,
    routes(server, { db }) {
      nativeRoutes(server, {
        admit: () => {},
        async clusterAs(_subject, name) {
          if (name === 'node') return node.cluster
          throw notFound({ detail: `No cluster is registered as ${name}` })
        },
        permissionsAt: ({ permissions }) => permissions,
        onLoss: () => () => {},
        environmentAt: ({ namespace }) => (namespace === '' ? undefined : `environment-of-${namespace}`),
        stepUp: (_subject, _endpoint, { namespace }, permission) =>
          namespace === 'guarded' && permission === 'object.delete'
            ? codeRequired({ detail: 'Give a one-time password' })
            : undefined,
        audit: (event) => audit(db, event),
      })
    },
    server: {
      authenticate: async ({ token, session }) =>
        token === 'tester' || session === 'signed-in'
          ? { name: 'tester', kind: 'user', permissions: ['*'] }
          : token === 'other'
            ? { name: 'other', kind: 'token', permissions: ['application.deploy'] }
            : undefined,
    },
  })
  url = await platform.server.listen(0)
  kubectl = await kubectlWith(await kubeconfigOf(url))
  namespace = await node.namespace()
}, 120_000)
afterAll(async () => {
  kubectl?.close()
  await platform?.close()
  await node?.close()
})

/** What qd kubeconfig prints. */
async function kubeconfigOf(server: string): Promise<string> {
  let text = ''
  const context = {
    server,
    client: { token: 'tester' },
    write: async (part: string) => {
      text += part
    },
    progress: () => {},
  } as unknown as CliContext
  const program = new Command()
  nativeCommands(program, context)
  await program.parseAsync(['node', 'qd', 'kubeconfig', '--cluster', 'node'])
  return text
}

const ask = (path: string, init: RequestInit = {}, token: string | undefined = 'tester') =>
  fetch(`${url}${path}`, {
    ...init,
    headers: { ...(token ? { authorization: `Bearer ${token}` } : {}), ...init.headers },
    redirect: 'manual',
  })

/** Bytes as they are, so that no client tidies the path. */
async function raw(head: string[], body = ''): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  let got = ''
  socket.setEncoding('utf8').on('data', (part) => {
    got += part
  })
  socket.write(`${head.join('\r\n')}\r\n\r\n${body}`)
  await once(socket, 'close')
  return got
}
const get = (path: string, ...more: string[]) =>
  raw([`GET ${path} HTTP/1.1`, 'Host: 127.0.0.1', 'Authorization: Bearer tester', 'Connection: close', ...more])

const auditTrail = async () =>
  platform.db
    .withTables<{
      audit_event: {
        sequence: number
        operation: string
        actor: string
        outcome: string
        detail: string
        environment: string | null
      }
    }>()
    .selectFrom('audit_event')
    .selectAll()
    .orderBy('sequence')
    .execute()

const configMap = (name: string) =>
  JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { colour: 'green' } })

test('[EXT-05] kubectl gets, applies, watches, reads logs and deletes with the kubeconfig of qd', async () => {
  const nodes = await kubectl.run(['get', 'nodes', '-o', 'name'])
  expect(nodes).toMatchObject({ status: 0, stdout: expect.stringContaining('node/') })
  const applied = await kubectl.run(['-n', namespace, 'apply', '--server-side', '-f', '-'], configMap('settings'))
  expect(applied.stdout).toContain('configmap/settings serverside-applied')

  await node.pod(namespace, 'talker', {
    image: `${node.registry}/shell:1`,
    command: ['sh', '-c', 'echo hello from here; sleep 600'],
  })
  const waited = await kubectl.run(['-n', namespace, 'wait', '--for=condition=Ready', 'pod/talker', '--timeout=20s'])
  expect(waited.stdout).toContain('condition met')
  expect((await kubectl.run(['-n', namespace, 'logs', 'talker'])).stdout).toBe('hello from here\n')

  const waiting = kubectl.run(['-n', namespace, 'wait', '--for=delete', 'configmap/settings', '--timeout=20s'])
  const deleted = await kubectl.run(['-n', namespace, 'delete', 'configmap', 'settings'])
  expect(deleted).toMatchObject({ status: 0 })
  expect(await waiting).toMatchObject({ status: 0 })
  expect((await kubectl.run(['-n', namespace, 'get', 'configmap', 'settings'])).stderr).toContain('NotFound')
}, 60_000)

test('[EXT-05] a watch brings a change while the answer is still open', async () => {
  const leaving = new AbortController()
  const answer = await ask(`${below}/api/v1/namespaces/${namespace}/configmaps?watch=true`, { signal: leaving.signal })
  expect(answer.headers.get('content-type')).toBe('application/json')
  await node.cluster.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name: 'seen-at-once' } })
  let text = ''
  const decoder = new TextDecoder()
  for await (const bytes of answer.body as unknown as AsyncIterable<Uint8Array>) {
    text += decoder.decode(bytes, { stream: true })
    if (text.includes('seen-at-once')) break
  }
  expect(text).toContain('"type":"ADDED"')
  leaving.abort()
})

test('[EXT-05] [CLU-20] whoever lacks cluster.native neither sees nor changes anything through it', async () => {
  for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']) {
    const answer = await ask(`${below}/api/v1/nodes`, { method }, 'other')
    expect(answer.status, method).toBe(403)
    expect(await answer.json()).toMatchObject({ permission: 'cluster.native' })
  }
  expect((await ask(`${below}/api/v1/nodes`, {}, '')).status).toBe(401)
})

test('[TEN-03] where a rule wants a one-time password for an act, kubectl gets no further without one', async () => {
  const path = `${below}/api/v1/namespaces/guarded/pods`
  const refused = await ask(`${path}/shop-1`, { method: 'DELETE' })
  expect(refused.status).toBe(403)
  expect(await refused.json()).toMatchObject({ type: '/problems/code-required' })
  expect((await ask(path)).status).toBe(200)
  expect((await ask(`${below}/api/v1/namespaces/${namespace}/pods/nobody`, { method: 'DELETE' })).status).toBe(404)
})

test('[EXT-05] what may change something is in the audit trail before it is sent, what only reads is not', async () => {
  await platform.reset()
  await ask(`${below}/api/v1/namespaces/${namespace}/configmaps`)
  expect(await auditTrail()).toEqual([])
  const made = await ask(`${below}/api/v1/namespaces/${namespace}/configmaps?fieldManager=me`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: configMap('kept'),
  })
  expect(made.status).toBe(201)
  const again = await ask(`${below}/api/v1/namespaces/${namespace}/configmaps`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: configMap('kept'),
  })
  expect(again.status).toBe(409)
  const trail = await auditTrail()
  expect(trail.map(({ outcome, actor }) => [outcome, actor])).toEqual([
    ['intent', 'tester'],
    ['succeeded', 'tester'],
    ['intent', 'tester'],
    ['failed', 'tester'],
  ])
  expect(trail[0]?.detail).toContain(`POST /api/v1/namespaces/${namespace}/configmaps?fieldManager=me`)
  expect(trail[0]?.operation).toBe(trail[1]?.operation)
  expect(trail[0]?.environment).toBe(`environment-of-${namespace}`)
})

test('[EXT-05] identity headers, hop-by-hop lists and cookies do not reach the API server', async () => {
  const review = JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' })
  const answer = await raw(
    [
      `POST ${below}/apis/authentication.k8s.io/v1/selfsubjectreviews HTTP/1.1`,
      'Host: 127.0.0.1',
      'Authorization: Bearer tester',
      'Content-Type: application/json',
      `Content-Length: ${review.length}`,
      'Impersonate-User: system:anonymous',
      'IMPERSONATE-GROUP: system:masters',
      'Impersonate-Extra-Scopes: all',
      'X-Remote-User: somebody',
      'X-Forwarded-For: 10.0.0.1',
      'Cookie: session=stolen',
      'Connection: close, Impersonate-User, Authorization',
    ],
    review,
  )
  expect(answer).toContain('HTTP/1.1 201')
  expect(answer).not.toContain('system:anonymous')
  const direct = await node.cluster.create({
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'SelfSubjectReview',
    metadata: {} as { name: string },
  })
  expect(answer).toContain(`"username":"${direct.object.status.userInfo.username}"`)
})

test.each([
  ['..', `${below}/api/v1/../../version`],
  ['encoded dots', `${below}/api/v1/%2e%2e/%2e%2e/version`],
  ['an encoded slash', `${below}/api/v1/namespaces/a%2f..%2fb`],
  ['a twice-encoded slash', `${below}/api/v1/namespaces/a%252f..%252fb`],
  ['a backslash', `${below}/api/v1/namespaces/a%5c..%5cb`],
  ['an absolute URL', `${below}/http://169.254.169.254/latest`],
  ['a second slash', `${below}//169.254.169.254/latest`],
  ['a zero byte', `${below}/api/v1/namespaces/a%00b`],
  ['a line break', `${below}/api/v1/namespaces/a%0d%0aHost:%20b`],
  ['a hidden question mark', `${below}/api/v1/namespaces/a%3fwatch=true`],
  ['bad encoding', `${below}/api/v1/namespaces/%ff`],
])('[EXT-05] a path with %s is refused and reaches nobody', async (_, path) => {
  expect(await get(path)).toMatch(/^HTTP\/1\.1 (400|404) /)
})

test('[EXT-05] a signed-in browser may use it only from a page of ours, reading included', async () => {
  const port = new URL(url).port
  const cookie = `Cookie: session-${port}=signed-in`
  const from = (...more: string[]) =>
    raw([`GET ${below}/version HTTP/1.1`, `Host: 127.0.0.1:${port}`, cookie, 'Connection: close', ...more])
  expect(await from('Sec-Fetch-Site: same-origin')).toMatch(/^HTTP\/1\.1 200 /)
  expect(await from()).toMatch(/^HTTP\/1\.1 403 /)
  expect(await from('Sec-Fetch-Site: same-site')).toMatch(/^HTTP\/1\.1 403 /)
  expect(await from('Sec-Fetch-Site: cross-site', 'Origin: https://evil.example')).toMatch(/^HTTP\/1\.1 403 /)
})

test('[EXT-05] what a Service in the cluster answers cannot run as a page of ours', async () => {
  await node.pod(namespace, 'web', { image: `${node.registry}/hello:1` })
  const answer = await ask(`${below}/api/v1/namespaces/${namespace}/pods/web:8080/proxy/`)
  expect(answer.headers.get('content-security-policy')).toBe("default-src 'none'; sandbox")
  expect(answer.headers.get('content-type')).toMatch(/^(text\/plain|application\/json)/)
  expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
  expect(answer.headers.get('set-cookie')).toBeNull()
})

test('[EXT-05] a command runs in a container over a WebSocket', async () => {
  await node.pod(namespace, 'target', { image: `${node.registry}/shell:1`, command: ['sleep', '600'] })
  const path = `${below}/api/v1/namespaces/${namespace}/pods/target/exec?command=echo&command=through&stdout=true`
  // Node's WebSocket takes headers, which the browser's type does not know.
  const options = {
    protocols: ['v5.channel.k8s.io'],
    headers: { authorization: 'Bearer tester' },
  } as unknown as string[]
  const socket = new WebSocket(`${url.replace('http', 'ws')}${path}`, options)
  socket.binaryType = 'arraybuffer'
  let text = ''
  socket.addEventListener('message', ({ data }) => {
    text += new TextDecoder().decode(data as ArrayBuffer)
  })
  await once(socket as unknown as NodeJS.EventEmitter, 'close').catch(() => undefined)
  expect(socket.protocol).toBe('v5.channel.k8s.io')
  expect(text).toContain('through')
  expect(text).toContain('"status":"Success"')
  expect((await auditTrail()).some(({ detail }) => detail.includes('/pods/target/exec?command=echo'))).toBe(true)
})

/** What an HTTPS proxy before the server does: it opens the envelope and passes the bytes on. */
async function overTls<Result>(use: (kubectl: Kubectl) => Promise<Result>): Promise<Result> {
  const authority = createTestAuthority()
  const { certificate: cert, key } = authority.issue({ commonName: 'quarterdeck.test' })
  const proxy = createTlsServer({ cert, key }, (secure) => {
    const plain = connect(Number(new URL(url).port), '127.0.0.1')
    secure.on('error', () => plain.destroy())
    plain.on('error', () => secure.destroy())
    secure.pipe(plain).pipe(secure)
  })
  await once(proxy.listen(0, '127.0.0.1'), 'listening')
  const { port } = proxy.address() as AddressInfo
  const kubectl = await kubectlWith(await kubeconfigOf(`https://127.0.0.1:${port}`))
  try {
    return await use(kubectl)
  } finally {
    kubectl.close()
    proxy.close()
  }
}
const insecurely = () => ['--insecure-skip-tls-verify', '-n', namespace]
const WITH_SPDY = { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'false', KUBECTL_PORT_FORWARD_WEBSOCKETS: 'false' }

test.each([
  ['WebSockets', {}],
  ['SPDY', WITH_SPDY],
])(
  '[EXT-05] over HTTPS kubectl runs commands with %s',
  async (_, environment) => {
    await overTls(async ({ run }) => {
      const executed = await run([...insecurely(), 'exec', '-i', 'target', '--', 'cat'], 'there and back', environment)
      expect(executed).toMatchObject({ status: 0, stdout: 'there and back' })
      const failed = await run([...insecurely(), 'exec', 'target', '--', 'sh', '-c', 'exit 7'], '', environment)
      expect(failed.stderr).toContain('exit code 7')
    })
  },
  30_000,
)

test.each([
  ['WebSockets', {}, 'GET'],
  ['SPDY', WITH_SPDY, 'POST'],
])(
  '[EXT-05] kubectl forwards a port with %s: many connections at once, and it is recorded',
  async (_, environment, method) => {
    await platform.reset()
    await overTls(async (overTls) => {
      const forwarding = overTls.start([...insecurely(), '-v=7', 'port-forward', 'pod/web', ':8080'], environment)
      try {
        await expect.poll(() => forwarding.stdout + forwarding.stderr, { timeout: 10_000 }).toContain('Forwarding from')
        const [, port] = /127\.0\.0\.1:(\d+) ->/.exec(forwarding.stdout) ?? []
        const answers = await Promise.all(
          Array.from({ length: 20 }, async () => (await fetch(`http://127.0.0.1:${port}/`)).text()),
        )
        expect(new Set(answers).size).toBe(1)
        expect(answers[0]).not.toBe('')
      } finally {
        await forwarding.stop()
      }
    })
    const trail = (await auditTrail()).filter(({ detail }) => detail.includes('portforward'))
    expect(trail.map(({ outcome, actor }) => [outcome, actor])).toEqual([
      ['intent', 'tester'],
      ['succeeded', 'tester'],
    ])
    expect(trail[0]?.detail).toContain(`${method} /api/v1/namespaces/${namespace}/pods/web/portforward`)
    expect(trail[0]?.environment).toBe(`environment-of-${namespace}`)
  },
  30_000,
)

test('[EXT-05] a port of a pod that is not there: the API server says so, and the connection ends', async () => {
  await overTls(async ({ run }) => {
    const refused = await run([...insecurely(), 'port-forward', 'pod/nobody', ':8080'])
    expect(refused.status).not.toBe(0)
    expect(refused.stderr).toContain('pods "nobody" not found')
  })
  for (const [name, lines] of [
    [
      'WebSocket',
      [
        'GET',
        'Upgrade: websocket',
        'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
        'Sec-WebSocket-Protocol: SPDY/3.1+portforward.k8s.io',
      ],
    ],
    ['SPDY', ['POST', 'Upgrade: SPDY/3.1', 'X-Stream-Protocol-Version: portforward.k8s.io', 'Content-Length: 0']],
  ] as const) {
    const [method, ...headers] = lines
    const answer = await raw(
      [
        `${method} ${below}/api/v1/namespaces/${namespace}/pods/nobody/portforward HTTP/1.1`,
        'Host: 127.0.0.1',
        'Authorization: Bearer tester',
        'Connection: Upgrade',
        ...headers,
      ],
      'GET /version HTTP/1.1\r\nHost: kubernetes\r\n\r\n',
    )
    expect(answer, name).toMatch(/^HTTP\/1\.1 (403|404) /)
    expect(answer.match(/HTTP\/1\.1 /g), name).toHaveLength(1)
    expect(answer, name).not.toContain('gitVersion')
  }
}, 30_000)

test.each([
  ['h2c', ['GET', 'Upgrade: h2c']],
  ['SPDY without a protocol', ['POST', 'Upgrade: SPDY/3.1', 'Content-Length: 0']],
  [
    'SPDY with a body',
    ['POST', 'Upgrade: SPDY/3.1', 'X-Stream-Protocol-Version: v4.channel.k8s.io', 'Content-Length: 5'],
  ],
  [
    'SPDY with a strange protocol',
    ['POST', 'Upgrade: SPDY/3.1', 'X-Stream-Protocol-Version: a b', 'Content-Length: 0'],
  ],
  ['a WebSocket without a protocol', ['GET', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13']],
  ['an old WebSocket', ['GET', 'Upgrade: websocket', 'Sec-WebSocket-Version: 8', 'Sec-WebSocket-Protocol: a']],
])('[EXT-05] an upgrade to %s is not passed on and says so', async (_, [method, ...headers]) => {
  const answer = await raw([
    `${method} ${below}/api/v1/namespaces/${namespace}/pods/target/exec?command=true HTTP/1.1`,
    'Host: 127.0.0.1',
    'Authorization: Bearer tester',
    'Connection: Upgrade',
    ...headers,
  ])
  expect(answer).toMatch(/^HTTP\/1\.1 400 /)
  expect(answer).toMatch(/what kubectl sends for exec, attach and port-forward|did not match Content-Length/)
})

test('[EXT-05] both are in the OpenAPI document with their permission', async () => {
  const document = (await (await ask('/api/v1/openapi.json')).json()) as {
    paths: Record<string, Record<string, { 'x-permission': string }>>
  }
  const methods = document.paths['/api/v1/clusters/{cluster}/kubernetes/{path}'] ?? {}
  expect(Object.keys(methods).sort()).toEqual(['delete', 'get', 'patch', 'post', 'put'])
  expect(Object.values(methods).map((one) => one['x-permission'])).toEqual(Array(5).fill('cluster.native'))
})
