import { setTimeout as sleep } from 'node:timers/promises'
import { clusterForbidden, isProblem, type KubeObject, type Subject } from '@quarterdeck/kernel'
import { type Cluster, type Clusters, connectCluster, createClusters, IMPERSONATOR } from '@quarterdeck/kube'
import { type OwnCluster, ownCluster, type Platform, startPlatform } from '@quarterdeck/testkit'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Acting, actFor } from './acting.routes.ts'
import { getClusterAccess } from './identity.contract.ts'
import { identityReconciler } from './identity.reconciler.ts'
import { identityRoutes } from './identity.routes.ts'
import type { Rule } from './identity.rules.ts'

// An API server of its own: what is made here is for the whole cluster.
let own: OwnCluster
let platform: Platform
let clusters: Clusters
let acting: Acting
const kubeconfigs = new Map<string, string>()
const RBAC = 'rbac.authorization.k8s.io/v1'
const NAMES = ['shop-dev', 'shop-prod', 'other'] as const

beforeAll(async () => {
  own = await ownCluster({ controllers: true })
  kubeconfigs.set('own', own.kubeconfig)
  clusters = createClusters({
    load: async (name) => {
      const kubeconfig = kubeconfigs.get(name)
      return kubeconfig === undefined ? undefined : { kubeconfig }
    },
  })
  platform = await startPlatform({
    cluster: false,
    routes: (server, { db }) => identityRoutes(server, { db }),
    reconcilers: ({ db }) => ({ identity: identityReconciler({ db, clusters }) }),
  })
  acting = actFor({
    clusters,
    identityOf: ({ id, name }) =>
      id === undefined ? undefined : { user: `quarterdeck:user:${name}`, uid: id, groups: groupsOf.get(name) ?? [] },
  })
  for (const name of NAMES) {
    await own.cluster.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', namespace: name, name: 'default' }
    while (!(await own.cluster.get(account))) await sleep(50)
  }
  await own.cluster.create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: 'shop-dev', name: 'shop-1' },
    spec: { containers: [{ name: 'shop', image: 'shop' }], automountServiceAccountToken: false },
  })
}, 60_000)
afterAll(async () => {
  await clusters?.close()
  await platform?.close()
  await own?.cluster.close()
  await own?.close()
})

const groupsOf = new Map<string, string[]>()
beforeEach(async () => {
  await platform.reset()
  groupsOf.clear()
  await sql`insert into installation values ('11111111-0000-4000-8000-000000000000')`.execute(platform.db)
  await registered('own')
  await sql`insert into tenant (name) values ('retail')`.execute(platform.db)
  await sql`insert into project (name, tenant) select 'shop', id from tenant`.execute(platform.db)
  for (const namespace of ['shop-dev', 'shop-prod']) {
    await sql`insert into environment (name, cluster, namespace, stage, "createTime", operation, state, adopted, project)
      select ${namespace}, 'own', ${namespace}, 'dev', now(), gen_random_uuid(), 'Ready', false, id from project`.execute(
      platform.db,
    )
  }
})

const registered = (name: string) =>
  sql`insert into cluster (name, title, origin, simulated, server, "sealedKubeconfig")
    values (${name}, ${name}, 'kubeconfig', true, '', '')`.execute(platform.db)

async function user(name: string): Promise<Subject> {
  const { rows } = await sql<{ id: string }>`insert into account (name) values (${name}) returning id`.execute(
    platform.db,
  )
  return { id: rows[0]?.id ?? '', name, kind: 'user', permissions: ['*'] }
}

/** Answers the id of the grant. `place` as `environment shop-dev`; none: the platform. */
async function granted(holder: string, permissions: string[], place = ''): Promise<string> {
  const [kind = '', name = ''] = place.split(' ')
  const role = `role-${permissions.join('-')}`
  await sql`insert into role (name, permissions) values (${role}, ${JSON.stringify(permissions)}::jsonb)
    on conflict do nothing`.execute(platform.db)
  const of = (table: string) => sql`(select id from ${sql.table(table)} where name = ${table === kind ? name : ''})`
  const { rows } = await sql<{ id: string }>`
    insert into role_grant (role, account, "group", tenant, project, environment, grantor)
    values ((select id from role where name = ${role}), (select id from account where name = ${holder}),
      (select id from user_group where name = ${holder}), ${of('tenant')}, ${of('project')}, ${of('environment')}, 'me')
    returning id::text`.execute(platform.db)
  return rows[0]?.id ?? ''
}

const projected = () => platform.resync()
const stateOf = (name = 'own') => platform.client(getClusterAccess, { params: { cluster: name } })
const pods = (namespace?: string) => ({ apiVersion: 'v1', kind: 'Pod', namespace })

/** RBAC is looked at through a cache that is behind for a moment. */
const soon = <Value>(ask: () => Promise<Value>) => expect.poll(ask, { timeout: 5_000 })

const may = async (_as: Cluster, act: () => Promise<unknown>): Promise<boolean> => {
  try {
    await act()
    return true
  } catch (error) {
    if (isProblem(error, clusterForbidden)) return false
    throw error
  }
}

const ours = async (kind: string) => {
  const found: KubeObject[] = []
  const labelSelector = 'quarterdeck.dev/installation'
  for await (const object of own.cluster.listAll({ apiVersion: RBAC, kind, labelSelector })) found.push(object)
  return found
}

/** Bindings of people; those of executors stand as long as their environment. */
const peopleBindings = async () =>
  (await ours('RoleBinding')).filter(({ metadata }) => !metadata.name.startsWith('quarterdeck:executor:'))

test('[EXT-05] [CLU-20] [TEN-13] a grant opens its environment and no other, for as long as it lasts', async () => {
  const jane = await user('jane')
  const grant = await granted('jane', ['object.get', 'object.edit'], 'environment shop-dev')
  await projected()
  expect(await stateOf()).toMatchObject({ state: 'Ready', messages: [] })
  const cluster = await acting.clusterAs(jane, 'own')
  await soon(() => may(cluster, () => cluster.list(pods('shop-dev')))).toBe(true)
  const config = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'shop-dev', name: 'mine' } }
  expect((await cluster.apply(config)).object.metadata.name).toBe('mine')
  const kept = { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { namespace: 'shop-dev', name: 'more' } }
  const denied: [string, () => Promise<unknown>][] = [
    ['another environment', () => cluster.list(pods('shop-prod'))],
    ['all namespaces', () => cluster.list(pods())],
    ['nodes', () => cluster.list({ apiVersion: 'v1', kind: 'Node' })],
    ['values of Secrets', () => cluster.list({ apiVersion: 'v1', kind: 'Secret', namespace: 'shop-dev' })],
    ['who may what', () => cluster.list({ apiVersion: RBAC, kind: 'RoleBinding', namespace: 'shop-dev' })],
    ['its own quota', () => cluster.apply(kept)],
    [
      'the labels of its namespace',
      () =>
        cluster.patch({ apiVersion: 'v1', kind: 'Namespace', name: 'shop-dev' }, { metadata: { labels: { a: 'b' } } }),
    ],
    ['a command in a container', () => cluster.exec({ namespace: 'shop-dev', pod: 'shop-1', command: ['true'] })],
    ['a log', () => cluster.logs({ namespace: 'shop-dev', pod: 'shop-1' })],
  ]
  for (const [what, act] of denied) expect(await may(cluster, act), what).toBe(false)
  await sql`delete from role_grant where id = ${grant}`.execute(platform.db)
  await projected()
  await soon(() => may(cluster, () => cluster.list(pods('shop-dev')))).toBe(false)
  expect((await peopleBindings()).length).toBe(0)
}, 30_000)

test('[EXT-05] a grant to a group reaches the environments of its project for its members alone', async () => {
  const [jane, joe] = [await user('jane'), await user('joe')]
  await sql`insert into user_group (name) values ('开发组')`.execute(platform.db)
  await granted('开发组', ['object.get'], 'project shop')
  groupsOf.set('jane', ['quarterdeck:group:开发组'])
  await projected()
  const [asJane, asJoe] = [await acting.clusterAs(jane, 'own'), await acting.clusterAs(joe, 'own')]
  for (const namespace of ['shop-dev', 'shop-prod']) {
    await soon(() => may(asJane, () => asJane.list(pods(namespace)))).toBe(true)
    expect(await may(asJoe, () => asJoe.list(pods(namespace)))).toBe(false)
  }
  expect(await may(asJane, () => asJane.list(pods('other')))).toBe(false)
}, 30_000)

test('[CLU-20] whoever has every permission for the platform may everything at the cluster, as themselves', async () => {
  const admin = await user('admin')
  await granted('admin', ['*'])
  await projected()
  const cluster = await acting.clusterAs(admin, 'own')
  await soon(() => may(cluster, () => cluster.list({ apiVersion: 'v1', kind: 'Secret' }))).toBe(true)
  await cluster.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'by-admin' } })
  expect(await may(cluster, () => cluster.raw('/metrics'))).toBe(true)
  const { object } = await cluster.create({
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'SelfSubjectReview',
    metadata: {} as KubeObject['metadata'],
  })
  expect(object.status.userInfo).toMatchObject({ username: 'quarterdeck:user:admin', uid: admin.id })
}, 30_000)

test('a disabled user and one whose grant has run out are taken out of the cluster', async () => {
  const jane = await user('jane')
  await granted('jane', ['object.get'], 'environment shop-dev')
  await projected()
  const cluster = await acting.clusterAs(jane, 'own')
  await soon(() => may(cluster, () => cluster.list(pods('shop-dev')))).toBe(true)
  await sql`update account set "disableTime" = now()`.execute(platform.db)
  await projected()
  expect(await peopleBindings()).toEqual([])
  await soon(() => may(cluster, () => cluster.version())).toBe(false)
}, 30_000)

test('done again it changes nothing; what somebody has changed is put back; what is not ours is left alone', async () => {
  await user('jane')
  const grant = await granted('jane', ['object.get'], 'environment shop-dev')
  await projected()
  const revisions = async () =>
    (await Promise.all(['ClusterRole', 'ClusterRoleBinding', 'RoleBinding'].map(ours)))
      .flat()
      .map(({ metadata: { name, resourceVersion, uid } }) => `${name} ${uid} ${resourceVersion}`)
  const before = await revisions()
  await projected()
  expect(await revisions()).toEqual(before)

  const [role] = (await ours('ClusterRole')).filter(({ metadata }) => metadata.name.startsWith('quarterdeck:role:'))
  const name = `quarterdeck:grant:own:${grant}`
  await own.cluster.apply(
    {
      apiVersion: RBAC,
      kind: 'ClusterRole',
      metadata: { name: role?.metadata.name ?? '' },
      rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }],
    },
    { force: true, fieldManager: 'somebody' },
  )
  await own.cluster.remove({ apiVersion: RBAC, kind: 'RoleBinding', namespace: 'shop-dev', name })
  const foreign = {
    apiVersion: RBAC,
    kind: 'RoleBinding',
    metadata: { namespace: 'other', name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
  }
  await own.cluster.create(foreign)
  await projected()
  const repaired = await own.cluster.get({ apiVersion: RBAC, kind: 'ClusterRole', name: role?.metadata.name ?? '' })
  expect(repaired?.rules).toEqual(role?.rules)
  expect((await peopleBindings()).map(({ metadata }) => metadata.name)).toEqual([name])
  expect(await own.cluster.get({ apiVersion: RBAC, kind: 'RoleBinding', namespace: 'other', name })).toBeDefined()
}, 30_000)

test('an object of our name that is somebody else’s is left alone, and that is said', async () => {
  await user('jane')
  const grant = await granted('jane', ['object.get'], 'environment shop-prod')
  const foreign = {
    apiVersion: RBAC,
    kind: 'RoleBinding',
    metadata: { namespace: 'shop-prod', name: `quarterdeck:grant:own:${grant}` },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
    subjects: [],
  }
  await own.cluster.create(foreign)
  await projected()
  expect(await stateOf()).toMatchObject({
    state: 'Limited',
    messages: [expect.stringContaining("somebody else's")],
  })
})

test('[A97] with the token of the impersonator nothing can be done but act as those who exist', async () => {
  const jane = await user('jane')
  await granted('jane', ['object.get'], 'environment shop-dev')
  await projected()
  const { namespace, name } = IMPERSONATOR
  const own1 = { apiVersion: 'v1', kind: 'ServiceAccount', namespace, name }
  expect(await own.cluster.get(own1)).toBeDefined()
  const roles = await own.cluster.list({
    apiVersion: RBAC,
    kind: 'ClusterRole',
    labelSelector: 'quarterdeck.dev/installation',
  })
  const acts = roles.items.find(({ metadata }) => metadata.name.startsWith('quarterdeck:impersonator:'))
    ?.rules as Rule[]
  expect(acts.map(({ resources, resourceNames, verbs }) => [resources, resourceNames, verbs])).toEqual([
    [
      ['users'],
      ['quarterdeck:executor:shop-dev', 'quarterdeck:executor:shop-prod', 'quarterdeck:user:jane'],
      ['impersonate'],
    ],
    [['uids'], [jane.id], ['impersonate']],
  ])
  // What the API server itself says, in whatever namespace.
  for (const place of ['quarterdeck-system', 'shop-dev', 'kube-system']) {
    const review = {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectRulesReview',
      metadata: {} as KubeObject['metadata'],
      spec: { namespace: place },
    }
    const { resourceRules, nonResourceRules } = (await (await asImpersonator()).create(review)).object.status
    const rights = resourceRules.flatMap(({ verbs, resources }: Rule) =>
      verbs.flatMap((verb) => (resources ?? []).map((one) => `${verb} ${one}`)),
    )
    expect(rights.toSorted(), place).toEqual([
      'create selfsubjectaccessreviews',
      'create selfsubjectreviews',
      'create selfsubjectrulesreviews',
      'impersonate uids',
      'impersonate users',
    ])
    expect(nonResourceRules.every(({ verbs }: Rule) => verbs.join() === 'get')).toBe(true)
  }
}, 30_000)

/** With the bare token of the impersonator, as whoever stole it would. */
async function asImpersonator(): Promise<Cluster> {
  const { namespace, name } = IMPERSONATOR
  const answer = await own.cluster.native({
    method: 'POST',
    path: `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`,
    query: '',
    contentType: 'application/json',
    body: Buffer.from(JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} })),
  })
  let text = ''
  for await (const part of answer.body) text += part
  return asToken(JSON.parse(text).status.token)
}

function asToken(token: string): Cluster {
  const file = own.kubeconfig
    .replace(/client-certificate-data:.*\n/, '')
    .replace(/client-key-data:.*/, `token: ${token}`)
  return connectCluster({ name: 'stolen', kubeconfig: file })
}

test('no pod can run beside the impersonator to take its token', async () => {
  await projected()
  const { namespace, name } = IMPERSONATOR
  const quota = { apiVersion: 'v1', kind: 'ResourceQuota', namespace, name: 'quarterdeck-nothing-runs' }
  await expect.poll(async () => (await own.cluster.get(quota))?.status?.hard?.pods, { timeout: 10_000 }).toBe('0')
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace, name: 'thief' },
    spec: {
      serviceAccountName: name,
      securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: 'a',
          image: 'a',
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        },
      ],
    },
  }
  await expect(own.cluster.create(pod)).rejects.toThrow(/quota/)
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { namespace, name: 'token', annotations: { 'kubernetes.io/service-account.name': name } },
    type: 'kubernetes.io/service-account-token',
  }
  await expect(own.cluster.create(secret)).rejects.toThrow(/quota/)
})

test('[A15] get on pods/exec alone starts no command on this release', async () => {
  const jane = await user('jane')
  await granted('jane', ['object.get'], 'environment shop-dev')
  await projected()
  const cluster = await acting.clusterAs(jane, 'own')
  const role = {
    apiVersion: RBAC,
    kind: 'Role',
    metadata: { namespace: 'shop-dev', name: 'looks' },
    rules: [{ apiGroups: [''], resources: ['pods/exec', 'pods/attach', 'pods/portforward'], verbs: ['get'] }],
  }
  await own.cluster.apply(role)
  await own.cluster.apply({
    apiVersion: RBAC,
    kind: 'RoleBinding',
    metadata: { namespace: 'shop-dev', name: 'looks' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'looks' },
    subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'quarterdeck:user:jane' }],
  })
  await sleep(1_000)
  const said = await cluster.exec({ namespace: 'shop-dev', pod: 'shop-1', command: ['true'] }).then(
    () => 'ran',
    (error: Error) => error.message,
  )
  expect(said).toContain('does not allow you')
}, 15_000)

test('[CLU-20] a kubeconfig that may make none of it: said on the page of the cluster, and nobody acts as ourselves', async () => {
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace: 'other', name: 'reader' } }
  await own.cluster.create(account)
  await own.cluster.create({
    apiVersion: RBAC,
    kind: 'ClusterRoleBinding',
    metadata: { name: 'reader' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin-without' },
    subjects: [{ kind: 'ServiceAccount', namespace: 'other', name: 'reader' }],
  })
  await own.cluster.create({
    apiVersion: RBAC,
    kind: 'ClusterRole',
    metadata: { name: 'cluster-admin-without' },
    rules: [
      { apiGroups: ['*'], resources: ['*'], verbs: ['get', 'list', 'watch'] },
      {
        apiGroups: [''],
        resources: ['namespaces', 'serviceaccounts', 'serviceaccounts/token', 'resourcequotas'],
        verbs: ['*'],
      },
      {
        apiGroups: ['rbac.authorization.k8s.io'],
        resources: ['*'],
        verbs: ['get', 'list', 'create', 'patch', 'delete'],
      },
    ],
  })
  const answer = await own.cluster.native({
    method: 'POST',
    path: '/api/v1/namespaces/other/serviceaccounts/reader/token',
    query: '',
    contentType: 'application/json',
    body: Buffer.from(JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} })),
  })
  let text = ''
  for await (const part of answer.body) text += part
  kubeconfigs.set(
    'limited',
    own.kubeconfig
      .replace(/client-certificate-data:.*\n/, '')
      .replace(/client-key-data:.*/, `token: ${JSON.parse(text).status.token}`),
  )
  await own.cluster.remove({ apiVersion: 'v1', kind: 'ServiceAccount', ...IMPERSONATOR })
  await sql`delete from cluster`.execute(platform.db)
  await registered('limited')
  const jane = await user('jane')
  await projected()
  const { state, messages } = await stateOf('limited')
  expect(state).toBe('Missing')
  expect(messages.join(' ')).toContain('opens what the kubeconfig of the cluster may not do itself')
  const error = await acting.clusterAs(jane, 'limited').catch((reason) => reason)
  expect(isProblem(error, clusterForbidden), String(error)).toBe(true)
  expect(error.message).toContain('page of the cluster says what is missing')
}, 30_000)

test('what another installation has made is not touched, and that both are on one cluster is said', async () => {
  await user('jane')
  await granted('jane', ['object.get'], 'environment shop-dev')
  await projected()
  await sql`update installation set id = '22222222-0000-4000-8000-000000000000'`.execute(platform.db)
  await projected()
  expect((await peopleBindings()).filter(({ metadata }) => metadata.namespace === 'shop-dev').length).toBe(1)
  const { state, messages } = await stateOf()
  expect([state, messages.join()]).toEqual(['Limited', expect.stringContaining('11111111-0000')])
  await sql`update installation set id = '11111111-0000-4000-8000-000000000000'`.execute(platform.db)
  for (const kind of ['RoleBinding', 'ClusterRoleBinding', 'ClusterRole']) {
    for (const { metadata } of await ours(kind)) {
      const { name, namespace, labels } = metadata
      if (!labels?.['quarterdeck.dev/installation']?.startsWith('2222')) continue
      await own.cluster.remove({ apiVersion: RBAC, kind, name, ...(namespace ? { namespace } : {}) })
    }
  }
  await projected()
  expect(await stateOf()).toMatchObject({ state: 'Ready' })
}, 30_000)

test('[A07] one cluster under two names: what counts under one is not made under the other, and goes with its name', async () => {
  const jane = await user('jane')
  await granted('jane', ['object.get'], 'environment shop-dev')
  await projected()
  kubeconfigs.set('alias', own.kubeconfig)
  await registered('alias')
  await projected()
  await projected()
  const bindings = async () =>
    (await peopleBindings()).map(({ metadata }) => metadata.labels?.['quarterdeck.dev/cluster'])
  expect(await bindings()).toEqual(['own'])
  const cluster = await acting.clusterAs(jane, 'own')
  await soon(() => may(cluster, () => cluster.list(pods('shop-dev')))).toBe(true)
  await sql`update environment set cluster = 'alias'`.execute(platform.db)
  await sql`delete from cluster where name = 'own'`.execute(platform.db)
  await projected()
  expect(await bindings()).toEqual(['alias'])
}, 30_000)

test('a cluster that is not registered has no access to tell of', async () => {
  await expect(stateOf('nowhere')).rejects.toThrow(/No cluster is registered/)
})
