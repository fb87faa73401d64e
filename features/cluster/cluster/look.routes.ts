import { isProblem } from '@quarterdeck/kernel'
import type { Clusters } from '@quarterdeck/kube'
import { hint } from '@quarterdeck/reconcile'
import type { Db } from '@quarterdeck/store'
import { type ClusterRow, findCluster, findRevision, saveObservation, saveUid } from './cluster.store.ts'
import { type Observation, observeRegistered } from './observation.rules.ts'
import { heldSentence, uidOf } from './other-cluster.rules.ts'

const CANNOT_TELL =
  'Whether it is still the same cluster cannot be told: the kubeconfig may not read the namespace kube-system.'

/** Looks at a registered cluster, takes note of which one it is, and keeps what was seen. */
export async function look(db: Db, clusters: Clusters, row: ClusterRow): Promise<Observation> {
  const { name } = row
  const seen = await observeRegistered({ get: clusters.getHeld }, name, Date.now())
  const uid = seen.state === 'Unreachable' ? undefined : await identify(clusters, name)
  if (uid !== undefined && (await saveUid(db, row, uid))) {
    await clusters.refresh(name, (await findRevision(db, name)) ?? '')
    // Whoever reads it, here and in other processes, stops or begins again.
    await hint(db, 'cluster', name)
    await hint(db, 'identity', name)
  }
  const now = await findCluster(db, name)
  const observation = observationOf(seen, now, uid)
  await saveObservation(db, row, observation)
  return observation
}

async function identify(clusters: Clusters, name: string): Promise<string | undefined> {
  try {
    return await uidOf(await clusters.getHeld(name))
  } catch (error) {
    if (isProblem(error)) return undefined
    throw error
  }
}

function observationOf(seen: Observation, row: ClusterRow | undefined, uid: string | undefined): Observation {
  if (row && row.otherUid !== null) {
    return { state: 'Unreachable', message: heldSentence(row), components: [], rights: [], warnings: seen.warnings }
  }
  if (uid !== undefined || seen.state === 'Unreachable') return seen
  return { ...seen, warnings: [...seen.warnings, CANNOT_TELL] }
}
