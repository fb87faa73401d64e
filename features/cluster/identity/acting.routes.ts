import { setTimeout as sleep } from 'node:timers/promises'
import { clusterForbidden, isProblem, type Subject } from '@quarterdeck/kernel'
import type { Cluster, ClusterIdentity, Clusters } from '@quarterdeck/kube'
import { EXECUTOR, executorName } from './identity.rules.ts'

/** Clusters as those see them who ask. */
export interface Acting {
  /** As the subject. Throws notFound for a cluster that is not registered, and clusterForbidden when it lets nobody through. */
  clusterAs(subject: Subject, cluster: string): Promise<Cluster>
  /** The same as somebody whose name is known. */
  personOf(identity: ClusterIdentity, cluster: string): Promise<Cluster>
  /** As the executor of a namespace; undefined where there is none, or where the cluster lets nobody through. */
  executorOf(cluster: string, namespace: string): Promise<Cluster | undefined>
}

export interface ActingOptions {
  clusters: Pick<Clusters, 'get'>
  /** Undefined for the platform itself and for who is not known. */
  identityOf(subject: Subject): ClusterIdentity | undefined
}

const KNOWN_MS = 600_000
const NONE_MS = 10_000
const PATIENCE_MS = 4_000
const PAUSE_MS = 100
const MOST_REMEMBERED = 10_000

/** Opens clusters to people: each acts there as themselves, or not at all. */
export function actFor({ clusters, identityOf }: ActingOptions): Acting {
  // By connection, so that one that is made anew is asked anew.
  const known = new WeakMap<Cluster, Map<string, number>>()
  const executors = new WeakMap<Cluster, Map<string, { there: boolean; until: number }>>()

  /** A user of this moment may be told to the cluster in the next. */
  async function admitted(cluster: Cluster, identity: ClusterIdentity): Promise<Cluster> {
    const person = cluster.as(identity)
    const until = known.get(cluster) ?? new Map<string, number>()
    known.set(cluster, until)
    const key = JSON.stringify(identity)
    if ((until.get(key) ?? 0) > performance.now()) return person
    const patience = performance.now() + PATIENCE_MS
    for (;;) {
      try {
        await person.version()
        break
      } catch (error) {
        const waits =
          isProblem(error, clusterForbidden) && ['NoImpersonator', 'NotKnown'].includes(String(error.body.reason))
        if (!waits || performance.now() > patience) throw error
        await sleep(PAUSE_MS)
      }
    }
    if (until.size >= MOST_REMEMBERED) until.clear()
    until.set(key, performance.now() + KNOWN_MS)
    return person
  }

  return {
    async clusterAs(subject, name) {
      const cluster = await clusters.get(name)
      const identity = identityOf(subject)
      if (!identity) throw notAPerson(subject)
      return admitted(cluster, identity)
    },
    personOf: async (identity, name) => admitted(await clusters.get(name), identity),
    async executorOf(name, namespace) {
      const cluster = await clusters.get(name)
      const held = executors.get(cluster) ?? new Map<string, { there: boolean; until: number }>()
      executors.set(cluster, held)
      const executor = cluster.as({ user: executorName(namespace), groups: [] })
      const last = held.get(namespace)
      if (last && last.until > performance.now()) return last.there ? executor : undefined
      const there = await isThere(cluster, executor, namespace)
      if (held.size >= MOST_REMEMBERED) held.clear()
      held.set(namespace, { there, until: performance.now() + (there ? KNOWN_MS : NONE_MS) })
      return there ? executor : undefined
    },
  }
}

const notAPerson = ({ name }: Subject) =>
  clusterForbidden({ detail: `${name} is not known to clusters: only users and machine accounts act there.` })

async function isThere(cluster: Cluster, executor: Cluster, namespace: string): Promise<boolean> {
  const ref = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', namespace, name: EXECUTOR }
  try {
    const binding = await cluster.get(ref)
    const subjects: { kind: string; name: string }[] = binding?.subjects ?? []
    if (!subjects.some(({ kind, name }) => kind === 'User' && name === executorName(namespace))) return false
    await executor.version()
    return true
  } catch (error) {
    if (isProblem(error, clusterForbidden) && error.body.credentials !== 'refused') return false
    throw error
  }
}
