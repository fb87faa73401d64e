import { setTimeout as pause } from 'node:timers/promises'
import type { ObjectChange } from '../batch.ts'
import type { KindSpec } from '../kind.ts'
import type { MirrorOptions } from '../mirror.ts'

/** So much of what was not recorded yet is kept; in characters. */
const MOST_WAITING = 64 * 2 ** 20
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 30_000

interface Waiting {
  cluster: string
  kind: KindSpec
  changes: ObjectChange[]
  size: number
}

/** Offers changes of objects to whoever records them: one call at a time, in order, again after a failure. */
export class VersionFeed {
  readonly #versions: Pick<NonNullable<MirrorOptions['versions']>, 'record'>
  /** After a first failure. */
  readonly #pauseMs: number
  readonly #log: MirrorOptions['log']
  readonly #waiting: Waiting[] = []
  #size = 0
  #running: Promise<void> | undefined
  readonly #end = new AbortController()

  constructor(
    versions: Pick<NonNullable<MirrorOptions['versions']>, 'record'>,
    log: MirrorOptions['log'],
    pauseMs = FIRST_PAUSE_MS,
  ) {
    this.#versions = versions
    this.#log = log
    this.#pauseMs = pauseMs
  }

  add(cluster: string, kind: KindSpec, changes: ObjectChange[]): void {
    const size = changes.reduce((sum, change) => sum + change.content.length + 500, 0)
    if (this.#size + size > MOST_WAITING) {
      // The next listing offers the newest state of each object again.
      this.#log.warn(
        { cluster, resource: kind.resource, left: changes.length },
        'Versions are not recorded: too many wait',
      )
      return
    }
    this.#size += size
    this.#waiting.push({ cluster, kind, changes, size })
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
    })
  }

  async #run(): Promise<void> {
    let pauseMs = this.#pauseMs
    for (let next = this.#waiting[0]; next && !this.#end.signal.aborted; next = this.#waiting[0]) {
      const { cluster, kind, changes } = next
      try {
        await this.#versions.record(cluster, kind, changes)
        pauseMs = this.#pauseMs
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error)
        this.#log.warn({ cluster, resource: kind.resource, error: message }, 'Versions were not recorded; trying again')
        await pause(pauseMs, undefined, { signal: this.#end.signal, ref: false }).catch(() => undefined)
        pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)
        continue
      }
      this.#waiting.shift()
      this.#size -= next.size
    }
  }

  /** Resolves when everything is recorded, or after `patienceMs`. */
  async close(patienceMs: number): Promise<void> {
    await Promise.race([this.#running, pause(patienceMs, undefined, { ref: false })])
    this.#end.abort()
  }
}
