import assert from 'node:assert/strict'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '@quarterdeck/client'
import type { AnyEndpoint } from '@quarterdeck/kernel'
import { WebSocket } from 'ws'
import { listClusters } from '../../features/cluster/cluster/cluster.contract.ts'
import { LiveFrame, watchObjects } from '../../features/cluster/object/object.contract.ts'
import { getEnvironment } from '../../features/tenancy/environment/environment.contract.ts'
import { deleteGrant, listGrants } from '../../features/tenancy/grant/grant.contract.ts'
import { deleteSession } from '../../features/tenancy/session/session.contract.ts'
import { declaredEndpoints } from '../../scripts/contracts.ts'
import { give, person } from '../platform/people.ts'
import { ensureEnvironment, signIn } from '../platform/platform.ts'
import type { Row } from './row.ts'
import { pathOf, type Target } from './target.ts'

const bearer = ({ token }: { token: string | undefined }) => ({ authorization: `Bearer ${token}` })

/** Where a value that may not be read could be told by what is found, counted or put in order. */
const HIDDEN = [
  'data',
  'data.password',
  'stringData.password',
  'secret.data',
  'object.data.password',
  'metadata.annotations.kubectl',
  'annotation:kubectl.kubernetes.io/last-applied-configuration',
  'label:password',
  'passwordHash',
  'secretHash',
  'account.passwordHash',
  'settings.secret',
  '__proto__',
  'constructor.name',
]
const ASKED_BY = ['filter', 'sort', 'columns', 'fields', 'by', 'text', 'search']

/** Questions about a field that may not be read, with the beginning of its value and with another one. */
function questions(endpoint: AnyEndpoint, field: string, value: string): Record<string, string>[] {
  const known = Object.keys(endpoint.query.shape)
  const tries: Record<string, string>[] = [
    { filter: `${field}:${value}*` },
    { filter: `${field}=${value}` },
    { filter: `${field}>${value}` },
    { filter: `-${field}:${value}` },
    { text: `${field}:${value}` },
    { search: value },
    { by: field, filter: value },
    { fields: field, filter: value },
  ]
  return tries.filter((one) => Object.keys(one).every((name) => known.includes(name)))
}

async function unreadableFields(target: Target): Promise<string> {
  const { admin, cluster } = target
  const { namespace } = await admin(getEnvironment, { params: { environment: 'dev' } })
  const [known, other] = ['harbourlight', 'mountainside']
  for (const [name, password] of [
    ['a12-first', `${known}-zz`],
    ['a12-second', `${known}-aa`],
  ] as const) {
    const metadata = { namespace, name, annotations: { 'a12.example/held': password } }
    await cluster.kube.apply({ apiVersion: 'v1', kind: 'Secret', metadata, stringData: { password } })
  }
  const callers: [string, Client][] = [
    ['administrator', admin],
    ['dba', await person(admin, 'a12-dba', [{ role: 'dba', environment: 'dev' }])],
    ['viewer', await person(admin, 'a12-viewer', [{ role: 'viewer', environment: 'dev' }])],
  ]
  await sleep(500) // the mirror has them
  const endpoints = (await declaredEndpoints())
    .map(({ endpoint }) => endpoint)
    .filter(({ method, transport, query }) => {
      const asks = Object.keys(query.shape).some((name) => ASKED_BY.includes(name))
      return method === 'GET' && transport === 'json' && asks
    })
  let asked = 0
  for (const endpoint of endpoints) {
    const path = pathOf({ ...endpoint, path: endpoint.path.replace(':resource', 'secrets') })
    for (const [who, client] of callers) {
      const ask = async (query: Record<string, string>) => {
        asked++
        const { status, text } = await target.send('GET', `${path}?${new URLSearchParams(query)}`, {
          headers: bearer(client),
        })
        const said = text.replace(/"(instance|ageSeconds|revision)":("[^"]*"|[\d.]+),?/g, '')
        return `${status} ${said.replaceAll(encodeURIComponent(known), 'X').replaceAll(known, 'X').replaceAll(other, 'X')}`
      }
      for (const field of HIDDEN) {
        const guesses = [known, other].map((value) => questions(endpoint, field, value))
        for (const [at, right] of (guesses[0] ?? []).entries()) {
          const [found, missed] = [await ask(right), await ask(guesses[1]?.[at] ?? {})]
          assert.equal(found, missed, `${endpoint.id} tells ${who} of ${JSON.stringify(right)}`)
        }
        if (!('sort' in endpoint.query.shape)) continue
        const [up, down] = [await ask({ sort: field }), await ask({ sort: `-${field}` })]
        assert.match(up, /^(400|403|404) /, `${endpoint.id} puts ${field} in order for ${who}`)
        assert.match(down, /^(400|403|404) /)
      }
    }
  }
  return `${asked} questions at ${endpoints.length} endpoints`
}

type Frame = LiveFrame
/** A live socket that keeps what it is told. */
async function liveSocket(client: Client) {
  const socket = new WebSocket(client.socketUrl(watchObjects, {}), { headers: bearer(client) })
  const frames: Frame[] = []
  let closed = false
  socket.on('message', (bytes) => void frames.push(LiveFrame.parse(JSON.parse(String(bytes)))))
  socket.on('close', () => {
    closed = true
  })
  await once(socket, 'open')
  return {
    frames,
    isClosed: () => closed,
    send: (request: object) => socket.readyState === socket.OPEN && socket.send(JSON.stringify(request)),
    /** The answer to what was asked under this number. */
    async answer(id: number): Promise<Frame> {
      for (let tries = 0; tries < 100; tries++) {
        const opened = frames.find((frame) => frame.type === 'opened' && frame.id === id)
        const view = opened?.type === 'opened' ? opened.view : undefined
        const found = frames.find(
          (frame) => (frame.type === 'refused' && frame.id === id) || (frame.type === 'whole' && frame.view === view),
        )
        if (found) return found
        await sleep(50)
      }
      throw new Error(`no answer to ${id}`)
    },
    end: () => socket.terminate(),
  }
}

const totalOf = (frame: Frame): number => (frame.type === 'whole' ? frame.page.total : -1)

async function subscriptions(target: Target): Promise<string> {
  const { admin, cluster } = target
  await ensureEnvironment(admin, 'side')
  const [registered] = (await admin(listClusters)).items
  const client = await person(admin, 'a13-viewer', [{ role: 'viewer', environment: 'dev' }])
  const live = await liveSocket(client)
  const refusals: object[] = [
    { resource: 'secrets' },
    { resource: 'nodes' },
    { resource: 'clusterroles.rbac.authorization.k8s.io' },
    { resource: 'a13-nowhere' },
  ]
  const words = new Set<string>()
  for (const [id, asked] of refusals.entries()) {
    live.send({ type: 'open', id, ...asked })
    const frame = await live.answer(id)
    assert.equal(frame.type, 'refused', JSON.stringify(asked))
    if (frame.type === 'refused') words.add(frame.detail.replace(Object.values(asked)[0] as string, 'X'))
  }
  assert.equal(words.size, 1, `words tell a kind that is there from one that is not: ${[...words].join(' / ')}`)
  const elsewhere = [
    { resource: 'configmaps', namespace: 'side' },
    { resource: 'configmaps', namespace: 'kube-system' },
    { resource: 'configmaps', filter: 'ns:side' },
    { resource: 'configmaps', cluster: registered?.name, namespace: 'side' },
    { resource: 'configmaps', cluster: 'a13-nowhere' },
  ]
  for (const [at, asked] of elsewhere.entries()) {
    live.send({ type: 'open', id: 10 + at, ...asked })
    const frame = await live.answer(10 + at)
    assert.ok(totalOf(frame) <= 0, `${JSON.stringify(asked)} shows ${totalOf(frame)}`)
  }
  live.send({ type: 'open', id: 50, resource: 'configmaps', namespace: 'dev' })
  await live.answer(50)
  const widened = [
    { type: 'move', id: 50, offset: 0, limit: 10, namespace: 'side' },
    { type: 'open', id: 50, resource: 'secrets' },
    { type: 'move', id: 99, offset: 0, limit: 10 },
  ]
  const before = live.frames.filter(({ type }) => type === 'refused').length
  for (const request of widened) live.send(request)
  await sleep(500)
  assert.equal(live.frames.filter(({ type }) => type === 'refused').length - before, widened.length, 'it was widened')
  const native = `/api/v1/clusters/${registered?.name}/kubernetes/api/v1`
  for (const path of ['/namespaces/side/configmaps', '/secrets', '/configmaps']) {
    const { status } = await target.send('GET', `${native}${path}?watch=true&timeoutSeconds=1`, {
      headers: bearer(client),
    })
    assert.equal(status, 403, `watch of ${path}`)
  }
  const late = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'side', name: 'a13-late' } }
  await cluster.kube.apply(late)
  await sleep(500)
  assert.ok(!JSON.stringify(live.frames).includes('a13-late'), 'what happens in another environment is told')
  live.end()
  return `${refusals.length + elsewhere.length + widened.length + 3} ways, ${await races(target)} races`
}

/** The right goes while the subscription comes: whichever is first, what happens afterwards is not told. */
async function races({ admin, cluster }: Target): Promise<number> {
  const ROUNDS = 8
  for (let round = 0; round < ROUNDS; round++) {
    const user = `a13-racer-${round}`
    const client = await person(admin, user)
    await give(admin, user, { role: 'viewer', environment: 'dev' })
    const live = await liveSocket(client)
    const { items } = await admin(listGrants, { query: { user } })
    const revoke = Promise.all(items.map(({ id }) => admin(deleteGrant, { params: { grant: id } })))
    const open = (async () => {
      for (let id = 0; id < 20; id++) {
        live.send({ type: 'open', id, resource: 'configmaps', namespace: 'dev' })
        await sleep(round)
      }
    })()
    await Promise.all([revoke, open])
    await sleep(200)
    const name = `a13-after-${round}`
    await cluster.kube.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'dev', name } })
    await sleep(500)
    assert.ok(!JSON.stringify(live.frames).includes(name), `round ${round}: told after the right had gone`)
    live.end()
  }
  return ROUNDS
}

/** The status with which an upgrade is refused, 101 when it is not; then it is handed to `opened`. */
function upgrade(url: string, headers: Record<string, string>, opened?: (socket: WebSocket) => void): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>()
  const socket = new WebSocket(url, { headers })
  socket.on('unexpected-response', (request, response) => {
    resolve(response.statusCode ?? 0)
    request.destroy()
  })
  socket.on('open', () => {
    resolve(101)
    if (opened) opened(socket)
    else socket.terminate()
  })
  socket.on('error', () => {})
  return promise
}

async function ticket(target: Target): Promise<string> {
  const { server, admin } = target
  const live = `${server.url.replace('http', 'ws')}/api/v1/live`
  const cookie = await signIn(server.url)
  const origin = server.url
  const value = cookie.slice(cookie.indexOf('=') + 1)
  const names = ['ticket', 'token', 'access_token', 'session', 'authorization', cookie.split('=')[0] ?? '']
  for (const name of names) {
    for (const secret of [admin.token ?? '', value]) {
      const status = await upgrade(`${live}?${name}=${encodeURIComponent(secret)}`, { origin })
      assert.ok(status === 400 || status === 401, `a credential as ${name}: ${status}`)
    }
  }
  for (const protocol of [`bearer.${admin.token}`, `base64url.bearer.authorization.k8s.io.${value}`]) {
    assert.equal(await upgrade(live, { origin, 'sec-websocket-protocol': protocol }), 401, 'a credential as a protocol')
  }
  const log = server.log()
  assert.ok(!log.includes(value) && !log.includes(admin.token ?? ' '), 'a credential in an address is in the log')
  const closed = Promise.withResolvers<void>()
  const status = await upgrade(live, { cookie, origin }, (socket) => socket.once('close', () => closed.resolve()))
  assert.equal(status, 101)
  const headers = { cookie, origin }
  assert.ok((await target.send('DELETE', `/api/v1${deleteSession.path}`, { headers })).status < 300)
  await Promise.race([closed.promise, sleep(6_000).then(() => assert.fail('a socket outlives its session'))])
  assert.equal(await upgrade(live, { cookie, origin }), 401, 'a session that has ended')
  // What names a terminal lets nobody in but whose it is.
  const other = await person(admin, 'a48-dora', [{ role: 'developer', environment: 'dev' }])
  const attach = `${live.replace('/live', '')}/terminals/00000000-0000-4000-8000-000000000000/attach`
  const answered = [await codeOf(attach, bearer(admin)), await codeOf(attach, bearer(other))]
  assert.equal(answered[0], answered[1], 'who asks makes a difference')
  return `${names.length * 2 + 5} ways`
}

/** How a socket is refused or closed. */
function codeOf(url: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve) => {
    void upgrade(url, headers, (socket) => socket.once('close', resolve)).then((status) => {
      if (status !== 101) resolve(status)
    })
  })
}

export const sideDoorRows: Row[] = [
  { id: 'A12', what: 'no filter, search, sum or order tells of a field that may not be read', run: unreadableFields },
  {
    id: 'A13',
    what: 'no subscription, however named, widened or raced, shows what is not granted',
    run: subscriptions,
  },
  {
    id: 'A48',
    what: 'a WebSocket takes no credential from its address, and ends with the session that opened it',
    run: ticket,
  },
]
