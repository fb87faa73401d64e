import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { csvOf } from '../../features/cluster/explorer/csv.rules.ts'
import { listObjects } from '../../features/cluster/object/object.contract.ts'
import { getEnvironment } from '../../features/tenancy/environment/environment.contract.ts'
import { declaredEndpoints } from '../../scripts/contracts.ts'
import { person } from '../platform/people.ts'
import type { Row } from './row.ts'
import { refused, type Target } from './target.ts'

const WORKLOAD = 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: sly }\n'
const DATA = `${WORKLOAD}data:\n`
const SMUGGLED = [
  'apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: { name: a73 }\nroleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin }\nsubjects: [ { kind: Group, apiGroup: rbac.authorization.k8s.io, name: "system:authenticated" } ]\n',
  'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a73, namespace: kube-system }\n',
  'apiVersion: v1\nkind: List\nitems: [ { apiVersion: v1, kind: ConfigMap, metadata: { name: a73, namespace: kube-system } } ]\n',
  'apiVersion: v1\nkind: Namespace\nmetadata: { name: a73 }\n',
]
const laughs = Array.from(
  { length: 12 },
  (_, at) => `l${at + 1}: &l${at + 1} [${Array(10).fill(`*l${at}`).join(', ')}]`,
)
const ODD: string[] = [
  `${DATA}  a: !!js/function 'function () { return 1 }'\n`,
  `${DATA}  a: !!python/object/apply:os.system ['touch /tmp/a73']\n`,
  `${DATA}  a: !!binary "////"\n`,
  `l0: &l0 lol\n${laughs.join('\n')}\n${WORKLOAD}`,
  `${WORKLOAD}data: &a { b: *a }\n`,
  `base: &base { __proto__: { polluted: yes } }\n${DATA}  <<: *base\n`,
  `${DATA}  __proto__: { polluted: "yes" }\n  constructor: { prototype: { polluted: "yes" } }\n`,
  `${DATA}  a: "1"\n  a: "2"\n`,
  `${DATA}  a: ${'['.repeat(20_000)}${']'.repeat(20_000)}\n`,
  `%YAML 9.9\n---\n${WORKLOAD}`,
  `${WORKLOAD}\u0000`,
  '',
  '---\n---\n',
]

async function documents(target: Target): Promise<string> {
  const { admin, cluster, send } = target
  const developer = await person(admin, 'a73-dev', [{ role: 'developer', environment: 'dev' }])
  const headers = { authorization: `Bearer ${developer.token}` }
  const apply = (yaml: string) =>
    send('PUT', '/api/v1/environments/dev/applications/sly/manifests', { headers, body: { yaml } })
  for (const yaml of ODD) {
    const began = performance.now()
    refused(await apply(yaml), yaml.slice(0, 120), 400, 413, 422)
    assert.ok(performance.now() - began < 5_000, `it takes long over ${yaml.slice(0, 120)}`)
  }
  for (const second of SMUGGLED) {
    for (const yaml of [`${DATA}  a: b\n---\n${second}`, `${second}---\n${DATA}  a: b\n`]) {
      refused(await apply(yaml), second.slice(0, 120), 403, 422)
    }
  }
  assert.equal((Object.prototype as Record<string, unknown>).polluted, undefined)
  for (const [kind, namespace] of [
    ['Namespace', undefined],
    ['ConfigMap', 'kube-system'],
  ] as const) {
    assert.equal(await cluster.kube.get({ apiVersion: 'v1', kind, name: 'a73', namespace }), undefined)
  }
  const api = 'rbac.authorization.k8s.io/v1'
  assert.equal(await cluster.kube.get({ apiVersion: api, kind: 'ClusterRoleBinding', name: 'a73' }), undefined)
  return `${ODD.length} documents, ${SMUGGLED.length * 2} smuggled`
}

const FORMULAS = [
  '=1+1',
  '+1+1',
  '-2+3',
  '@SUM(1)',
  '=cmd|"/C calc"!A0',
  '\t=1+1',
  '=HYPERLINK("//evil.example","a")',
  '"=1',
]

/** What the console writes for a spreadsheet, of what the server answers. */
async function formulas({ admin, cluster }: Target): Promise<string> {
  const { namespace } = await admin(getEnvironment, { params: { environment: 'dev' } })
  for (const [at, formula] of FORMULAS.entries()) {
    await cluster.kube.apply({
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: `a76-${at}`, namespace },
      involvedObject: { apiVersion: 'v1', kind: 'Pod', name: 'a76', namespace },
      reason: formula,
      message: formula,
      type: 'Normal',
      lastTimestamp: new Date().toISOString(),
    })
  }
  const query = { namespace, filter: 'a76', limit: 100 }
  const list = () => admin(listObjects, { params: { resource: 'events' }, query })
  // A kind that nobody has looked at is asked for first.
  for (let tries = 0; (await list()).total < FORMULAS.length; tries++) {
    assert.ok(tries < 100, 'the events do not come')
    await sleep(100)
  }
  const page = await list()
  const file = csvOf(page.columns, page.rows)
  for (const formula of FORMULAS) assert.ok(file.includes(formula.replaceAll('"', '""')), `${formula} is not in it`)
  // Of a cell the first character decides, whether it is quoted or not.
  const cells = file.slice(1).match(/("([^"]|"")*"|[^,\r\n]*)(?=,|\r\n)/g) ?? []
  const formulaCells = cells.filter((cell) => /^"?[=+\-@\t\r]/.test(cell) && Number.isNaN(Number(cell)))
  assert.deepEqual(formulaCells, [])
  return `${FORMULAS.length} formulas in ${cells.length} cells`
}

/** Line ends in everything that an address may hold: no header of the answer is made of it. */
async function splitHeaders(target: Target): Promise<string> {
  const injected = encodeURIComponent('a\r\nX-Injected: yes\r\nSet-Cookie: session=x\r\n\r\n<script>')
  const head = `Host: 127.0.0.1:${target.server.port}\r\nAuthorization: Bearer ${target.admin.token}\r\nConnection: close\r\n\r\n`
  const endpoints = (await declaredEndpoints()).map(({ endpoint }) => endpoint)
  const reads = endpoints.filter(({ method, transport }) => method === 'GET' && transport !== 'websocket')
  let asked = 0
  for (const { path, query } of reads) {
    const inPath = path.replace(/:\w+/g, injected)
    const inQuery = `${path.replace(/:\w+/g, 'dev')}?${Object.keys(query.shape)
      .map((name) => `${name}=${injected}`)
      .join('&')}`
    for (const tried of new Set([inPath, inQuery])) {
      const answer = await target.raw(`GET /api/v1${tried} HTTP/1.1\r\n${head}`)
      const [headers = ''] = answer.split('\r\n\r\n')
      assert.match(headers, /^HTTP\/1\.1 \d{3} /, tried)
      assert.doesNotMatch(headers, /^(x-injected|set-cookie: session=x)/im, tried)
      asked++
    }
  }
  return `${asked} requests`
}

export const textRows: Row[] = [
  {
    id: 'A73',
    what: 'YAML with tags, bombs, cycles, doubled keys or a document that was not meant is refused as a whole',
    run: documents,
  },
  { id: 'A76', what: 'what is written for a spreadsheet holds no formula', run: formulas },
  { id: 'A77', what: 'line ends in an address make no header of the answer', run: splitHeaders },
]
