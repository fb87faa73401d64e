import { isProblem, type KubeObject } from '@quarterdeck/kernel'

/** What tells clusters apart: the uid of a namespace that every cluster has and nobody can make anew. */
const KUBE_SYSTEM = { apiVersion: 'v1', kind: 'Namespace', name: 'kube-system' }

/** Undefined when the cluster does not say: our credentials may not read it, or it does not answer. */
export async function uidOf(cluster: {
  get(ref: typeof KUBE_SYSTEM, options?: { timeoutSeconds: number }): Promise<KubeObject | undefined>
}): Promise<string | undefined> {
  try {
    return (await cluster.get(KUBE_SYSTEM, { timeoutSeconds: 10 }))?.metadata.uid
  } catch (error) {
    if (isProblem(error)) return undefined
    throw error
  }
}

interface Known {
  name: string
  server: string
  uid: string | null
  otherUid: string | null
}

/** Why nothing is done behind a registration that leads to another cluster than it did. */
export const heldSentence = ({ name, server, uid, otherUid }: Known): string =>
  `${server} is another cluster than the one that was registered as ${name} (its namespace kube-system has the uid ${otherUid}, not ${uid}), so nothing is read or changed there. If the address leads to the wrong one, correct it, or register ${name} again with the right kubeconfig: qd cluster add ${name} --replace. If ${name} is to be this other cluster from now on, say so: --other-cluster.`

interface Asked {
  /** Address of the API server, as the new kubeconfig has it. */
  server: string
  /** Undefined: it does not say which cluster it is. */
  uid: string | undefined
  otherCluster: boolean
  /** Environments that are to be on the other cluster. */
  named: readonly string[]
  /** Those that are on the cluster of that name. */
  environments: readonly string[]
}

/** Why a kubeconfig is not taken for a cluster that is registered already; undefined when it is. */
export function notTheSame(
  known: { name: string; server: string; uid: string | null },
  { server, uid, otherCluster, named, environments }: Asked,
): string | undefined {
  const { name } = known
  if (known.uid === null || known.uid === uid) return undefined
  // Other credentials for the address that it has always had; that it is still the same one is looked at all the time.
  if (uid === undefined && server === known.server) return undefined
  const difference = uid
    ? `leads to another cluster than the one that is registered as ${name}: its namespace kube-system has the uid ${uid}, not ${known.uid}`
    : `does not say whether it leads to the cluster that is registered as ${name}: it may not read the namespace kube-system`
  if (!otherCluster) {
    return `This kubeconfig ${difference}. Register another cluster under another name. If ${name} is to be this one from now on, say so: otherCluster (qd cluster add ${name} --replace --other-cluster).`
  }
  const left = environments.filter((one) => !named.includes(one))
  const strangers = named.filter((one) => !environments.includes(one))
  if (left.length > 0) {
    return `This kubeconfig ${difference}. ${left.length} environments would come to be there: ${left.slice(0, 20).join(', ')}. Delete them first, or name each of them in environments (--environments ${environments.slice(0, 20).join(',')}); bring them up to date afterwards.`
  }
  return strangers.length > 0 ? `${strangers.join(', ')}: no such environments are on ${name}.` : undefined
}
