import { formatBytes, type KubeObject } from '@quarterdeck/kernel'
import type { ClusterDetail } from './cluster.contract.ts'

/** What the API server says about itself; packages/kube's ClusterHealth. */
export interface ApiServerHealth {
  ready: boolean
  live: boolean
  checks: readonly { name: string; healthy: boolean; message: string }[]
  latencyMs?: number
  message: string
}
type Component = ClusterDetail['components'][number]
type Reader = {
  get(ref: { apiVersion: string; kind: string; namespace: string; name: string }): Promise<KubeObject | undefined>
}

// A leader renews its lease every 2 s and loses it after 15 s; a minute allows for clocks that differ.
const RENEWED_WITHIN_MS = 60_000
const LEADERS = ['kube-controller-manager', 'kube-scheduler']

/**
 * The parts of the control plane that can be seen through the API server. Controllers are known by their leases; where
 * there is none (many managed clusters hide them) they are left out.
 */
export async function componentsOf(cluster: Reader, health: ApiServerHealth, now: number): Promise<Component[]> {
  const failing = health.checks.filter(({ healthy }) => !healthy)
  const components: Component[] = [
    {
      name: 'kube-apiserver',
      healthy: health.ready && health.live,
      message: health.message || (failing.length > 0 ? `failing: ${failing.map(({ name }) => name).join(', ')}` : ''),
    },
  ]
  const etcd = health.checks.filter(({ name }) => name === 'etcd' || name === 'etcd-readiness')
  if (etcd.length > 0) {
    const bad = etcd.find(({ healthy }) => !healthy)
    components.push({ name: 'etcd', healthy: !bad, message: bad ? 'the API server cannot reach it' : '' })
  }
  for (const name of LEADERS) {
    const lease = await cluster.get({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      namespace: 'kube-system',
      name,
    })
    if (lease) components.push(leaderOf(name, lease, now))
  }
  return components
}

function leaderOf(name: string, { spec }: KubeObject, now: number): Component {
  const renewed = Date.parse(spec?.renewTime ?? '')
  const healthy = spec?.holderIdentity !== '' && now - renewed < RENEWED_WITHIN_MS
  const age = Math.round((now - renewed) / 1000)
  return {
    name,
    healthy,
    message: healthy ? '' : `it has not renewed its lease for ${Number.isNaN(age) ? '?' : age} s`,
  }
}

/** The same with how much etcd stores, from the API server's metrics (Prometheus text). */
export function withStorageSize(components: readonly Component[], metrics: string): Component[] {
  const sizes = [...metrics.matchAll(/^apiserver_storage_size_bytes\{[^}]*\} (\S+)$/gm)].map((match) =>
    Number(match[1]),
  )
  const largest = Math.max(...sizes) // one a member; they hold the same
  if (sizes.length === 0 || !Number.isFinite(largest)) return [...components]
  const said = `${formatBytes(largest)} stored`
  return components.map((one) =>
    one.name === 'etcd' ? { ...one, message: one.message === '' ? said : `${one.message}; ${said}` } : one,
  )
}
