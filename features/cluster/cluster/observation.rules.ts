import { isProblem, type KubeObject } from '@quarterdeck/kernel'
import type { ClusterDetail } from './cluster.contract.ts'
import { type ApiServerHealth, componentsOf } from './component.rules.ts'
import { askRights } from './right.rules.ts'
import { isSupported, SUPPORTED_TEXT } from './version.rules.ts'

/** What was seen of a cluster at one moment. */
export type Observation = Pick<ClusterDetail, 'state' | 'message' | 'components' | 'warnings' | 'rights'> &
  Partial<Pick<ClusterDetail, 'version' | 'versionSupported'>>

/** What an observation asks of a cluster; packages/kube's Cluster is one. */
export interface ClusterReader {
  readonly warnings: readonly string[]
  version(): Promise<{ gitVersion: string }>
  health(): Promise<ApiServerHealth>
  get(ref: { apiVersion: string; kind: string; namespace: string; name: string }): Promise<KubeObject | undefined>
  create(object: KubeObject): Promise<{ object: KubeObject }>
}

/**
 * Looks at a cluster: version, control plane and what our credentials may do; its nodes and pods are the mirror's. Never throws because of
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
  problems.push(...troublesOf({ components, rights }))
  const { gitVersion } = version ?? {}
  const seen = versionOf(gitVersion)
  return {
    state: problems.length === 0 ? 'Ready' : 'Degraded',
    message: problems.join(' '),
    components,
    rights,
    ...seen,
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

function troublesOf({ components, rights }: Pick<Observation, 'components' | 'rights'>): string[] {
  const troubles = components
    .filter(({ healthy }) => !healthy)
    .map(({ name, message }) => `${name} is not healthy${message ? `: ${message}` : ''}.`)
  const missing = rights.filter(({ allowed }) => !allowed)
  if (missing.length > 0) {
    troubles.push(
      `The kubeconfig lacks rights: ${missing.map(({ act, neededFor }) => `${act} (${neededFor})`).join(', ')}.`,
    )
  }
  return troubles
}
