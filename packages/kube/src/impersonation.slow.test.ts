import { clusterForbidden, isProblem, type KubeObject } from '@quarterdeck/kernel'
import { type OwnCluster, ownCluster } from '@quarterdeck/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Cluster, type ClusterIdentity, IMPERSONATOR } from './index.ts'

// An API server of its own: the impersonator is one for the whole cluster.
let own: OwnCluster
let cluster: Cluster
const { namespace, name } = IMPERSONATOR
const RBAC = 'rbac.authorization.k8s.io'
const jane: ClusterIdentity = {
  user: 'quarterdeck:user:jane',
  uid: '0b9f6c3e-4d0e-4f7b-9a1c-2f4c8f0d6a11',
  groups: ['quarterdeck:group:shop', 'quarterdeck:group:开发组'],
}
const jo: ClusterIdentity = { user: 'quarterdeck:user:jo', groups: [] }

beforeAll(async () => {
  own = await ownCluster()
  cluster = own.cluster
}, 60_000)
afterAll(() => own?.close())

async function prepare(): Promise<void> {
  await cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
  await cluster.apply({
    apiVersion: `${RBAC}/v1`,
    kind: 'ClusterRole',
    metadata: { name: 'acts-as-jane' },
    rules: [
      { apiGroups: [''], resources: ['users'], verbs: ['impersonate'], resourceNames: [jane.user, jo.user] },
      { apiGroups: [''], resources: ['groups'], verbs: ['impersonate'], resourceNames: [...jane.groups] },
      { apiGroups: ['authentication.k8s.io'], resources: ['uids'], verbs: ['impersonate'], resourceNames: [jane.uid] },
    ],
  } as KubeObject)
  await cluster.apply({
    apiVersion: `${RBAC}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name: 'acts-as-jane' },
    roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: 'acts-as-jane' },
    subjects: [{ kind: 'ServiceAccount', namespace, name }],
  } as KubeObject)
  await cluster.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace, name } })
}

const whoAmI = async (asked: Cluster) =>
  (
    await asked.create({
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'SelfSubjectReview',
      metadata: {} as KubeObject['metadata'],
    })
  ).object.status.userInfo

const failure = (answer: Promise<unknown>) =>
  answer.then(
    () => undefined,
    (error) => error,
  )

test('without an impersonator nobody gets through, and it is said why', async () => {
  const error = await failure(whoAmI(cluster.as(jane)))
  expect(isProblem(error, clusterForbidden), String(error)).toBe(true)
  expect(error.message).toContain('quarterdeck-system/quarterdeck-impersonator')
})

test('[EXT-05] requests are those of the person: name, id and groups, Chinese ones too', async () => {
  await prepare()
  await expect.poll(() => whoAmI(cluster.as(jane)).catch(() => undefined)).toBeDefined()
  expect(await whoAmI(cluster.as(jane))).toEqual({
    username: jane.user,
    uid: jane.uid,
    groups: [...jane.groups, 'system:authenticated'],
  })
  const alone = await whoAmI(cluster.as({ ...jane, groups: [] }))
  expect(alone.groups).toEqual(['system:authenticated'])
})

test('[EXT-05] the API server judges each by their own rights, and connections shared by many are not mixed up', async () => {
  const nodes = { apiVersion: 'v1', kind: 'Node' }
  const error = await failure(cluster.as(jane).list(nodes))
  expect(isProblem(error, clusterForbidden), String(error)).toBe(true)
  expect(error.message).toContain('does not allow you to list nodes')
  const seen = await Promise.all(Array.from({ length: 40 }, (_, index) => whoAmI(cluster.as(index % 2 ? jo : jane))))
  for (const [index, { username, groups }] of seen.entries()) {
    const one = index % 2 ? jo : jane
    expect({ username, groups }).toEqual({ username: one.user, groups: [...one.groups, 'system:authenticated'] })
  }
  expect((await whoAmI(cluster)).groups).toContain('system:masters')
})

test('[EXT-05] whoever the impersonator does not know stays outside: nobody, not somebody else', async () => {
  const strangers: ClusterIdentity[] = [
    { ...jane, user: 'quarterdeck:user:joe' },
    { ...jane, uid: '00000000-0000-4000-8000-000000000000' },
    { ...jane, groups: ['quarterdeck:group:other'] },
  ]
  for (const stranger of strangers) {
    const error = await failure(whoAmI(cluster.as(stranger)))
    expect(isProblem(error, clusterForbidden), JSON.stringify(stranger)).toBe(true)
    expect(error.message).toContain('has not been told of you yet')
  }
})

test('a token that the API server does not take any more is asked for anew', async () => {
  await cluster.remove({ apiVersion: 'v1', kind: 'ServiceAccount', namespace, name })
  await cluster.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace, name } })
  // The API server looks at accounts through a cache of its own for a moment.
  await expect
    .poll(() => whoAmI(cluster.as(jane)).catch(() => undefined), { timeout: 15_000 })
    .toMatchObject({
      username: jane.user,
    })
}, 20_000)
