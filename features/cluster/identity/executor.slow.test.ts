import { setTimeout as sleep } from 'node:timers/promises'
import { isProblem, type KubeObject } from '@quarterdeck/kernel'
import { type Clusters, createClusters } from '@quarterdeck/kube'
import { type OwnCluster, ownCluster, type Platform, startPlatform } from '@quarterdeck/testkit'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { applicationRoutes } from '../../application/application/application.routes.ts'
import { applicationDefinitions, countByEnvironment, countIn } from '../../application/application/application.store.ts'
import { rolloutOf } from '../../application/application/rollout.rules.ts'
import { yamlChange } from '../../application/application/yaml-change.routes.ts'
import { applyManifests } from '../../application/manifest/manifest.contract.ts'
import { manifestRoutes } from '../../application/manifest/manifest.routes.ts'
import { changeMaker } from '../../delivery/operation/change.routes.ts'
import { getOperation, type Operation, type Plan, planBlocked } from '../../delivery/operation/operation.contract.ts'
import { operationReconciler } from '../../delivery/operation/operation.reconciler.ts'
import { operationRoutes } from '../../delivery/operation/operation.routes.ts'
import { actsAs, namespaceOf } from '../../delivery/operation/operation.rules.ts'
import { imageAbsent } from '../../image/image/image.contract.ts'
import { createEnvironment } from '../../tenancy/environment/environment.contract.ts'
import { environmentRoutes, getEnvironmentPlace } from '../../tenancy/environment/environment.routes.ts'
import { environmentDefinitions, hold } from '../../tenancy/environment/environment.store.ts'
import { placing, tenantOfProject } from '../../tenancy/tenant/placing.store.ts'
import { actFor } from './acting.routes.ts'
import { identityReconciler } from './identity.reconciler.ts'
import { operateAs } from './operating.routes.ts'

// An API server of its own: kinds are defined and rights made for all of it.
let own: OwnCluster
let platform: Platform
let clusters: Clusters
const environment = 'shop-dev'
const RBAC = 'rbac.authorization.k8s.io/v1'

beforeAll(async () => {
  own = await ownCluster({ controllers: true })
  clusters = createClusters({ load: async (name) => (name === 'own' ? { kubeconfig: own.kubeconfig } : undefined) })
  const clusterOf = (name: string) => clusters.get(name)
  const acting = actFor({ clusters, identityOf: () => undefined })
  const definitions = {
    application: applicationDefinitions({ holdEnvironment: hold }),
    environment: environmentDefinitions({ applicationsIn: countIn, placing }),
  }
  platform = await startPlatform({
    cluster: false,
    routes(server, { db, store }) {
      const makeChange = changeMaker({ db, clusterOf, executorOf: acting.executorOf, definitions })
      const listen: typeof store.listen = (channel, fn) => store.listen(channel, fn)
      operationRoutes(server, { db, listen, undo: makeChange.undo, definitions, environmentsWith: () => undefined })
      environmentRoutes(server, {
        db,
        makeChange,
        clusterOf,
        tenantOf: tenantOfProject,
        countApplications: countByEnvironment,
        changed: async () => {},
      })
      const applications = {
        db,
        makeChange,
        clusterOf,
        placeOf: (name: string) => getEnvironmentPlace(db, name),
        inspect: async (image: string) => {
          throw imageAbsent({ detail: `The registry has no image ${image}` })
        },
        nodePortHolders: () => [],
      }
      applicationRoutes(server, applications)
      manifestRoutes(server, { makeChange, change: yamlChange(applications) })
    },
    reconcilers: ({ db }) => {
      const operating = operateAs(db, clusterOf, acting)
      return {
        identity: identityReconciler({ db, clusters }),
        operation: operationReconciler({
          db,
          clusterOf,
          actingFor: (row) => operating({ ...row, namespace: namespaceOf(row.target), as: actsAs(row) }),
          rolloutOf,
          definitions,
        }),
      }
    },
  })
  await sql`insert into cluster (name, title, origin, simulated, server, "sealedKubeconfig")
    values ('own', 'own', 'kubeconfig', true, '', '')`.execute(platform.db)
  const body = { cluster: 'own', stage: 'dev' } as const
  await ended(await platform.client(createEnvironment, { params: { environment }, query: {}, body }))
  await platform.resync()
}, 60_000)
afterAll(async () => {
  await clusters?.close()
  await platform?.close()
  await own?.close()
})

async function ended(change: Operation | Plan): Promise<Operation> {
  if (change.kind !== 'Operation') throw new Error('a plan was answered')
  for (;;) {
    const operation = await platform.client(getOperation, { params: { operation: change.id } })
    if (operation.endTime) return operation
    await sleep(20)
  }
}

const apply = (yaml: string, dryRun?: 'true') =>
  platform.client(applyManifests, {
    params: { environment, application: 'shop' },
    query: dryRun ? { dryRun } : {},
    body: { yaml },
  })
async function blockersOf(yaml: string): Promise<string[]> {
  const plan = await apply(yaml, 'true')
  if (plan.kind !== 'Plan') throw new Error('an operation was answered')
  return plan.blockers.map(({ detail }) => detail)
}

const WORKLOAD = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: shop }
spec:
  replicas: 0
  selector: { matchLabels: { app: shop } }
  template:
    metadata: { labels: { app: shop } }
    spec: { containers: [{ name: shop, image: registry.example.com/shop:1 }] }
`
const GADGET = `${WORKLOAD}---
apiVersion: toys.example.com/v1
kind: Gadget
metadata: { name: top }
spec: { colour: green }
`

async function define(kind: string, group: string): Promise<void> {
  const plural = `${kind.toLowerCase().replace(/y$/, 'ie')}s`
  await own.cluster.apply({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { kind, plural, singular: kind.toLowerCase() },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        },
      ],
    },
  } as KubeObject)
  const isServed = async () =>
    (await own.cluster.served()).some((served) => served.group === group && served.resource === plural)
  await expect.poll(isServed, { timeout: 15_000 }).toBe(true)
}

const gadget = () =>
  own.cluster.get({ apiVersion: 'toys.example.com/v1', kind: 'Gadget', namespace: environment, name: 'top' })
const extraRules = async () => {
  const { items } = await own.cluster.list({
    apiVersion: RBAC,
    kind: 'ClusterRole',
    labelSelector: 'quarterdeck.dev/installation',
  })
  return JSON.stringify(items.find(({ metadata }) => metadata.name.startsWith('quarterdeck:executor:'))?.rules)
}

test('[A97] a kind that the cluster has just begun to serve: the plan says that operations may not write it yet, and once they may, it is made', async () => {
  await define('Gadget', 'toys.example.com')
  const [detail, ...others] = await blockersOf(GADGET)
  expect(others).toEqual([])
  expect(detail).toContain('Gadget shop-dev/top: operations in this environment may not patch gadgets.toys.example.com')
  const refused = await apply(GADGET).catch((error: unknown) => error)
  expect(isProblem(refused, planBlocked), String(refused)).toBe(true)
  expect(await gadget()).toBeUndefined()

  await platform.resync()
  // RBAC is looked at through a cache that is behind for a moment.
  await expect.poll(() => blockersOf(GADGET), { timeout: 5_000 }).toEqual([])
  const operation = await ended(await apply(GADGET))
  expect(operation.state, JSON.stringify(operation)).toBe('Succeeded')
  expect(operation.conditions.map(({ type }) => type)).not.toContain('Executor')
  expect((await gadget())?.spec).toEqual({ colour: 'green' })
  expect(await extraRules()).toContain('"gadgets"')
}, 60_000)

test('[A97] what is taken out of the YAML is deleted by the executor, and a kind that goes leaves its rights', async () => {
  expect(await blockersOf(WORKLOAD)).toEqual([])
  expect((await ended(await apply(WORKLOAD))).state).toBe('Succeeded')
  await expect.poll(gadget).toBeUndefined()
  const definition = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' }
  await own.cluster.remove({ ...definition, name: 'gadgets.toys.example.com' })
  const isServed = async () => (await own.cluster.served()).some(({ group }) => group === 'toys.example.com')
  await expect.poll(isServed, { timeout: 15_000 }).toBe(false)
  await platform.resync()
  expect(await extraRules()).not.toContain('gadgets')
}, 60_000)

test('[A97] kinds that say what may be done or reached in an environment are refused with a sentence', async () => {
  await define('CiliumNetworkPolicy', 'cilium.io')
  await platform.resync()
  for (const [kind, apiVersion] of [
    ['Role', RBAC],
    ['RoleBinding', RBAC],
    ['NetworkPolicy', 'networking.k8s.io/v1'],
    ['CiliumNetworkPolicy', 'cilium.io/v1'],
  ]) {
    const yaml = `${WORKLOAD}---\napiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: { name: wider }\n`
    const sentences = await blockersOf(yaml)
    expect(sentences.join('\n'), kind).toContain(`${kind} wider says what may be done or reached in the environment`)
  }
  expect(await extraRules()).not.toMatch(/escalate|"bind"|impersonate|"\*"/)
  const executor = own.cluster.as({ user: `quarterdeck:executor:${environment}`, groups: [] })
  const made = executor.apply(
    { apiVersion: 'cilium.io/v1', kind: 'CiliumNetworkPolicy', metadata: { namespace: environment, name: 'wider' } },
    { dryRun: true },
  )
  await expect(made).rejects.toThrow('cannot patch resource "ciliumnetworkpolicies"')
}, 60_000)

test('[A97] a right that the executor lacks shows in the plan of the change, not in its operation', async () => {
  const binding = { apiVersion: RBAC, kind: 'Role', namespace: environment, name: 'quarterdeck-executor' }
  const before = await own.cluster.get(binding)
  const withoutDeployments = {
    ...before,
    rules: before?.rules.filter(({ apiGroups }: { apiGroups: string[] }) => !apiGroups.includes('apps')),
  } as KubeObject
  const { items } = await own.cluster.list({ apiVersion: RBAC, kind: 'RoleBinding', namespace: environment })
  const extra = items.find(({ metadata }) => metadata.name.startsWith('quarterdeck:executor:'))
  await own.cluster.remove({
    apiVersion: RBAC,
    kind: 'RoleBinding',
    namespace: environment,
    name: extra?.metadata.name ?? '',
  })
  await own.cluster.apply(withoutDeployments, { force: true })
  const changed = WORKLOAD.replace('shop:1', 'shop:2')
  await expect
    .poll(async () => (await blockersOf(changed)).join(), { timeout: 5_000 })
    .toContain('Deployment shop-dev/shop: operations in this environment may not patch deployments.apps')
  await own.cluster.apply({ ...before, metadata: { namespace: environment, name: binding.name } } as KubeObject, {
    force: true,
  })
  await expect.poll(() => blockersOf(changed), { timeout: 5_000 }).toEqual([])
}, 60_000)
