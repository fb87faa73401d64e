import { storeUnavailable } from '@quarterdeck/kernel'
import type { MirrorOptions, Snapshot } from '@quarterdeck/mirror'
import type { Access } from '../../../features/cluster/access/access.routes.ts'
import { type FollowOptions, followClusters } from '../../../features/cluster/object/follow-clusters.routes.ts'
import type { OpenedMirror } from '../../../features/cluster/object/query.routes.ts'

/** The mirror, handed out before it is open. */
export interface LateMirror {
  /** Throws the problem store-unavailable until it is open. */
  opened(): OpenedMirror
  /** Its figures; undefined until it is open. */
  readonly current: OpenedMirror | undefined
  /** Reads the snapshot, which needs no store; it may go on while that is opened. */
  prepare(snapshots: Snapshots): Promise<void>
  /** Opens it and lets it read every registered cluster. Once. */
  open(): Promise<void>
  /** Writes the snapshot and ends. */
  close(): Promise<void>
}

type Snapshots = NonNullable<MirrorOptions['snapshots']>

/**
 * `options` are asked for when it opens. It opens when it is told to: after the store, since it needs the registrations,
 * and not to delay the page. `access` follows the same clusters.
 */
export function lateMirror(
  options: () => Promise<MirrorOptions>,
  following: Omit<FollowOptions, 'mirror'>,
  access: Pick<Access, 'watch' | 'forget'>,
): LateMirror {
  let opened: OpenedMirror | undefined
  let stop: () => Promise<void> = async () => undefined
  let closed = false
  let snapshot: Snapshot | undefined
  return {
    opened() {
      if (opened) return opened
      throw storeUnavailable({ detail: 'The mirror of the clusters is being opened', retryAfterSeconds: 1 })
    },
    get current() {
      return opened
    },
    async prepare({ folder, key }) {
      const { readSnapshot } = await import('@quarterdeck/mirror')
      if (!opened) snapshot ??= readSnapshot(folder, key, following.log)
    },
    async open() {
      const { openMirror, parseFilter, parseSort } = await import('@quarterdeck/mirror')
      const given = await options()
      if (closed || opened) return
      const mirror = openMirror(given, snapshot)
      snapshot = undefined
      opened = { mirror, parseFilter, parseSort }
      const both: FollowOptions['mirror'] = {
        clusters: () => mirror.clusters(),
        watch(cluster) {
          access.watch(cluster.name)
          mirror.watch(cluster)
        },
        forget(cluster) {
          mirror.forget(cluster)
          access.forget(cluster)
        },
      }
      stop = followClusters({ ...following, mirror: both })
    },
    async close() {
      closed = true
      await stop()
      await opened?.mirror.close()
    },
  }
}
