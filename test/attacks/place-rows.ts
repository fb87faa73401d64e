import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '@quarterdeck/client'
import { isProblem } from '@quarterdeck/kernel'
import { listClusters, listNodes } from '../../features/cluster/cluster/cluster.contract.ts'
import { editObject, getEditable } from '../../features/cluster/object/edit.contract.ts'
import { planBlocked } from '../../features/delivery/operation/operation.contract.ts'
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
  const edit = (namespace: string, resource: string, object: string, kind: string, rest: string) =>
    send('PUT', `/api/v1/clusters/${name}/objects/${resource}/${object}`, {
      ...asked(developer),
      body: {
        namespace,
        yaml: `{ apiVersion: ${kind}, metadata: { name: ${object} }, ${rest} }`,
        resourceVersion: '1',
      },
    })
  const node = (await admin(listNodes, { params: { cluster: name } })).items[0]?.name ?? ''
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
      'the explorer edits the quota',
      403,
      edit(ENVIRONMENT, 'resourcequotas', 'quarterdeck', 'v1, kind: ResourceQuota', 'spec: { hard: { pods: "1000" } }'),
    ],
    [
      'the explorer edits the isolation',
      403,
      edit(
        ENVIRONMENT,
        'networkpolicies',
        'quarterdeck-isolation',
        'networking.k8s.io/v1, kind: NetworkPolicy',
        'spec: { podSelector: {}, ingress: [ {} ] }',
      ),
    ],
    ['the explorer edits the namespace', 404, edit('', 'namespaces', ENVIRONMENT, 'v1, kind: Namespace', 'spec: {}')],
    ...['cordons', 'drains'].map(
      (act): Try => [
        `the explorer ${act} a node`,
        404,
        send('POST', `/api/v1/clusters/${name}/${act}`, { ...asked(developer), body: { nodes: [{ name: node }] } }),
      ],
    ),
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
  await administratorEdits(target, name)
  await ownEdit(developer, name)
  assert.deepEqual(await fence(target), before)
  await owner(updateEnvironment, { params, query: { dryRun: true }, body: { isolation: 'open' } })
  return `${tries.length} ways`
}

/** What is theirs to change they change: the API server itself says yes to them. */
async function ownEdit(developer: Client, cluster: string): Promise<void> {
  const one = { cluster, resource: 'configmaps', name: 'kube-root-ca.crt' }
  const { yaml, resourceVersion } = await developer(getEditable, { params: one, query: { namespace: ENVIRONMENT } })
  const body = { namespace: ENVIRONMENT, yaml: `${yaml}\nimmutable: false\n`, resourceVersion }
  const plan = await developer(editObject, { params: one, query: { dryRun: true }, body })
  assert.deepEqual(plan.kind === 'Plan' && plan.blockers, [])
}

/** What keeps environments apart is changed by nobody but them, whatever one may otherwise. */
async function administratorEdits({ admin }: Target, cluster: string): Promise<void> {
  for (const [resource, name, namespace, from, to] of [
    ['resourcequotas', 'quarterdeck', ENVIRONMENT, 'spec:', 'spec:\n  scopes: [NotTerminating]'],
    ['namespaces', ENVIRONMENT, '', 'labels:', 'labels:\n    pod-security.kubernetes.io/warn: privileged'],
  ] as const) {
    const params = { cluster, resource, name }
    const read = await admin(getEditable, { params, query: { namespace } })
    const { resourceVersion, digest } = read
    const yaml = read.yaml.replace(from, to)
    assert.notEqual(yaml, read.yaml)
    const body = { namespace, yaml, resourceVersion, digest }
    await assert.rejects(
      admin(editObject, { params, query: {}, body }),
      (error) => isProblem(error, planBlocked) && /environment/i.test(error.message),
    )
  }
}

export const placeRows: Row[] = [
  {
    id: 'A93',
    what: 'labels, quota, isolation and rights of an environment cannot be set by who works in it, by YAML, kubectl or another environment',
    run: fences,
  },
]
