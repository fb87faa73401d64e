import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { listClusters } from '../../features/cluster/cluster/cluster.contract.ts'
import {
  createEnvironment,
  getEnvironment,
  updateEnvironment,
} from '../../features/tenancy/environment/environment.contract.ts'
import { person } from '../platform/people.ts'
import type { Row } from './row.ts'
import type { Target } from './target.ts'

const ENVIRONMENT = 'fenced'
const params = { environment: ENVIRONMENT }

/** What keeps an environment apart, as it is on the cluster. */
async function fence({ cluster }: Target): Promise<unknown[]> {
  const refs = [
    { apiVersion: 'v1', kind: 'Namespace', name: ENVIRONMENT },
    { apiVersion: 'v1', kind: 'ResourceQuota', name: 'quarterdeck', namespace: ENVIRONMENT },
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      name: 'quarterdeck-isolation',
      namespace: ENVIRONMENT,
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      name: 'quarterdeck-executor',
      namespace: ENVIRONMENT,
    },
  ]
  const found = await Promise.all(refs.map((ref) => cluster.kube.get(ref)))
  return found.map((object) => {
    assert.ok(object, 'something of the environment is missing')
    return { labels: object.metadata.labels, uid: object.metadata.uid, spec: object.spec, subjects: object.subjects }
  })
}

async function make({ admin }: Target, cluster: string): Promise<void> {
  const body = { cluster, stage: 'prod' as const, quota: { pods: 2 } }
  await admin(createEnvironment, { params, query: {}, body })
  for (let tries = 0; (await admin(getEnvironment, { params })).state !== 'Ready'; tries++) {
    assert.ok(tries < 300, `${ENVIRONMENT} does not become Ready`)
    await sleep(100)
  }
}

const WORKLOAD = `apiVersion: apps/v1
kind: Deployment
metadata: { name: sly }
spec:
  selector: { matchLabels: { app: sly } }
  template: { metadata: { labels: { app: sly } }, spec: { containers: [ { name: sly, image: "sly:1" } ] } }
---
`
/** Documents that would loosen what keeps the environment apart. */
const LOOSENING = [
  `{ apiVersion: v1, kind: Namespace, metadata: { name: ${ENVIRONMENT}, labels: { pod-security.kubernetes.io/enforce: privileged } } }`,
  '{ apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: { name: all }, spec: { podSelector: {}, ingress: [ {} ], egress: [ {} ] } }',
  '{ apiVersion: v1, kind: ResourceQuota, metadata: { name: quarterdeck }, spec: { hard: { pods: "1000" } } }',
  '{ apiVersion: v1, kind: LimitRange, metadata: { name: quarterdeck }, spec: { limits: [] } }',
  '{ apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: { name: sly }, roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin }, subjects: [ { kind: User, apiGroup: rbac.authorization.k8s.io, name: "quarterdeck:user:fay" } ] }',
]

async function fences(target: Target): Promise<string> {
  const { admin, send } = target
  const [cluster] = (await admin(listClusters)).items
  const name = cluster?.name ?? ''
  await make(target, name)
  const developer = await person(admin, 'fay', [{ role: 'developer', ...params }])
  const owner = await person(admin, 'odo', [{ role: 'project-owner', project: 'default' }])
  const before = await fence(target)
  const asked = (client: { token?: string | undefined }, headers = {}) => ({
    headers: { authorization: `Bearer ${client.token}`, ...headers },
  })
  const native = `/api/v1/clusters/${name}/kubernetes`
  const merge = { 'content-type': 'application/merge-patch+json' }
  const within = `${native}/api/v1/namespaces/${ENVIRONMENT}`
  type Try = [what: string, status: number, tried: Promise<{ status: number; text: string }>]
  const deletion = (namespace: string, resource: string, object: string) =>
    send('POST', `/api/v1/clusters/${name}/deletions`, {
      ...asked(developer),
      body: { namespace, objects: [{ resource, name: object }] },
    })
  const tries: Try[] = [
    ...LOOSENING.map(
      (document): Try => [
        document,
        422,
        send('PUT', `/api/v1/environments/${ENVIRONMENT}/applications/sly/manifests`, {
          ...asked(developer),
          body: { yaml: WORKLOAD + document },
        }),
      ],
    ),
    ...[
      [within, { metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'privileged' } } }],
      [within, { metadata: { labels: { 'quarterdeck.dev/project': 'other' } } }],
      [`${within}/resourcequotas/quarterdeck`, { spec: { hard: { pods: '1000' } } }],
      [
        `${native}/apis/networking.k8s.io/v1/namespaces/${ENVIRONMENT}/networkpolicies/quarterdeck-isolation`,
        { spec: { ingress: [{}] } },
      ],
      [
        `${native}/apis/rbac.authorization.k8s.io/v1/namespaces/${ENVIRONMENT}/rolebindings/quarterdeck-executor`,
        { subjects: [] },
      ],
    ].map(
      ([path, body]): Try => [
        `kubectl patch ${path}`,
        403,
        send('PATCH', String(path), { ...asked(developer, merge), body: JSON.stringify(body) }),
      ],
    ),
    ['kubectl delete the quota', 403, send('DELETE', `${within}/resourcequotas/quarterdeck`, asked(developer))],
    ['the explorer deletes the quota', 403, deletion(ENVIRONMENT, 'resourcequotas', 'quarterdeck')],
    ['the explorer deletes the namespace', 404, deletion('', 'namespaces', ENVIRONMENT)],
    [
      'a developer changes the environment',
      403,
      send('PATCH', `/api/v1/environments/${ENVIRONMENT}`, { ...asked(developer), body: { isolation: 'open' } }),
    ],
    ...['kube-system', 'default', 'kube-public'].map(
      (namespace): Try => [
        `an owner makes ${namespace} an environment`,
        422,
        send('PUT', '/api/v1/environments/taken', {
          ...asked(owner),
          body: { cluster: name, stage: 'dev', namespace },
        }),
      ],
    ),
  ]
  for (const [what, wanted, tried] of tries) {
    const { status, text } = await tried
    assert.equal(status, wanted, `${what}: ${status} ${text.slice(0, 300)}`)
  }
  assert.deepEqual(await fence(target), before)
  await owner(updateEnvironment, { params, query: { dryRun: true }, body: { isolation: 'open' } })
  return `${tries.length} ways`
}

export const placeRows: Row[] = [
  {
    id: 'A93',
    what: 'labels, quota, isolation and rights of an environment cannot be set by who works in it, by YAML, kubectl or another environment',
    run: fences,
  },
]
