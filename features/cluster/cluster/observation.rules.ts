import { isProblem, type KubeObject } from '@quarterdeck/kernel'
import { clusterCapacity } from './capacity.rules.ts'
import type { ClusterDetail } from './cluster.contract.ts'
import { type ApiServerHealth, componentsOf } from './component.rules.ts'
import { askRights } from './right.rules.ts'
import { isSupported, SUPPORTED_TEXT } from './version.rules.ts'

/** What was seen of a cluster at one moment. */
export type Observation = Pick<ClusterDetail, 'state' | 'message' | 'components' | 'warnings' | 'rights'> &
  Partial<Pick<ClusterDetail, 'version' | 'versionSupported' | 'capacity'>>

/** What an observation asks of a cluster; packages/kube's Cluster is one. */
export interface ClusterReader {
  readonly warnings: readonly string[]
  version(): Promise<{ gitVersion: string }>
  health(): Promise<ApiServerHealth>
  get(ref: { apiVersion: string; kind: string; namespace: string; name: string }): Promise<KubeObject | undefined>
  listAll(selection: { apiVersion: string; kind: string; fieldSelector?: string }): AsyncIterable<KubeObject>
  create(object: KubeObject): Promise<{ object: KubeObject }>
}

/**
 * Looks at a cluster: version, control plane, nodes, capacity and what our credentials may do. Never throws because of
 * the cluster: what cannot be seen is said in the answer. `now` is the present time in ms.
 */
export async function observeCluster(cluster: ClusterReader, now: number): Promise<Observation> {
  const health = await cluster.health()
  const nothing = { components: [], rights: [], warnings: [...cluster.warnings] }
  if (health.latencyMs === undefined) return { state: 'Unreachable', message: health.message, ...nothing }
  const problems: string[] = []
  const ask = async <Answer>(question: Promise<Answer>): Promise<Answer | undefined> => {
    try {
      return await question
    } catch (error) {
      if (!isProblem(error)) throw error
      problems.push(error.body.detail ?? error.body.title)
      return undefined
    }
  }
  const version = await ask(cluster.version())
  const rights = (await ask(askRights(cluster))) ?? []
  if (rights.length === 0) {
    return { state: 'Unreachable', message: problems.join(' '), ...nothing, ...versionOf(version?.gitVersion) }
  }
  const components = (await ask(componentsOf(cluster, health, now))) ?? []
  const capacity = await ask(capacityOf(cluster))
  problems.push(...troublesOf({ components, capacity, rights }))
  const { gitVersion } = version ?? {}
  const seen = versionOf(gitVersion)
  return {
    state: problems.length === 0 ? 'Ready' : 'Degraded',
    message: problems.join(' '),
    components,
    rights,
    ...seen,
    ...(capacity ? { capacity } : {}),
    warnings: [
      ...cluster.warnings,
      ...(seen.versionSupported === false ? [`Kubernetes ${gitVersion} is not supported: ${SUPPORTED_TEXT}.`] : []),
    ],
  }
}

/** The same for a registered cluster; a kubeconfig that has become unusable (an expired certificate) is an observation too. */
export async function observeRegistered(
  clusters: { get(name: string): Promise<ClusterReader> },
  name: string,
  now: number,
): Promise<Observation> {
  try {
    return await observeCluster(await clusters.get(name), now)
  } catch (error) {
    if (!isProblem(error)) throw error
    const message = error.body.detail ?? error.body.title
    return { state: 'Unreachable', message, components: [], rights: [], warnings: [] }
  }
}

const versionOf = (gitVersion: string | undefined) =>
  gitVersion === undefined ? {} : { version: gitVersion, versionSupported: isSupported(gitVersion) }

/** Everything that a list goes through. */
export async function allOf(objects: AsyncIterable<KubeObject>): Promise<KubeObject[]> {
  const all: KubeObject[] = []
  for await (const object of objects) all.push(object)
  return all
}

async function capacityOf(cluster: ClusterReader) {
  const nodes = await allOf(cluster.listAll({ apiVersion: 'v1', kind: 'Node' }))
  const fieldSelector = 'status.phase!=Succeeded,status.phase!=Failed'
  const pods = await allOf(cluster.listAll({ apiVersion: 'v1', kind: 'Pod', fieldSelector }))
  return clusterCapacity(nodes, pods)
}

function troublesOf({
  components,
  capacity,
  rights,
}: Pick<Observation, 'components' | 'rights'> & { capacity: Observation['capacity'] }): string[] {
  const troubles = components
    .filter(({ healthy }) => !healthy)
    .map(({ name, message }) => `${name} is not healthy${message ? `: ${message}` : ''}.`)
  if (capacity?.nodes === 0) troubles.push('The cluster has no node: nothing can run on it.')
  else if (capacity && capacity.readyNodes < capacity.nodes) {
    troubles.push(`${capacity.nodes - capacity.readyNodes} of ${capacity.nodes} nodes are not ready.`)
  }
  const missing = rights.filter(({ allowed }) => !allowed)
  if (missing.length > 0) {
    troubles.push(
      `The kubeconfig lacks rights: ${missing.map(({ act, neededFor }) => `${act} (${neededFor})`).join(', ')}.`,
    )
  }
  return troubles
}
