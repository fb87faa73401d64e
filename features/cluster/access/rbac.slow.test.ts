import { type Cluster, connectCluster } from '@quarterdeck/kube'
import { type TestCluster, testCluster } from '@quarterdeck/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { dice, randomAct, randomAsker, randomWorld } from '../../../test/platform/random-rbac.ts'
import { Bindings, RBAC_KINDS } from './bindings.rules.ts'
import { BindingsFollower } from './follow-bindings.routes.ts'
import type { Act, Asker } from './rbac.rules.ts'

// `QUARTERDECK_DECISIONS=5000 vitest run features/cluster/access/rbac.slow.test.ts` is the proof; CI asks for fewer.
const DECISIONS = Number(process.env.QUARTERDECK_DECISIONS ?? 400)
const AT_ONCE = 20

let server: TestCluster
let cluster: Cluster
const namespaces: string[] = []

beforeAll(async () => {
  server = await testCluster()
  cluster = connectCluster({ name: 'test', kubeconfig: server.kubeconfig })
  for (let count = 0; count < 3; count++) namespaces.push(await server.namespace('rbac'))
}, 60_000)
afterAll(async () => {
  await cluster?.close()
  await server?.close()
})

/** What the API server itself says. */
async function review({ user, groups }: Asker, act: Act): Promise<boolean> {
  const asked = 'path' in act ? { nonResourceAttributes: act } : { resourceAttributes: { ...act, version: '*' } }
  const { object } = await cluster.create({
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    metadata: { name: '' },
    spec: { user, groups, ...asked },
  })
  return object.status.allowed
}

test(`[TEN-07] ${DECISIONS} random decisions are those of the API server`, { timeout: 600_000 }, async () => {
  const follow = new Bindings()
  const follower = followed(follow)
  const made = []
  try {
    const next = dice(Number(process.env.QUARTERDECK_SEED ?? 1))
    for (let world = 0; world * 40 < DECISIONS; world++) {
      const prefix = `w${world}-${namespaces[0]}`
      for (const object of randomWorld(next, { namespaces, prefix })) {
        await cluster.create(object)
        made.push(object)
      }
      await marked(follow)
      let left = Math.min(40, DECISIONS - world * 40)
      for (; left > 0; left -= AT_ONCE) {
        const asked = Array.from({ length: Math.min(AT_ONCE, left) }, () => ({
          asker: randomAsker(next, namespaces),
          act: randomAct(next, namespaces),
        }))
        const wanted = await Promise.all(asked.map(({ asker, act }) => review(asker, act)))
        const said = asked.map(({ asker, act }) => follow.allows(asker, act))
        for (const [at, question] of asked.entries()) {
          expect({ ...question, allowed: said[at] }).toEqual({ ...question, allowed: wanted[at] })
        }
      }
    }
  } finally {
    follower.end()
    for (const { apiVersion, kind, metadata } of made) {
      await cluster.remove({ apiVersion, kind, name: metadata.name, namespace: metadata.namespace })
    }
  }
})

test('bindings are followed within a moment: made, changed, taken away, and again after a list read anew', async () => {
  const bindings = new Bindings()
  const follower = followed(bindings)
  const [namespace = ''] = namespaces
  const api = 'rbac.authorization.k8s.io/v1'
  const asker = { user: 'quarterdeck:user:follow', groups: [] }
  const list = { verb: 'list', group: '', resource: 'pods', namespace }
  const metadata = { name: 'follow', namespace }
  const rules = [{ verbs: ['list'], apiGroups: [''], resources: ['pods'] }]
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'follow' }
  const subjects = [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: asker.user }]
  await expect.poll(() => follower.read).toBe(true)
  await cluster.create({ apiVersion: api, kind: 'Role', metadata, rules })
  await cluster.create({ apiVersion: api, kind: 'RoleBinding', metadata, roleRef, subjects })
  await expect.poll(() => bindings.allows(asker, list)).toBe(true)
  const role = { apiVersion: api, kind: 'Role', ...metadata }
  await cluster.patch(role, { rules: [{ ...rules[0], verbs: ['get'] }] })
  await expect.poll(() => bindings.allows(asker, list)).toBe(false)
  await cluster.patch(role, { rules })
  await expect.poll(() => bindings.allows(asker, list)).toBe(true)
  const late = new Bindings()
  const second = followed(late)
  await expect.poll(() => late.allows(asker, list)).toBe(true)
  await cluster.remove({ apiVersion: api, kind: 'RoleBinding', ...metadata })
  await expect.poll(() => [bindings, late].map((one) => one.allows(asker, list))).toEqual([false, false])
  follower.end()
  second.end()
})

const followed = (bindings: Bindings) =>
  new BindingsFollower({
    cluster: async () => cluster,
    bindings,
    except: () => false,
    changed: () => undefined,
    warn: (error) => console.error(error),
  })

let marks = 0
/** Everything that was written before is known, to us and to the API server's own authorizer. */
async function marked(bindings: Bindings): Promise<void> {
  marks += 1
  const name = `mark-${marks}-${namespaces[0]}`
  const asker = { user: `quarterdeck:user:${name}`, groups: [] }
  const acts = RBAC_KINDS.map((kind) => ({ verb: 'get', group: 'mark.example', resource: kind.toLowerCase() }))
  const rules = acts.map(({ verb, group, resource }) => ({ verbs: [verb], apiGroups: [group], resources: [resource] }))
  const api = 'rbac.authorization.k8s.io/v1'
  const roleRef = (kind: string) => ({ apiGroup: 'rbac.authorization.k8s.io', kind, name })
  const subjects = [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: asker.user }]
  const namespace = namespaces[0] ?? ''
  const made = [
    { apiVersion: api, kind: 'ClusterRole', metadata: { name }, rules: [rules[0]] },
    { apiVersion: api, kind: 'ClusterRoleBinding', metadata: { name }, roleRef: roleRef('ClusterRole'), subjects },
    { apiVersion: api, kind: 'Role', metadata: { name, namespace }, rules: [rules[1]] },
    { apiVersion: api, kind: 'RoleBinding', metadata: { name, namespace }, roleRef: roleRef('Role'), subjects },
  ]
  for (const object of made) await cluster.create(object)
  const asked = [acts[0], { ...acts[1], namespace }] as Act[]
  while (
    !asked.every((act) => bindings.allows(asker, act)) ||
    !(await Promise.all(asked.map((act) => review(asker, act)))).every(Boolean)
  ) {
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  for (const { apiVersion, kind, metadata } of made) await cluster.remove({ apiVersion, kind, ...metadata })
}
