import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '@quarterdeck/client'
import type { KubeObject } from '@quarterdeck/kernel'
import { type Cluster, connectCluster, IMPERSONATOR } from '@quarterdeck/kube'
import { controlPlane } from '@quarterdeck/local-cluster'
import { listClusters, registerCluster, removeCluster } from '../../features/cluster/cluster/cluster.contract.ts'
import { createToken } from '../../features/tenancy/session/token.contract.ts'
import { person } from '../platform/people.ts'
import { ensureEnvironment } from '../platform/platform.ts'
import type { Row } from './row.ts'
import { refused, type Target } from './target.ts'

const REVIEW = JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' })
const REVIEWS = '/apis/authentication.k8s.io/v1/selfsubjectreviews'

/** Where the Kubernetes API of the target's cluster is reached through the platform. */
async function proxyPath({ admin }: Target): Promise<string> {
  const [cluster] = (await admin(listClusters)).items
  return `/api/v1/clusters/${cluster?.name}/kubernetes`
}

export const bearer = ({ token }: { token: string | undefined }) => ({ authorization: `Bearer ${token}` })

interface UserInfo {
  username: string
  uid: string
  groups: string[]
}

/** Whom the API server takes somebody for. */
async function whoIs(target: Target, client: Client): Promise<UserInfo> {
  const headers = { ...bearer(client), 'content-type': 'application/json' }
  const answer = await target.send('POST', (await proxyPath(target)) + REVIEWS, { headers, body: REVIEW })
  assert.equal(answer.status, 201, answer.text)
  return (answer.body.status as { userInfo: UserInfo }).userInfo
}

/** What a granted role opens at the API server is there a moment after the grant. */
export async function until(what: string, ask: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    if (await ask()) return
    await sleep(100)
  }
  assert.fail(`${what}: not within 10 s`)
}

// Made once for all rows of a run.
let developer: Promise<Client> | undefined
const developerOf = (target: Target): Promise<Client> => {
  developer ??= (async () => {
    await ensureEnvironment(target.admin, 'side')
    const made = await person(target.admin, 'ivan', [{ role: 'developer', environment: 'dev' }])
    const path = `${await proxyPath(target)}/api/v1/namespaces/dev/pods`
    await until(
      'a developer sees pods',
      async () => (await target.send('GET', path, { headers: bearer(made) })).status === 200,
    )
    return made
  })()
  return developer
}

const SMUGGLED = [
  ['in capitals', ['IMPERSONATE-USER: system:admin', 'IMPERSONATE-GROUP: system:masters']],
  ['twice', ['Impersonate-User: system:admin', 'Impersonate-User: system:admin', 'X-Remote-User: system:admin']],
  [
    'named in Connection',
    ['Connection: close, Impersonate-User, X-Remote-Group, Authorization', 'X-Remote-Group: system:masters'],
  ],
  ['as trailers', ['TE: trailers', 'Trailer: Impersonate-User', 'Impersonate-Extra-Scopes: all']],
  ['with an underscore', ['Impersonate_User: system:admin', 'X_Remote_User: system:admin']],
  ['behind a space', ['Impersonate-User : system:admin']],
  ['folded', ['X-Nothing: a\r\n Impersonate-User: system:admin']],
  ['with a zero byte', ['Impersonate-User: system:admin\0']],
  ['with another hyphen', ['Impersonate\u2010User: system:admin']],
  ['as of HTTP/2', [':authority: system:admin', 'Impersonate-Uid: 0']],
] as const

async function smuggled(target: Target): Promise<string> {
  const client = await developerOf(target)
  const path = await proxyPath(target)
  const mine = await whoIs(target, client)
  assert.equal(mine.username, 'quarterdeck:user:ivan')
  let passed = 0
  for (const [how, lines] of SMUGGLED) {
    const head = [
      `POST ${path}${REVIEWS} HTTP/1.1`,
      `Host: 127.0.0.1:${target.server.port}`,
      `Authorization: Bearer ${client.token}`,
      'Content-Type: application/json',
      `Content-Length: ${REVIEW.length}`,
      ...lines,
    ]
    const answer = await target.raw(Buffer.from(`${head.join('\r\n')}\r\n\r\n${REVIEW}`, 'utf8'), 2_000)
    assert.match(answer, /^HTTP\/1\.1 (201|400) /, `${how}: ${answer.slice(0, 200)}`)
    assert.doesNotMatch(answer, /system:admin"|system:masters/, how)
    if (!answer.startsWith('HTTP/1.1 201')) continue
    passed++
    assert.ok(answer.includes(`"username":"${mine.username}","uid":"${mine.uid}"`), `${how}: ${answer}`)
  }
  return `${SMUGGLED.length} ways, ${passed} answered without what was smuggled`
}

async function powerfulNames(target: Target): Promise<string> {
  await ensureEnvironment(target.admin, 'side')
  const names = [
    'system:admin',
    'system:masters',
    'quarterdeck:user:admin',
    'a,b',
    'a\nb',
    'a b',
    'a~2',
    'Admin',
    '-',
    'ádmin',
  ]
  for (const name of names) {
    refused(await target.send('POST', '/api/v1/users', { headers: bearer(target.admin), body: { name } }), name, 400)
    refused(await target.send('POST', '/api/v1/groups', { headers: bearer(target.admin), body: { name } }), name, 400)
  }
  const named = await person(target.admin, 'cluster-admin', [{ role: 'developer', environment: 'dev' }])
  const { username, groups } = await whoIs(target, named)
  assert.deepEqual([username, groups], ['quarterdeck:user:cluster-admin', ['system:authenticated']])
  const path = await proxyPath(target)
  for (const what of ['nodes', 'secrets', 'namespaces/side/pods', 'namespaces/quarterdeck-system/serviceaccounts']) {
    refused(await target.send('GET', `${path}/api/v1/${what}`, { headers: bearer(named) }), what, 403)
  }
  return `${names.length} names refused, one mapped`
}

/** A second name for the same API server, and credentials that are of another place. */
async function otherCluster(target: Target): Promise<string> {
  const client = await developerOf(target)
  const kubeconfig = readFileSync(target.cluster.plane.kubeconfigFile, 'utf8')
  await target.admin(registerCluster, { params: { cluster: 'twin' }, body: { kubeconfig } })
  try {
    const below = `/api/v1/clusters/twin/kubernetes/api/v1/namespaces/dev/pods`
    refused(await target.send('GET', below, { headers: bearer(client) }), 'rights of one cluster on another', 403)
    const { secret } = await target.admin(createToken, { body: { name: 'one-place', within: { environment: 'dev' } } })
    const limited = { token: secret }
    refused(await target.send('GET', below, { headers: bearer(limited) }), 'a token of one cluster on another', 403)
    const path = await proxyPath(target)
    const at = (what: string) => target.send('GET', `${path}/api/v1/${what}`, { headers: bearer(limited) })
    assert.equal((await at('namespaces/dev/pods')).status, 200)
    for (const what of ['namespaces/side/pods', 'pods', 'nodes', 'namespaces/kube-system/secrets']) {
      refused(await at(what), `${what} with a token of dev`, 403)
    }
    const own = await tokenOf(target.cluster.kube, 'https://kubernetes.default.svc')
    const foreign = await tokenOf(target.cluster.kube, 'https://elsewhere.example')
    for (const token of [own, foreign]) {
      refused(await target.send('GET', `${path}/version`, { headers: bearer({ token }) }), "an API server's token", 401)
    }
    const asForeign = asToken(target, foreign)
    await assert.rejects(asForeign.version(), /does not accept the credentials/)
    await asForeign.close()
  } finally {
    await target.admin(removeCluster, { params: { cluster: 'twin' } })
  }
  return 'another cluster, a token of one environment, tokens of the API server'
}

/** Another API server under the name of one that has environments. */
async function sameName(target: Target): Promise<string> {
  const [registered] = (await target.admin(listClusters)).items
  const plane = await controlPlane({ folder: mkdtempSync(join(tmpdir(), 'quarterdeck-other-')) })
  try {
    const kubeconfig = readFileSync(plane.kubeconfigFile, 'utf8')
    const path = `/api/v1/clusters/${registered?.name}`
    const put = (more: object) =>
      target.send('PUT', path, { headers: bearer(target.admin), body: { kubeconfig, replace: true, ...more } })
    const tries = [
      {},
      { otherCluster: true },
      { otherCluster: true, environments: ['nobody'] },
      { environments: ['dev'] },
    ]
    for (const more of tries) {
      const answer = await put(more)
      refused(answer, `another cluster as ${registered?.name} ${JSON.stringify(more)}`, 409)
      assert.equal(answer.body.type, '/problems/other-cluster')
      assert.match(answer.text, /leads to another cluster than the one that is registered/)
    }
    const [still] = (await target.admin(listClusters)).items
    assert.equal(still?.server, registered?.server)
    // A kubeconfig of the old one, at whatever address, is taken as before.
    const own = readFileSync(target.cluster.plane.kubeconfigFile, 'utf8')
    await target.admin(registerCluster, {
      params: { cluster: registered?.name ?? '' },
      body: { kubeconfig: own, replace: true },
    })
    return `${tries.length} ways`
  } finally {
    await plane.stop({ remove: true })
  }
}

/** A token of the impersonator for an audience. */
async function tokenOf(kube: Cluster, audience?: string): Promise<string> {
  const { namespace, name } = IMPERSONATOR
  const spec = audience === undefined ? {} : { audiences: [audience] }
  const answer = await kube.native({
    method: 'POST',
    path: `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`,
    query: '',
    contentType: 'application/json',
    body: Buffer.from(JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec })),
  })
  let text = ''
  for await (const part of answer.body) text += part
  return JSON.parse(text).status.token
}

function asToken({ cluster }: Target, token: string): Cluster {
  const kubeconfig = readFileSync(cluster.plane.kubeconfigFile, 'utf8')
    .replace(/client-certificate-data:.*\n/, '')
    .replace(/client-key-data:.*/, `token: ${token}`)
  return connectCluster({ name: 'stolen', kubeconfig })
}

async function onlyPods(target: Target): Promise<string> {
  await ensureEnvironment(target.admin, 'side')
  const viewer = await person(target.admin, 'vito', [{ role: 'viewer', environment: 'dev' }])
  const client = await person(target.admin, 'olga', [
    { role: 'viewer', environment: 'dev' },
    { role: 'dba', environment: 'side' },
  ])
  const path = await proxyPath(target)
  const pod = `${path}/api/v1/namespaces/dev/pods`
  refused(await target.send('GET', pod, { headers: bearer(viewer) }), 'a viewer natively', 403)
  // Lets her in for the sake of another environment; in this one she may look and no more.
  await until(
    'somebody who looks sees pods',
    async () => (await target.send('GET', pod, { headers: bearer(client) })).status === 200,
  )
  const tries: [string, string][] = [
    ['POST', '/nobody/exec?command=sh'],
    ['GET', '/nobody/exec?command=sh'],
    ['POST', '/nobody/attach'],
    ['GET', '/nobody/attach'],
    ['POST', '/nobody/portforward'],
    ['GET', '/nobody/portforward'],
    ['PATCH', '/nobody/ephemeralcontainers'],
    ['GET', '/nobody/log'],
    ['GET', '/nobody/proxy/'],
    ['DELETE', '/nobody'],
    ['POST', ''],
  ]
  for (const [method, tried] of tries) {
    const headers = { ...bearer(client), 'content-type': 'application/json' }
    const body =
      method === 'GET' || method === 'DELETE'
        ? {}
        : { body: JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' } }) }
    const answer = await target.send(method, pod + tried, { headers, ...body })
    refused(answer, `${method} ${tried}`, 403)
    assert.equal(answer.body.kind, 'Status', `${method} ${tried}: it was not the API server that refused`)
    assert.match(String(answer.body.message), /quarterdeck:user:olga/, tried)
  }
  const websocket = ['Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==']
  const upgrades: [string, string, string[]][] = [
    ['GET', 'exec?command=sh', [...websocket, 'Sec-WebSocket-Protocol: v5.channel.k8s.io']],
    ['GET', 'portforward', [...websocket, 'Sec-WebSocket-Protocol: SPDY/3.1+portforward.k8s.io']],
    ['POST', 'portforward', ['Upgrade: SPDY/3.1', 'X-Stream-Protocol-Version: portforward.k8s.io']],
    ['POST', 'exec?command=sh', ['Upgrade: SPDY/3.1', 'X-Stream-Protocol-Version: v4.channel.k8s.io']],
  ]
  for (const [method, what, lines] of upgrades) {
    const head = [
      `${method} ${pod}/nobody/${what} HTTP/1.1`,
      `Host: 127.0.0.1:${target.server.port}`,
      `Authorization: Bearer ${client.token}`,
      'Connection: Upgrade',
      ...lines,
      '\r\n',
    ]
    assert.match(await target.raw(head.join('\r\n'), 3_000), /^HTTP\/1\.1 403 /, `${method} ${what}: ${lines[0]}`)
  }
  return `${tries.length + upgrades.length} ways`
}

// What the impersonator may do, wherever it asks: this and nothing else.
const GOLDEN = [
  'create selfsubjectaccessreviews',
  'create selfsubjectreviews',
  'create selfsubjectrulesreviews',
  'impersonate groups',
  'impersonate uids',
  'impersonate users',
]

export interface Rules {
  resourceRules: { verbs: string[]; apiGroups: string[]; resources: string[]; resourceNames?: string[] }[]
  nonResourceRules: { verbs: string[] }[]
}

async function leastRights(target: Target): Promise<string> {
  const stolen = asToken(target, await tokenOf(target.cluster.kube))
  let tried = 0
  try {
    for (const namespace of ['dev', 'side', 'kube-system', IMPERSONATOR.namespace]) {
      const { object } = await stolen.create({
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SelfSubjectRulesReview',
        metadata: {} as KubeObject['metadata'],
        spec: { namespace },
      })
      const { resourceRules, nonResourceRules }: Rules = object.status
      const rights = new Set(
        resourceRules.flatMap(({ verbs, resources }) =>
          verbs.flatMap((verb) => resources.map((one) => `${verb} ${one}`)),
        ),
      )
      assert.deepEqual(
        [...rights].filter((right) => !GOLDEN.includes(right)),
        [],
        `in ${namespace}`,
      )
      const acts = resourceRules.filter(({ verbs }) => verbs.includes('impersonate'))
      for (const { resourceNames = [] } of acts) {
        assert.ok(resourceNames.length > 0, 'a rule without names is one for everybody')
        for (const name of resourceNames) assert.match(name, /^(quarterdeck:(user|group|executor):|[0-9a-f-]{36}$)/)
      }
      assert.ok(nonResourceRules.every(({ verbs }) => verbs.join() === 'get'))
    }
    for (const { group, resource, namespaced, verbs } of await target.cluster.kube.served()) {
      if (/^self/.test(resource) || resource.includes('/') || !verbs.includes('list')) continue
      const inside = namespaced ? '/namespaces/dev' : ''
      // Which version does not matter to who may not.
      const answer = await stolen.native({
        method: 'GET',
        path: `${group === '' ? '/api/v1' : `/apis/${group}/v1`}${inside}/${resource}`,
        query: '',
      })
      answer.body.resume()
      assert.equal(answer.status, 403, `${resource}.${group}`)
      tried++
    }
  } finally {
    await stolen.close()
  }
  return `${GOLDEN.length} rights, ${tried} kinds refused`
}

export const identityRows: Row[] = [
  {
    id: 'A02',
    what: 'identity headers hidden in ten ways through the proxy: the API server sees the person',
    run: smuggled,
  },
  { id: 'A04', what: 'names of powerful users and groups are refused, or mapped under our prefix', run: powerfulNames },
  { id: 'A07', what: 'credentials of one cluster or environment are nothing in another', run: otherCluster },
  {
    id: 'A07',
    what: 'another API server under the name of a cluster is refused, and gets none of its environments unnamed',
    run: sameName,
  },
  { id: 'A15', what: 'with get on pods alone nothing is started, attached, forwarded, read or deleted', run: onlyPods },
  { id: 'A97', what: 'who acts for people may act as those who exist, and do nothing itself', run: leastRights },
]
