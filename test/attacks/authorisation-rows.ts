import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { deleteToken } from '../../features/tenancy/session/token.contract.ts'
import { declaredEndpoints } from '../../scripts/contracts.ts'
import { tokenClient } from '../platform/platform.ts'
import type { Row } from './row.ts'
import { pathOf, refused, type Target } from './target.ts'

const SMUGGLED: Record<string, string> = {
  'impersonate-user': 'system:admin',
  'impersonate-group': 'system:masters',
  'impersonate-extra-scopes': 'all',
  'x-remote-user': 'system:admin',
  'x-remote-group': 'system:masters',
  'x-forwarded-user': 'admin',
}
const DEPLOY = '/api/v1/environments/dev/applications/smuggled?dryRun=true'

/** Makes the platform write to the cluster while it is told lies about who it is. */
async function deployWith(target: Target, headers: Record<string, string>): Promise<void> {
  const before = readFileSync(target.cluster.plane.auditLogFile, 'utf8').length
  const authorization = `Bearer ${target.admin.token}`
  const body = { image: target.cluster.image(1), exposure: 'none' }
  const { status, text } = await target.send('PUT', DEPLOY, { headers: { authorization, ...headers }, body })
  assert.equal(status, 200, text)
  const log = readFileSync(target.cluster.plane.auditLogFile, 'utf8').slice(before)
  assert.match(log, /deployments/, 'the dry run did not reach the API server')
  assertOurOwn(log)
}

async function everyEndpoint(target: Target): Promise<string> {
  const revoked = await tokenClient(target.server.url)
  await revoked(deleteToken, { params: { token: await idOf(revoked) } })
  const callers: [string, string | undefined, number[]][] = [
    ['anonymous', undefined, [401]],
    ['with a revoked token', `Bearer ${revoked.token}`, [401]],
    ['with a made-up token', 'Bearer qd_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', [401]],
    ['with another scheme', `Basic ${Buffer.from('admin:admin').toString('base64')}`, [401]],
    ['with an empty token', 'Bearer ', [401]],
  ]
  const endpoints = (await declaredEndpoints()).map(({ endpoint }) => endpoint)
  for (const endpoint of endpoints.filter(({ permission }) => permission !== 'anonymous')) {
    const path = pathOf(endpoint)
    const withBody = ['POST', 'PUT', 'PATCH'].includes(endpoint.method) ? { body: {} } : {}
    for (const [who, authorization, statuses] of callers) {
      const headers: Record<string, string> = authorization === undefined ? {} : { authorization }
      refused(await target.send(endpoint.method, path, { headers, ...withBody }), `${endpoint.id} ${who}`, ...statuses)
    }
    if (endpoint.permission === 'self' || endpoint.permission === 'application.list') continue
    const headers = { authorization: `Bearer ${target.limited.token}` }
    const answer = await target.send(endpoint.method, path, { headers, ...withBody })
    refused(answer, `${endpoint.id} with a token for something else`, 403)
    assert.equal(answer.body.permission, endpoint.permission)
  }
  return `${endpoints.length} endpoints × ${callers.length + 1} callers`
}

async function idOf({ baseUrl, token }: { baseUrl: string; token: string | undefined }): Promise<string> {
  const response = await fetch(`${baseUrl}/api/v1/tokens`, { headers: { authorization: `Bearer ${token}` } })
  const { items } = (await response.json()) as { items: { id: string; current: boolean }[] }
  return items.find(({ current }) => current)?.id ?? ''
}

async function massAssignment(target: Target): Promise<string> {
  const headers = { authorization: `Bearer ${target.admin.token}` }
  const extra = {
    isAdmin: true,
    role: 'administrator',
    permissions: ['*'],
    ownerId: 1,
    approvedBy: 'me',
    state: 'Succeeded',
  }
  const endpoints = (await declaredEndpoints()).map(({ endpoint }) => endpoint)
  const writes = endpoints.filter(
    ({ body, permission }) => body._zod.def.type !== 'undefined' && permission !== 'anonymous',
  )
  for (const endpoint of writes) {
    const answer = await target.send(endpoint.method, pathOf(endpoint), { headers, body: extra })
    refused(answer, endpoint.id, 400)
  }
  return `${writes.length} bodies`
}

/** What the audit log of the API server tells of who asked: the platform, for itself and for the executor of dev. */
function assertOurOwn(log: string): void {
  assert.doesNotMatch(log, /system:admin"/)
  // The last line may still be being written.
  for (const line of log.split('\n').slice(0, -1)) {
    const { impersonatedUser } = JSON.parse(line) as { impersonatedUser?: { username: string; groups?: string[] } }
    if (impersonatedUser === undefined) continue
    assert.equal(impersonatedUser.username, 'quarterdeck:executor:dev')
    assert.ok(!impersonatedUser.groups?.includes('system:masters'), line)
  }
}

export const authorisationRows: Row[] = [
  {
    id: 'A01',
    what: "identity headers of a proxy in a request: the API server sees only the platform's own identities",
    run: async (target) => {
      await deployWith(target, SMUGGLED)
      return undefined
    },
  },
  {
    id: 'A02',
    what: 'the same named in Connection, in capitals and twice',
    async run(target) {
      const body = JSON.stringify({ image: target.cluster.image(1), exposure: 'none' })
      const head = [
        `PUT ${DEPLOY} HTTP/1.1`,
        `Host: 127.0.0.1:${target.server.port}`,
        `Authorization: Bearer ${target.admin.token}`,
        'Content-Type: application/json',
        `Content-Length: ${body.length}`,
        'IMPERSONATE-USER: system:admin',
        'Impersonate-User: system:admin',
        'Impersonate-Group: system:masters',
        'Connection: close, Impersonate-User, X-Remote-Group',
        'X-Remote-Group: system:masters',
      ]
      const before = readFileSync(target.cluster.plane.auditLogFile, 'utf8').length
      const answer = await target.raw(`${head.join('\r\n')}\r\n\r\n${body}`, 5_000)
      assert.match(answer, /^HTTP\/1\.1 200 /)
      const log = readFileSync(target.cluster.plane.auditLogFile, 'utf8').slice(before)
      assert.match(log, /deployments/, 'the dry run did not reach the API server')
      assertOurOwn(log)
      return undefined
    },
  },
  {
    id: 'A06',
    what: 'path tricks, absolute URIs and foreign host names reach nothing',
    async run(target) {
      const token = `Authorization: Bearer ${target.limited.token}`
      const paths = [
        '/api/v1/environments/dev/../../clusters',
        '/api/v1/environments/dev/%2e%2e/%2e%2e/clusters',
        '/api/v1/environments/..%2fclusters',
        '/api/v1//clusters',
        '/api/v1/clusters;x=1',
        '/api/v1/clusters%00',
        '/api/v1/environments/a%2fb/applications',
        '/api/v1/%63lusters/../clusters',
      ]
      for (const path of paths) {
        const answer = await target.raw(
          `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${target.server.port}\r\n${token}\r\nConnection: close\r\n\r\n`,
        )
        assert.match(answer, /^HTTP\/1\.1 (400|403|404) /, `${path}: ${answer.slice(0, 80)}`)
      }
      const absolute = await target.raw(
        'GET http://evil.example/api/v1/clusters HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n',
      )
      assert.match(absolute, /^HTTP\/1\.1 4\d\d /)
      for (const host of ['evil.example', 'evil.example:7070', '127.0.0.1.evil.example', '']) {
        const answer = await target.raw(`GET /api/v1/setup HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
        assert.match(answer, /^HTTP\/1\.1 4(00|21) /, `Host ${host}: ${answer.slice(0, 80)}`)
      }
      return `${paths.length} paths, 5 host names`
    },
  },
  {
    id: 'A09',
    what: 'every endpoint for everybody who may not: 401 or 403, the missing permission named',
    run: everyEndpoint,
  },
  {
    id: 'A10',
    what: 'ids that nobody has are not found, and say no more than that',
    async run(target) {
      const headers = { authorization: `Bearer ${target.admin.token}` }
      const endpoints = (await declaredEndpoints()).map(({ endpoint }) => endpoint)
      const reads = endpoints.filter(
        ({ method, path, transport }) => method === 'GET' && /:(?!environment)/.test(path) && transport !== 'websocket',
      )
      for (const endpoint of reads) refused(await target.send('GET', pathOf(endpoint), { headers }), endpoint.id, 404)
      return `${reads.length} reads`
    },
  },
  { id: 'A11', what: 'members that no contract names are refused in every body', run: massAssignment },
]
