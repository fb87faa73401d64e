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
  const { versions, timings, snapshotFolder, log } = options
  if (snapshotFolder !== undefined) {
    mirror.restore(snapshot ?? readSnapshot(snapshotFolder, log))
    mirror.keep(new Snapshots({ folder: snapshotFolder, source: mirror.snapshotSource(), log }))
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
