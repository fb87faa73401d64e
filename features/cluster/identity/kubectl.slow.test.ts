import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls'
import { notFound, type Subject } from '@quarterdeck/kernel'
import { createClusters } from '@quarterdeck/kube'
import {
  createTestAuthority,
  helmWith,
  type Kubectl,
  kubectlWith,
  type NodeCluster,
  nodeCluster,
  type Platform,
  startPlatform,
} from '@quarterdeck/testkit'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { audit } from '../../delivery/operation/operation.store.ts'
import { type OpenAuthority, openAuthority } from '../../tenancy/grant/authority.routes.ts'
import { nativeRoutes } from '../native/native.routes.ts'
import { actFor } from './acting.routes.ts'
import { identityReconciler } from './identity.reconciler.ts'

// A real node, since exec and logs need containers. kubectl sends tokens over TLS only.
let node: NodeCluster
let platform: Platform
let authority: OpenAuthority
let proxy: TlsServer
let jane: Kubectl
let helm: Kubectl
let chart: string
let subject: Subject
let [mine, other] = ['', '']

beforeAll(async () => {
  node = await nodeCluster()
  ;[mine, other] = [await node.namespace('mine'), await node.namespace('other')]
  const clusters = createClusters({
    load: async (name) => (name === 'node' ? { kubeconfig: node.kubeconfig } : undefined),
  })
  platform = await startPlatform({
    cluster: false,
    reconcilers: ({ db }) => ({ identity: identityReconciler({ db, clusters }) }),
    async routes(server, { db, store }) {
      const log = { info: () => {}, warn: () => {}, error: () => {} }
      authority = openAuthority({ db, listen: store.listen, log })
      const { permissionsAt, environmentsWith, placeOf } = authority
      nativeRoutes(server, {
        ...actFor({ clusters, identityOf: authority.identityOf }),
        admit(who, cluster) {
          const where = environmentsWith(who, 'cluster.native')
          if (!where || [...where].some((name) => placeOf(name)?.cluster === cluster)) return
          throw notFound({ detail: 'There is no such cluster for you' })
        },
        permissionsAt,
        environmentAt: authority.environmentAt,
        stepUp: () => undefined,
        onLoss(who, place, lost) {
          const had = [...permissionsAt(who, place)]
          return authority.onChange(() => {
            if (had.some((one) => !new Set(permissionsAt(who, place)).has(one))) lost()
          })
        },
        audit: (event) => audit(db, event),
      })
    },
    server: { authenticate: async ({ token }) => (token === 'jane' ? subject : undefined) },
  })
  await prepare()
  await authority.open()
  await platform.resync()
  const kubeconfig = kubeconfigOf(await overTls(await platform.server.listen(0)))
  ;[jane, helm] = [await kubectlWith(kubeconfig), await helmWith(kubeconfig)]
  chart = writeChart()
  // helm is built first, where it has not been yet.
}, 600_000)
afterAll(async () => {
  jane?.close()
  helm?.close()
  if (chart) rmSync(chart, { recursive: true, force: true })
  proxy?.close()
  authority?.close()
  await platform?.close()
  await node?.close()
})

/** A developer of one of two environments. */
async function prepare(): Promise<void> {
  const { db } = platform
  await sql`insert into cluster (name, title, origin, simulated, server, "sealedKubeconfig")
    values ('node', 'node', 'kubeconfig', false, '', '')`.execute(db)
  for (const namespace of [mine, other]) {
    await sql`insert into environment (name, cluster, namespace, stage, "createTime", operation, state, adopted)
      values (${namespace}, 'node', ${namespace}, 'dev', now(), gen_random_uuid(), 'Ready', false)`.execute(db)
    await node.pod(namespace, 'shop', {
      image: `${node.registry}/shell:1`,
      command: ['sh', '-c', 'echo hello from here; sleep 600'],
    })
  }
  const { rows } = await sql<{ id: string }>`insert into account (name) values ('jane') returning id`.execute(db)
  subject = { id: rows[0]?.id ?? '', name: 'jane', kind: 'user', permissions: ['*'] }
  await sql`insert into role_grant (role, account, environment, grantor) select role.id, account.id, environment.id, 'me'
    from role, account, environment where role.name = 'developer' and environment.name = ${mine}`.execute(db)
}

/** What an HTTPS proxy before the server does: it opens the envelope and passes the bytes on. */
async function overTls(url: string): Promise<number> {
  const { certificate: cert, key } = createTestAuthority().issue({ commonName: 'quarterdeck.test' })
  proxy = createTlsServer({ cert, key }, (secure) => {
    const plain = connect(Number(new URL(url).port), '127.0.0.1')
    secure.on('error', () => plain.destroy())
    plain.on('error', () => secure.destroy())
    secure.pipe(plain).pipe(secure)
  })
  await once(proxy.listen(0, '127.0.0.1'), 'listening')
  return (proxy.address() as AddressInfo).port
}

const kubeconfigOf = (port: number) => `
current-context: node
clusters: [{ name: node, cluster: { server: 'https://127.0.0.1:${port}/api/v1/clusters/node/kubernetes', insecure-skip-tls-verify: true } }]
users: [{ name: jane, user: { token: jane } }]
contexts: [{ name: node, context: { cluster: node, user: jane, namespace: ${mine} } }]
`

test('[EXT-05] [CLU-20] [TEN-12] kubectl with a developer’s token sees exactly their environment', async () => {
  await expect
    .poll(async () => (await jane.run(['get', 'pods', '-o', 'name'])).stdout, { timeout: 10_000 })
    .toBe('pod/shop\n')
  const who = await jane.run(['auth', 'whoami', '-o', 'jsonpath={.status.userInfo.username} {.status.userInfo.uid}'])
  expect(who.stdout).toBe(`quarterdeck:user:jane ${subject.id}`)
  for (const args of [
    ['-n', other, 'get', 'pods'],
    ['get', 'pods', '-A'],
    ['get', 'nodes'],
    ['get', 'secrets'],
    ['get', 'rolebindings'],
    ['-n', other, 'exec', 'shop', '--', 'true'],
    ['-n', other, 'logs', 'shop'],
    ['-n', 'quarterdeck-system', 'create', 'token', 'quarterdeck-impersonator'],
    ['label', 'namespace', mine, 'pod-security.kubernetes.io/enforce=privileged'],
    ['--as', 'system:admin', 'get', 'nodes'],
    ['--as-group', 'system:masters', '--as', 'jane', 'get', 'nodes'],
  ]) {
    const { status, stderr } = await jane.run(args)
    expect([args.join(' '), status === 0]).toEqual([args.join(' '), false])
    expect(stderr, args.join(' ')).toContain('quarterdeck:user:jane')
  }
}, 60_000)

test('[EXT-05] kubectl applies, watches, reads logs, runs commands, copies and deletes there', async () => {
  const config = JSON.stringify({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'settings' },
    data: { a: 'b' },
  })
  expect((await jane.run(['apply', '--server-side', '-f', '-'], config)).stdout).toContain('serverside-applied')
  const waiting = jane.run(['wait', '--for=delete', 'configmap/settings', '--timeout=20s'])
  expect((await jane.run(['delete', 'configmap', 'settings'])).status).toBe(0)
  expect((await waiting).status).toBe(0)
  expect((await jane.run(['logs', 'shop'])).stdout).toBe('hello from here\n')
  expect(await jane.run(['exec', '-i', 'shop', '--', 'cat'], 'there and back')).toMatchObject({
    status: 0,
    stdout: 'there and back',
  })
}, 60_000)

test('[EXT-05] kubectl forwards a port of a pod there, and of no other', async () => {
  const forwarding = jane.start(['port-forward', 'pod/shop', ':8080'])
  await expect.poll(() => forwarding.stdout, { timeout: 10_000 }).toContain('Forwarding from')
  await forwarding.stop()
  const refused = await jane.run(['-n', other, 'port-forward', 'pod/shop', ':8080'])
  expect(refused.status).not.toBe(0)
  expect(refused.stderr).toContain('quarterdeck:user:jane')
}, 30_000)

/** A chart with a workload, its settings and a value. */
function writeChart(): string {
  const folder = mkdtempSync(join(tmpdir(), 'quarterdeck-chart-'))
  mkdirSync(join(folder, 'templates'))
  writeFileSync(join(folder, 'Chart.yaml'), 'apiVersion: v2\nname: greeter\nversion: 0.1.0\n')
  writeFileSync(join(folder, 'values.yaml'), `colour: green\nimage: ${node.registry}/hello:1\n`)
  writeFileSync(
    join(folder, 'templates', 'all.yaml'),
    `apiVersion: v1
kind: ConfigMap
metadata: { name: '{{ .Release.Name }}-settings' }
data: { colour: '{{ .Values.colour }}' }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: '{{ .Release.Name }}' }
spec:
  selector: { matchLabels: { app: '{{ .Release.Name }}' } }
  template:
    metadata: { labels: { app: '{{ .Release.Name }}' } }
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{ name: hello, image: '{{ .Values.image }}' }]
`,
  )
  return folder
}

const colour = async (release: string, namespace = mine) => {
  const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: `${release}-settings` }
  return (await node.cluster.get(ref))?.data?.colour
}

test('[EXT-05] helm tells a developer which permission its releases take, and needs none besides in ConfigMaps', async () => {
  const refused = await helm.run(['install', 'greeter', chart])
  expect(refused.status).not.toBe(0)
  expect(refused.stderr).toContain('User "quarterdeck:user:jane" cannot create resource "secrets"')
  for (const permission of ['secret.read', 'secret.write']) {
    expect(refused.stderr).toContain(
      `this takes the permission ${permission} in environment ${mine}. Ask for it: qd request create --permission ${permission} --env ${mine}`,
    )
  }
  const said = await jane.run(['get', 'secrets'])
  expect(said.stderr).toContain(`this takes the permission secret.read in environment ${mine}`)
  const held = await jane.run(['-n', other, 'get', 'pods'])
  expect(held.stderr).toContain('Quarterdeck: this takes the permission object.list or object.get')
  expect(await colour('greeter')).toBeUndefined()

  const inConfigMaps = { HELM_DRIVER: 'configmap' }
  const installed = await helm.run(['install', 'plain', chart, '--wait'], '', inConfigMaps)
  expect(installed, installed.stderr).toMatchObject({ status: 0 })
  expect(await colour('plain')).toBe('green')
  expect((await helm.run(['uninstall', 'plain'], '', inConfigMaps)).status).toBe(0)
}, 90_000)

test('[EXT-05] [CLU-20] helm installs, upgrades, rolls back, lists and uninstalls within the person’s rights, and nowhere else', async () => {
  const { db } = platform
  await sql`insert into role (name, permissions)
    values ('helm', ${JSON.stringify(['secret.read', 'secret.write'])}::jsonb)`.execute(db)
  await sql`insert into role_grant (role, account, environment, grantor) select role.id, account.id, environment.id, 'me'
    from role, account, environment where role.name = 'helm' and environment.name = ${mine}`.execute(db)
  await authority.refresh()
  await platform.resync()
  await expect.poll(async () => (await jane.run(['get', 'secrets'])).status, { timeout: 10_000 }).toBe(0)

  const run = async (...args: string[]) => {
    const ended = await helm.run(args)
    expect(ended, `${args.join(' ')}: ${ended.stderr}`).toMatchObject({ status: 0 })
    return ended.stdout
  }
  await run('install', 'greeter', chart, '--wait')
  expect(await colour('greeter')).toBe('green')
  await run('upgrade', 'greeter', chart, '--set', 'colour=red', '--wait')
  expect(await colour('greeter')).toBe('red')
  await run('rollback', 'greeter', '1', '--wait')
  expect(await colour('greeter')).toBe('green')
  const releases: { name: string; revision: string; status: string }[] = JSON.parse(await run('list', '-o', 'json'))
  expect(releases).toMatchObject([{ name: 'greeter', revision: '3', status: 'deployed' }])
  await run('uninstall', 'greeter', '--wait')
  expect(await colour('greeter')).toBeUndefined()

  for (const driver of ['secret', 'configmap']) {
    const elsewhere = await helm.run(['-n', other, 'install', 'greeter', chart], '', { HELM_DRIVER: driver })
    expect(elsewhere.status, driver).not.toBe(0)
    expect(elsewhere.stderr, driver).toContain('quarterdeck:user:jane')
    expect(await colour('greeter', other), driver).toBeUndefined()
  }
}, 120_000)

test('[CLU-20] a watch, a command and a forwarded port end within 5 s of the grant that let them begin', async () => {
  const began = performance.now()
  const watching = jane.run(['get', 'pods', '--watch'])
  const running = jane.run(['exec', 'shop', '--', 'sleep', '25'])
  const forwarding = jane.start(['port-forward', 'pod/shop', ':8080'])
  await expect.poll(() => forwarding.stdout, { timeout: 10_000 }).toContain('Forwarding from')
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  const taken = performance.now()
  await sql`delete from role_grant`.execute(platform.db)
  await authority.refresh()
  await platform.settle()
  const ended = await running
  expect(await forwarding.ended).not.toBe(0)
  expect(performance.now() - taken).toBeLessThan(5_000)
  expect(ended.status).not.toBe(0)
  await watching
  expect(performance.now() - began).toBeLessThan(25_000)
  expect((await jane.run(['get', 'pods'])).status).not.toBe(0)
}, 60_000)
