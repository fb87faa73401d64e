import type { Subject } from '@quarterdeck/kernel'
import type { Clusters } from '@quarterdeck/kube'
import type { Log } from '@quarterdeck/store'
import type { ObjectReader } from './access.contract.ts'
import { Bindings } from './bindings.rules.ts'
import { BindingsFollower } from './follow-bindings.routes.ts'
import type { Rights } from './rights.rules.ts'
import {
  type AccessState,
  type NumberedRights,
  type PlatformGrants,
  SubjectReader,
  subjectText,
} from './subject-reader.rules.ts'

export interface AccessOptions {
  grants: PlatformGrants
  clusterOf: Clusters['get']
  /** Called soon after rights may have changed: who looks has to be told. */
  changed(): void
  log: Pick<Log, 'warn'>
}

/** What everybody may see of the objects of all clusters. */
export interface Access {
  readonly readerOf: (subject: Subject) => ObjectReader
  /** Follows the bindings of this cluster from now on. */
  watch(cluster: string): void
  /** Nobody has rights of their own there any more. */
  forget(cluster: string): void
  /** Whether all bindings of a cluster have been read. */
  isRead(cluster: string): boolean
  close(): void
}

/** Bindings with this label are the platform's own grants, which count without them. */
export const GRANT_LABEL = 'quarterdeck.dev/grant'

/** Readers and rights that are kept although nobody may be asking. */
const MOST_KEPT = 10_000

export function openAccess(options: AccessOptions): Access {
  return new OpenAccess(options)
}

class OpenAccess implements Access, AccessState {
  readonly #options: AccessOptions
  readonly clusters = new Map<string, { bindings: Bindings; follower: BindingsFollower }>()
  readonly #readers = new Map<string, SubjectReader>()
  readonly #bySubject = new WeakMap<Subject, SubjectReader>()
  readonly #numbers = new Map<string, NumberedRights>()
  readonly #stop: () => void
  #told: NodeJS.Immediate | undefined
  #lastNumber = 0
  /** Another number after every change of a cluster's bindings. */
  revision = 0

  constructor(options: AccessOptions) {
    this.#options = options
    this.#stop = options.grants.onChange(() => this.#tell())
  }

  get grants(): PlatformGrants {
    return this.#options.grants
  }

  readonly readerOf = (subject: Subject): ObjectReader => {
    const known = this.#bySubject.get(subject)
    if (known) return known
    const text = subjectText(subject)
    let reader = this.#readers.get(text)
    if (!reader) {
      if (this.#readers.size >= MOST_KEPT) this.#readers.clear()
      reader = new SubjectReader(this, subject)
      this.#readers.set(text, reader)
    }
    this.#bySubject.set(subject, reader)
    return reader
  }

  /** Equal rights get the same number, whoever has them. */
  numbered(rights: Rights): NumberedRights {
    const known = this.#numbers.get(rights.text)
    if (known) return known
    if (this.#numbers.size >= MOST_KEPT) this.#numbers.clear()
    this.#lastNumber += 1
    const numbered = { rights, number: this.#lastNumber }
    this.#numbers.set(rights.text, numbered)
    return numbered
  }

  watch(cluster: string): void {
    if (this.clusters.has(cluster)) return
    const bindings = new Bindings()
    const follower = new BindingsFollower({
      cluster: () => this.#options.clusterOf(cluster),
      bindings,
      except: ({ metadata }) => metadata.labels?.[GRANT_LABEL] !== undefined,
      changed: () => this.#changed(),
      warn: (error, message) => this.#options.log.warn({ err: error, cluster }, message),
    })
    this.clusters.set(cluster, { bindings, follower })
    this.#changed()
  }

  forget(cluster: string): void {
    this.clusters.get(cluster)?.follower.end()
    if (this.clusters.delete(cluster)) this.#changed()
  }

  isRead(cluster: string): boolean {
    return this.clusters.get(cluster)?.follower.read ?? false
  }

  close(): void {
    this.#stop()
    clearImmediate(this.#told)
    for (const { follower } of this.clusters.values()) follower.end()
  }

  #changed(): void {
    this.revision += 1
    this.#tell()
  }

  /** What comes in one turn is told once. */
  #tell(): void {
    this.#told ??= setImmediate(() => {
      this.#told = undefined
      this.#options.changed()
    })
  }
}
