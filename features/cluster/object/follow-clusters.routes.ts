import type { LoadedCluster } from '@quarterdeck/kube'
import type { Mirror } from '@quarterdeck/mirror'
import { hintChannel, parseHint } from '@quarterdeck/reconcile'
import type { Log, Store } from '@quarterdeck/store'

export interface FollowOptions {
  /** Who reads the clusters. */
  mirror: Pick<Mirror, 'watch' | 'forget' | 'clusters'>
  /** Names of all registered clusters. */
  registered(): Promise<string[]>
  /** Undefined when no cluster of this name is registered. Throws what a person can act on. */
  load(name: string): Promise<LoadedCluster | undefined>
  listen: Store['listen']
  log: Log
  /** How often all registrations are looked through. Default 60. */
  resyncSeconds?: number
}

/**
 * Lets the mirror read every registered cluster, and follows what is registered, changed and removed: a hint of the
 * registration says which, and every minute all are looked through, so that a lost hint is made up for. Until the
 * returned function is called; what is being looked at ends first.
 */
export function followClusters(options: FollowOptions): () => Promise<void> {
  const { mirror, registered, load, listen, log, resyncSeconds = 60 } = options
  let ended = false
  let last: Promise<unknown> = Promise.resolve()

  async function look(name: string): Promise<void> {
    const cluster = await load(name)
    if (ended) return
    // What is behind it now is another cluster.
    if (!cluster || cluster.held !== undefined) return mirror.forget(name)
    const { kubeconfig, context, allowPlugin = false, revision = '' } = cluster
    mirror.watch({ name, kubeconfig, allowPlugin, revision, ...(context === undefined ? {} : { context }) })
  }
  /** A cluster that cannot be looked at keeps no other from being read. */
  const tryLook = (name: string) =>
    look(name).catch((error: unknown) => log.warn({ err: error, cluster: name }, 'the cluster cannot be mirrored'))

  async function lookAtAll(): Promise<void> {
    const names = await registered()
    for (const { cluster } of mirror.clusters()) if (!names.includes(cluster)) mirror.forget(cluster)
    for (const name of names) await tryLook(name)
  }
  /** One after the other, so that an older look never undoes a newer one. */
  function next(act: () => Promise<void>): void {
    last = last
      .then(() => (ended ? undefined : act()))
      .catch((error: unknown) => log.warn({ err: error }, 'the registered clusters could not be looked through'))
  }

  // Without waiting until hints are heard; once they are, all are looked through again.
  next(lookAtAll)
  const stop = listen(hintChannel, (payload) => {
    const hinted = payload === undefined ? undefined : parseHint(payload)
    if (payload === undefined) next(lookAtAll)
    else if (hinted?.kind === 'cluster') next(() => tryLook(hinted.key))
  })
  const timer = setInterval(() => next(lookAtAll), resyncSeconds * 1_000)
  timer.unref()
  return async () => {
    ended = true
    clearInterval(timer)
    stop()
    await last
  }
}
