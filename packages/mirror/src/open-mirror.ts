import type { Mirror, MirrorOptions } from './mirror.ts'
import { ReaderThread } from './serving/reader-thread.ts'
import { ServedMirror } from './serving/served-mirror.ts'
import { readSnapshot, type Snapshot, Snapshots } from './snapshot/snapshots.ts'

/**
 * Starts the reading thread and answers from what it tells. Nothing is read before `watch`. `snapshot`: what lies in the
 * folder, if it has been read already.
 */
export function openMirror(options: MirrorOptions, snapshot?: Snapshot): Mirror {
  const mirror = new ServedMirror(options)
  const { versions, timings, snapshots, log } = options
  if (snapshots) {
    mirror.restore(snapshot ?? readSnapshot(snapshots.folder, snapshots.key, log))
    mirror.keep(new Snapshots({ ...snapshots, source: mirror.snapshotSource(), log }))
  }
  const reader = new ReaderThread(
    {
      searchedAnnotations: options.searchedAnnotations ?? [],
      ...(versions && { unrecorded: [...versions.except], digestKey: versions.digestKey }),
      ...(timings && { timings }),
    },
    mirror,
  )
  mirror.attach(reader)
  reader.start()
  return mirror
}
