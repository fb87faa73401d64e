import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { KubeObject } from '@quarterdeck/kernel'
import { IMPERSONATOR } from '@quarterdeck/kube'
import { ensureEnvironment } from '../platform/platform.ts'
import { bearer, type Rules, until } from './identity-rows.ts'
import type { Row } from './row.ts'
import type { Target } from './target.ts'

// What an executor may in its own namespace beside what everybody may; nothing of what keeps environments apart.
const ALL = 'create,delete,get,list,patch,update,watch'
/** What comes with the environment. */
const EXECUTOR_GOLDEN = [
  `${ALL} configmaps,endpoints,persistentvolumeclaims,pods,secrets,serviceaccounts,services`,
  `${ALL} cronjobs,jobs`,
  `${ALL} daemonsets,deployments,replicasets,statefulsets`,
  `${ALL} grpcroutes,httproutes,tcproutes,tlsroutes,udproutes`,
  `${ALL} horizontalpodautoscalers`,
  `${ALL} ingresses`,
  `${ALL} poddisruptionbudgets`,
  'get,list,watch events,limitranges,resourcequotas',
]
/** What it may besides: kinds in namespaces as the cluster serves them. */
const SERVED_GOLDEN = [
  `${ALL} configmaps,endpoints,events,persistentvolumeclaims,pods,podtemplates,replicationcontrollers,serviceaccounts,services`,
  `${ALL} controllerrevisions,daemonsets,deployments,replicasets,statefulsets`,
  `${ALL} cronjobs,jobs`,
  `${ALL} csistoragecapacities`,
  `${ALL} endpointslices`,
  `${ALL} events`,
  `${ALL} horizontalpodautoscalers`,
  `${ALL} ingresses`,
  `${ALL} leases`,
  `${ALL} poddisruptionbudgets`,
  `${ALL} resourceclaims,resourceclaimtemplates`,
  'get,list,watch limitranges,resourcequotas',
  'get,list,watch networkpolicies',
]

/** What a change writes is written by the executor of its environment, which can do nothing anywhere else. */
async function leastExecutor(target: Target): Promise<string> {
  await ensureEnvironment(target.admin, 'side')
  const before = readFileSync(target.cluster.plane.auditLogFile, 'utf8').length
  // An environment of a moment ago: its first operation may find no executor yet.
  await until('an operation writes as the executor', () => writesAsExecutor(target, before))
  const executor = target.cluster.kube.as({ user: 'quarterdeck:executor:side', groups: [] })
  const rightsIn = async (namespace: string): Promise<string[]> => {
    const { object } = await executor.create({
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectRulesReview',
      metadata: {} as KubeObject['metadata'],
      spec: { namespace },
    })
    const { resourceRules }: Rules = object.status
    return (
      resourceRules
        .filter(({ resources }) => !resources.every((one) => one.startsWith('selfsubject')))
        // Kinds that other rows define.
        .filter(({ apiGroups }) => !apiGroups.some((group) => /\.example(\.com)?$/.test(group)))
        .map(({ verbs, resources }) => `${verbs.toSorted().join()} ${resources.toSorted().join()}`)
        .toSorted()
    )
  }
  const golden = [...EXECUTOR_GOLDEN, ...SERVED_GOLDEN]
  assert.deepEqual([...new Set(await rightsIn('side'))], [...new Set(golden)].toSorted())
  for (const namespace of ['dev', 'kube-system', IMPERSONATOR.namespace]) {
    assert.deepEqual(await rightsIn(namespace), [], namespace)
  }
  return `${golden.length} rules in its own namespace, none in others`
}

const GADGETS = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'gadgets.toys.example.com' },
  spec: {
    group: 'toys.example.com',
    scope: 'Namespaced',
    names: { kind: 'Gadget', plural: 'gadgets', singular: 'gadget' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
}
const deploymentAnd = (kind: string, apiVersion: string) => `
apiVersion: apps/v1
kind: Deployment
metadata: { name: toys }
spec:
  replicas: 0
  selector: { matchLabels: { app: toys } }
  template:
    metadata: { labels: { app: toys } }
    spec: { containers: [{ name: toys, image: registry.example.com/toys:1 }] }
---
apiVersion: ${apiVersion}
kind: ${kind}
metadata: { name: top }
`

/** A kind that is defined while the platform runs is written by executors soon after; one that is withheld never is. */
async function kindThatComes(target: Target): Promise<string> {
  await ensureEnvironment(target.admin, 'side')
  const { kube } = target.cluster
  await kube.apply(GADGETS as KubeObject)
  const path = '/api/v1/environments/side/applications/toys/manifests'
  const put = (yaml: string, query: string) =>
    target.send('PUT', `${path}${query}`, {
      headers: { ...bearer(target.admin), 'idempotency-key': `toys-${Math.random()}` },
      body: { yaml },
    })
  const yaml = deploymentAnd('Gadget', 'toys.example.com/v1')
  let sentence = ''
  const began = performance.now()
  await until('the plan of a kind that has come has nothing in its way', async () => {
    const { body, text } = await put(yaml, '?dryRun=true')
    sentence = text
    return Array.isArray(body.blockers) && body.blockers.length === 0
  }).catch((error: Error) => assert.fail(`${error.message}: ${sentence}`))
  const seconds = (performance.now() - began) / 1_000
  assert.equal((await put(yaml, '')).status, 202)
  const ref = { apiVersion: 'toys.example.com/v1', kind: 'Gadget', namespace: 'side', name: 'top' }
  await until('the object of the new kind is there', async () => (await kube.get(ref)) !== undefined)
  const line = readFileSync(target.cluster.plane.auditLogFile, 'utf8')
    .split('\n')
    .find((one) => one.includes('"resource":"gadgets"') && one.includes('"verb":"patch"') && !one.includes('dryRun'))
  assert.match(line ?? '', /"impersonatedUser":\{"username":"quarterdeck:executor:side"/)
  for (const [kind, apiVersion] of [
    ['Role', 'rbac.authorization.k8s.io/v1'],
    ['NetworkPolicy', 'networking.k8s.io/v1'],
  ] as const) {
    const answer = await put(deploymentAnd(kind, apiVersion), '')
    assert.equal(answer.status, 422, answer.text)
    assert.match(answer.text, /says what may be done or reached in the environment/)
  }
  await kube.remove({ apiVersion: GADGETS.apiVersion, kind: GADGETS.kind, name: GADGETS.metadata.name })
  return `written ${seconds.toFixed(1)} s after its definition`
}

async function writesAsExecutor(target: Target, before: number): Promise<boolean> {
  const name = `written-${Math.random().toString(36).slice(2, 8)}`
  const headers = { ...bearer(target.admin), 'idempotency-key': name }
  const body = { image: target.cluster.image(1), exposure: 'none' }
  const answer = await target.send('PUT', `/api/v1/environments/side/applications/${name}`, { headers, body })
  assert.equal(answer.status, 202, answer.text)
  await sleep(1_000)
  const lines = readFileSync(target.cluster.plane.auditLogFile, 'utf8').slice(before).split('\n')
  return lines.some(
    (line) =>
      line.includes(`"name":"${name}"`) &&
      line.includes('"resource":"deployments"') &&
      !line.includes('dryRun') &&
      line.includes('"impersonatedUser":{"username":"quarterdeck:executor:side"'),
  )
}

export const executorRows: Row[] = [
  {
    id: 'A97',
    what: 'operations write as the executor of their environment, which may what they apply there and nothing elsewhere',
    run: leastExecutor,
  },
  {
    id: 'A97',
    what: 'a kind that is defined while the platform runs is written by executors, a withheld one never',
    run: kindThatComes,
  },
]
