import type { KubeObject } from '@quarterdeck/kernel'
import type { ClusterDetail, NodeDetail } from './cluster.contract.ts'

interface Usage {
  time?: string
  usageNanoCores?: number
  workingSetBytes?: number
}
/** The parts of the kubelet's stats/summary that are read. */
interface Stats {
  node?: { cpu?: Usage; memory?: Usage }
  pods?: {
    podRef?: { name?: string; namespace?: string }
    containers?: { name?: string; cpu?: Usage; memory?: Usage }[]
  }[]
}

const usageOf = ({ cpu, memory }: { cpu?: Usage; memory?: Usage }) => ({
  cpuCores: Math.round((cpu?.usageNanoCores ?? 0) / 1e6) / 1e3,
  memoryBytes: memory?.workingSetBytes ?? 0,
})

/** What the node and its containers use; nothing where the kubelet does not say. Busiest container first. */
export function nodeUsage(answer: unknown): Pick<NodeDetail, 'usage' | 'containers'> {
  const stats = (typeof answer === 'object' && answer !== null ? answer : {}) as Stats
  const containers = (stats.pods ?? []).flatMap(({ podRef, containers = [] }) =>
    containers.map((one) => ({
      namespace: podRef?.namespace ?? '',
      pod: podRef?.name ?? '',
      container: one.name ?? '',
      ...usageOf(one),
    })),
  )
  const { node } = stats
  const time = node?.cpu?.time ?? node?.memory?.time
  return {
    ...(node && time ? { usage: { observeTime: new Date(time).toISOString(), ...usageOf(node) } } : {}),
    containers: containers.sort((a, b) => b.cpuCores - a.cpuCores),
  }
}

/** Answer of the kubelet's /healthz?verbose, or why there is none; and its lease. */
export function kubeletHealth(
  answer: { text: string } | { failure: string },
  lease: KubeObject | undefined,
): NodeDetail['kubelet'] {
  const renewed = lease?.spec?.renewTime
  const heartbeat = typeof renewed === 'string' ? { heartbeatTime: new Date(renewed).toISOString() } : {}
  if ('failure' in answer) return { healthy: false, message: answer.failure, checks: [], ...heartbeat }
  const checks: ClusterDetail['components'] = [...answer.text.matchAll(/^\[([+-])\](\S+) (.*)$/gm)].map(
    ([, sign, name = '', said = '']) => ({ name, healthy: sign === '+', message: sign === '+' ? '' : said }),
  )
  const failing = checks.filter(({ healthy }) => !healthy).map(({ name }) => name)
  const message = failing.length > 0 ? `failing: ${failing.join(', ')}` : ''
  return { healthy: failing.length === 0, message, checks, ...heartbeat }
}
