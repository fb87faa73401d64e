import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '@quarterdeck/client'
import { isProblem, type KubeObject, notFound, rejectedByCluster } from '@quarterdeck/kernel'
import { parseKubeconfig } from '@quarterdeck/kube'
import { listClusters } from '../../features/cluster/cluster/cluster.contract.ts'
import { createGrant, deleteGrant } from '../../features/tenancy/grant/grant.contract.ts'
import { addGroupMember, createGroup } from '../../features/tenancy/group/group.contract.ts'
import { person } from '../platform/people.ts'
import { ensureEnvironment } from '../platform/platform.ts'
import { type Dice, dice, randomWorld } from '../platform/random-rbac.ts'
import type { Target } from './target.ts'

/** Somebody who asks, here and there. */
export interface Person {
  name: string
  client: Client
  user: string
  groups: string[]
}
/** A kind whose objects are compared. */
export interface ComparedKind {
  resource: string
  /** Of the API server: `/api/v1`, `/apis/apps/v1`. */
  path: string
  plural: string
  namespaced: boolean
}

const ENVIRONMENTS = ['a08-n0', 'a08-n1', 'a08-n2', 'a08-n3']
/** Everybody may look there, so that no door is closed to them before it is asked who may see what. */
const COMMON = 'a08-common'
const PEOPLE = ['a08-u0', 'a08-u1', 'a08-u2', 'a08-u3', 'a08-u4']
const GROUPS: Record<string, string[]> = { 'a08-g0': ['a08-u0', 'a08-u1'], 'a08-g1': ['a08-u1', 'a08-u2', 'a08-u3'] }
/** Part of the name of everything that is made here, and of nothing else. */
export const WORD = 'zephyr'
const A_KIND = 12

const kind = (resource: string, path: string, namespaced = true): ComparedKind => ({
  resource,
  path,
  plural: resource.split('.')[0] ?? '',
  namespaced,
})
export const KINDS: readonly ComparedKind[] = [
  kind('pods', '/api/v1'),
  kind('configmaps', '/api/v1'),
  kind('secrets', '/api/v1'),
  kind('services', '/api/v1'),
  kind('serviceaccounts', '/api/v1'),
  kind('namespaces', '/api/v1', false),
  kind('nodes', '/api/v1', false),
  kind('deployments.apps', '/apis/apps/v1'),
  kind('replicasets.apps', '/apis/apps/v1'),
  kind('cronjobs.batch', '/apis/batch/v1'),
  kind('roles.rbac.authorization.k8s.io', '/apis/rbac.authorization.k8s.io/v1'),
  kind('rolebindings.rbac.authorization.k8s.io', '/apis/rbac.authorization.k8s.io/v1'),
  kind('clusterroles.rbac.authorization.k8s.io', '/apis/rbac.authorization.k8s.io/v1', false),
  kind('gadgets.a08.example', '/apis/a08.example/v1'),
]

const RBAC = 'rbac.authorization.k8s.io'
const WITHHELD = ['secrets', 'roles', 'rolebindings', 'clusterroles', 'clusterrolebindings']
/** What roles of the platform let one list, said once more and otherwise. */
const OPENED: Record<string, (plural: string) => boolean> = {
  viewer: (plural) => !WITHHELD.includes(plural),
  dba: (plural) => plural === 'secrets' || !WITHHELD.includes(plural),
  auditor: () => false,
}

/** Objects, people and environments that all worlds have in common, on the cluster of the target. */
export class Worlds {
  readonly target: Target
  readonly people: Person[] = []
  readonly namespaces = [...ENVIRONMENTS, COMMON, 'dev', 'default']
  cluster = ''
  readonly #ask: (
    path: string,
    as: Person,
    isList?: boolean,
  ) => Promise<{ status: number; body: { items?: KubeObject[] | null } }>

  constructor(target: Target) {
    this.target = target
    this.#ask = impersonating(readFileSync(target.cluster.plane.kubeconfigFile, 'utf8'))
  }

  async prepare(): Promise<void> {
    const { admin, cluster } = this.target
    this.cluster = (await admin(listClusters)).items[0]?.name ?? ''
    for (const name of [...ENVIRONMENTS, COMMON]) await ensureEnvironment(admin, name)
    for (const name of PEOPLE) {
      const client = await person(admin, name, [{ role: 'viewer', environment: COMMON }])
      const groups = Object.keys(GROUPS).filter((group) => GROUPS[group]?.includes(name))
      const asGroups = groups.map((group) => `quarterdeck:group:${group}`)
      this.people.push({ name, client, user: `quarterdeck:user:${name}`, groups: asGroups })
    }
    for (const [group, members] of Object.entries(GROUPS)) {
      await admin(createGroup, { body: { name: group } })
      for (const user of members) await admin(addGroupMember, { params: { group, user } })
    }
    await cluster.kube.create(GADGETS)
    for (const namespace of ENVIRONMENTS) {
      for (let index = 0; index < A_KIND; index++) {
        for (const object of objectsOf(namespace, index)) await this.#make(object)
      }
    }
    // The grant that everybody has is known to the API server, too.
    for (const user of PEOPLE) await this.#bind(`common-${user}`, [COMMON], { user }, OPENED.viewer)
  }

  /** Makes one; a kind may be new to the API server. */
  async #make(object: KubeObject): Promise<void> {
    for (let tries = 0; ; tries++) {
      try {
        await this.target.cluster.kube.create(object)
        return
      } catch (error) {
        const soon = isProblem(error, notFound) || isProblem(error, rejectedByCluster)
        if (tries === 50 || !soon) throw error
        await sleep(100)
      }
    }
  }

  /** Roles and bindings of the cluster, and grants of ours, as the seed says; answers how to take them away. */
  async open(seed: number): Promise<() => Promise<void>> {
    const next = dice(seed)
    const { kube } = this.target.cluster
    const made: KubeObject[] = randomWorld(next, {
      namespaces: ENVIRONMENTS,
      prefix: `a08-${seed}`,
      users: this.people.map(({ user }) => user),
      groups: Object.keys(GROUPS).map((group) => `quarterdeck:group:${group}`),
    })
    for (const object of made) await kube.create(object)
    const grants: string[] = []
    const given = new Set<string>()
    for (let index = next(4); index > 0; index--) {
      grants.push(...(await this.#grant(next, `a08-${seed}-${index}`, { made, given })))
    }
    return async () => {
      for (const grant of grants) await this.target.admin(deleteGrant, { params: { grant } })
      for (const { apiVersion, kind: name, metadata } of made) {
        await kube.remove({ apiVersion, kind: name, name: metadata.name, namespace: metadata.namespace })
      }
    }
  }

  /** Answers the grant's id; nothing when chance says the same once more. */
  async #grant(
    next: Dice,
    name: string,
    { made, given }: { made: KubeObject[]; given: Set<string> },
  ): Promise<string[]> {
    const pick = <T>(of: readonly T[]): T => of[next(of.length)] as T
    const holder = next(2) === 0 ? { user: pick(PEOPLE) } : { group: pick(Object.keys(GROUPS)) }
    const role = next(12) === 0 ? 'administrator' : pick(Object.keys(OPENED))
    const environment = pick(ENVIRONMENTS)
    const where = next(6)
    const place = where === 0 ? { platform: true as const } : where === 1 ? { project: 'default' } : { environment }
    const text = JSON.stringify([role, holder, place])
    if (given.has(text)) return []
    given.add(text)
    const granted = await this.target.admin(createGrant, { query: {}, body: { role, ...holder, ...place } })
    const opens = role === 'administrator' ? (place.platform ? () => true : OPENED.dba) : OPENED[role]
    const namespaces = place.platform ? undefined : place.project ? [...ENVIRONMENTS, COMMON, 'dev'] : [environment]
    made.push(...(await this.#bind(name, namespaces, holder, opens)))
    if (granted.kind !== 'Grant') throw new Error('A grant was asked for, not what it would open')
    return [granted.id]
  }

  /** What the platform's grant has to be at the API server, made here and labelled as the platform's own. */
  async #bind(
    name: string,
    namespaces: readonly string[] | undefined,
    holder: { user?: string; group?: string },
    opens: ((plural: string) => boolean) | undefined,
  ): Promise<KubeObject[]> {
    const rules = KINDS.filter(({ plural }) => opens?.(plural)).map(({ plural, path }) => ({
      verbs: ['get', 'list', 'watch'],
      apiGroups: [path.split('/')[3] === undefined ? '' : path.split('/')[2]],
      resources: [plural],
    }))
    const labels = { 'quarterdeck.dev/grant': 'a08' }
    const subject = holder.user
      ? { kind: 'User', name: `quarterdeck:user:${holder.user}` }
      : { kind: 'Group', name: `quarterdeck:group:${holder.group}` }
    const api = { apiVersion: `${RBAC}/v1` }
    const bound = { roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name }, subjects: [{ apiGroup: RBAC, ...subject }] }
    const made: KubeObject[] = [
      { ...api, kind: 'ClusterRole', metadata: { name }, rules },
      ...(namespaces ?? [undefined]).map((namespace) => ({
        ...api,
        kind: namespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding',
        metadata: { name, labels, ...(namespace === undefined ? {} : { namespace }) },
        ...bound,
      })),
    ]
    for (const object of made) await this.target.cluster.kube.create(object)
    return made
  }

  /** Keys `namespace/name` that the API server lists to them in all namespaces; undefined when it lets them list nowhere. */
  async listed({ path, plural, namespaced }: ComparedKind, as: Person): Promise<string[] | undefined> {
    // A list of nothing has null for its items.
    const keysOf = (items: KubeObject[] | null | undefined) =>
      (items ?? []).map(({ metadata: { namespace = '', name } }) => `${namespace}/${name}`)
    const all = await this.#ask(`${path}/${plural}`, as)
    if (all.status === 200) return keysOf(all.body.items).sort()
    if (!namespaced) return undefined
    const some = await Promise.all(
      this.namespaces.map((namespace) => this.#ask(`${path}/namespaces/${namespace}/${plural}`, as)),
    )
    const allowed = some.filter(({ status }) => status === 200)
    return allowed.length === 0 ? undefined : allowed.flatMap(({ body }) => keysOf(body.items)).sort()
  }

  /** Whether the API server lets them read one object. */
  async reads({ path, plural }: ComparedKind, key: string, as: Person): Promise<boolean> {
    const [namespace = '', name = ''] = key.split('/')
    const at = namespace === '' ? '' : `/namespaces/${namespace}`
    const { status } = await this.#ask(`${path}${at}/${plural}/${name}`, as, false)
    if ([200, 403, 404].includes(status)) return status === 200
    throw new Error(`${path} ${key}: the API server answers ${status}`)
  }
}

const GADGETS: KubeObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'gadgets.a08.example' },
  spec: {
    group: 'a08.example',
    scope: 'Namespaced',
    names: { plural: 'gadgets', kind: 'Gadget' },
    versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
  },
}

/** Nothing of it is run, chosen or reported on by a controller, but that a Deployment gets its ReplicaSet. */
function objectsOf(namespace: string, index: number): KubeObject[] {
  const metadata = { name: `${WORD}-${index}`, namespace, labels: { app: `${WORD}-${index % 3}` } }
  const made = (apiVersion: string, name: string, rest: object): KubeObject => ({
    apiVersion,
    kind: name,
    metadata,
    ...rest,
  })
  const template = {
    metadata: { labels: metadata.labels },
    spec: { containers: [{ name: 'web', image: 'web:1' }], schedulingGates: [{ name: 'a08.example/never' }] },
  }
  const objects = [
    made('v1', 'ConfigMap', { data: { a: 'b' } }),
    made('v1', 'Secret', { stringData: { token: 'never shown' } }),
    made('v1', 'Pod', { spec: template.spec }),
    made('v1', 'Service', { spec: { clusterIP: 'None', ports: [{ port: 80 }] } }),
    made('a08.example/v1', 'Gadget', {}),
  ]
  const { restartPolicy, ...pod } = { restartPolicy: 'Never', ...template.spec }
  const jobTemplate = { spec: { template: { spec: { ...pod, restartPolicy } } } }
  if (index < 4) {
    objects.push(made('batch/v1', 'CronJob', { spec: { schedule: '0 0 1 1 *', suspend: true, jobTemplate } }))
    const selector = { matchLabels: { app: `deployed-${index}` } }
    const deployed = { ...template, metadata: { labels: selector.matchLabels } }
    objects.push(made('apps/v1', 'Deployment', { spec: { replicas: 0, selector, template: deployed } }))
  }
  return objects
}

/** Asks the API server as the administrator of the cluster, who acts as somebody else. */
function impersonating(kubeconfig: string) {
  const { server, ca, certificate, key } = parseKubeconfig(kubeconfig)
  const agent = new Agent({ keepAlive: true, maxSockets: 8, ca, cert: certificate, key })
  const metadataOnly = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io'
  return (path: string, { user, groups }: Person, isList = true) =>
    new Promise<{ status: number; body: { items?: KubeObject[] | null } }>((resolve, reject) => {
      const accept = isList ? metadataOnly : 'application/json'
      const headers = { accept, 'impersonate-user': user, 'impersonate-group': groups }
      const asking = request(`${server}${path}`, { agent, headers }, async (response) => {
        try {
          const chunks: Buffer[] = []
          for await (const chunk of response) chunks.push(chunk as Buffer)
          resolve({ status: response.statusCode ?? 0, body: JSON.parse(Buffer.concat(chunks).toString('utf8')) })
        } catch (error) {
          reject(error as Error)
        }
      })
      asking.on('error', reject)
      asking.end()
    })
}
