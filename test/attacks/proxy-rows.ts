import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { listClusters } from '../../features/cluster/cluster/cluster.contract.ts'
import type { Row } from './row.ts'
import { refused, type Target } from './target.ts'

/** Where the Kubernetes API of the target's cluster is reached through the platform. */
async function proxyPath({ admin }: Target): Promise<string> {
  const [cluster] = (await admin(listClusters)).items
  return `/api/v1/clusters/${cluster?.name}/kubernetes`
}

const configMap = (name: string) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data: { tried: 'yes' },
})

const WEBSOCKET = ['Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==']
/** What kubectl asks for, of a pod that is not there. */
const UPGRADES = [
  {
    what: 'exec?command=sh',
    method: 'GET',
    lines: [...WEBSOCKET, 'Sec-WebSocket-Protocol: v5.channel.k8s.io'],
  },
  {
    what: 'portforward',
    method: 'GET',
    lines: [...WEBSOCKET, 'Sec-WebSocket-Protocol: SPDY/3.1+portforward.k8s.io'],
  },
  {
    what: 'portforward',
    method: 'POST',
    lines: ['Upgrade: SPDY/3.1', 'X-Stream-Protocol-Version: portforward.k8s.io', 'Content-Length: 0'],
  },
] as const

export const proxyRows: Row[] = [
  {
    id: 'A01',
    what: 'identity headers through the proxy of a cluster: the API server sees the person and none of them',
    async run(target) {
      const path = `${await proxyPath(target)}/api/v1/namespaces/dev/configmaps`
      const before = readFileSync(target.cluster.plane.auditLogFile, 'utf8').length
      const headers = {
        authorization: `Bearer ${target.admin.token}`,
        'impersonate-user': 'system:admin',
        'impersonate-group': 'system:masters',
        'impersonate-extra-scopes': 'all',
        'x-remote-user': 'system:admin',
        'x-remote-group': 'system:masters',
      }
      const answer = await target.send('POST', path, { headers, body: configMap('smuggled') })
      assert.ok(answer.status === 201 || answer.status === 400, answer.text)
      const log = readFileSync(target.cluster.plane.auditLogFile, 'utf8').slice(before)
      if (answer.status === 201) assert.match(log, /configmaps/)
      assert.doesNotMatch(log, /system:admin"/)
      const acted = [...log.matchAll(/"impersonatedUser":\{"username":"([^"]*)"/g)].map(([, name]) => name)
      assert.ok(acted.includes('quarterdeck:user:admin'), 'the administrator did not act as themselves')
      assert.deepEqual(
        acted.filter((name) => !/^quarterdeck:(user|executor):/.test(name ?? '')),
        [],
      )
      return `answered ${answer.status}`
    },
  },
  {
    id: 'A05',
    what: 'an upgrade that fails, with a second request behind it: one answer, nothing of the second is done',
    async run(target) {
      const path = await proxyPath(target)
      const host = `Host: 127.0.0.1:${target.server.port}`
      const token = `Authorization: Bearer ${target.admin.token}`
      const second = JSON.stringify(configMap('pipelined'))
      const behind = [
        `POST /api/v1/namespaces/dev/configmaps HTTP/1.1`,
        'Host: kubernetes',
        'Content-Type: application/json',
        `Content-Length: ${second.length}`,
      ].join('\r\n')
      for (const { what, method, lines } of UPGRADES) {
        const upgrade = [
          `${method} ${path}/api/v1/namespaces/dev/pods/nobody/${what} HTTP/1.1`,
          host,
          token,
          'Connection: Upgrade',
          ...lines,
        ].join('\r\n')
        const answer = await target.raw(`${upgrade}\r\n\r\n${behind}\r\n\r\n${second}`, 3_000)
        assert.match(answer, /^HTTP\/1\.1 4\d\d /, what)
        assert.equal(answer.split('HTTP/1.1 ').length, 2, `${what}: more than one answer`)
      }
      const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'dev', name: 'pipelined' }
      assert.equal(await target.cluster.kube.get(ref), undefined, 'the second request went through')
      return `${UPGRADES.length} kinds of upgrade`
    },
  },
  {
    id: 'A06',
    what: 'a path below the proxy leads to this API server and to nothing else',
    async run(target) {
      const path = await proxyPath(target)
      const token = `Authorization: Bearer ${target.admin.token}`
      const paths = [
        '/..%2f..%2f..%2fetc/passwd',
        '/%2e%2e/%2e%2e/session',
        '/https:%2f%2fevil.example/api',
        '/%5c%5cevil.example/api',
        '/@evil.example/api',
        '/api%00/v1',
        '/api/v1%0d%0aX-Injected:%20yes',
        '/api/v1%20HTTP/1.1%0d%0aHost:%20evil',
      ]
      for (const tried of paths) {
        const head = `GET ${path}${tried} HTTP/1.1\r\nHost: 127.0.0.1:${target.server.port}\r\n${token}\r\nConnection: close\r\n\r\n`
        const answer = await target.raw(head)
        assert.match(answer, /^HTTP\/1\.1 4\d\d /, `${tried}: ${answer.slice(0, 80)}`)
      }
      return `${paths.length} paths`
    },
  },
  {
    id: 'A15',
    what: 'the proxy of a cluster is closed to a token that carries another permission, exec and delete included',
    async run(target) {
      const path = await proxyPath(target)
      const headers = { authorization: `Bearer ${target.limited.token}` }
      const tries: [string, string][] = [
        ['GET', '/api/v1/secrets'],
        ['POST', '/api/v1/namespaces/dev/pods/nobody/exec?command=sh'],
        ['DELETE', '/api/v1/namespaces/dev'],
        ['PATCH', '/api/v1/namespaces/dev'],
      ]
      for (const [method, tried] of tries) refused(await target.send(method, path + tried, { headers }), tried, 403)
      return `${tries.length} requests`
    },
  },
]
