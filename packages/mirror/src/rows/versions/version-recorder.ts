import type { ObjectChange, VersionsMessage } from '../../batch.ts'
import type { JsonObject } from '../../worker/object-sink.ts'
import type { Draft } from '../draft.ts'
import { COMMON } from '../metadata.ts'
import { SUFFIX_BYTES, suffixAt } from '../split.ts'
import { contentOf, managerOf } from './content.ts'

const FIRST_ROWS = 16
// Characters of content in one message: configuration may be a megabyte an object.
const MESSAGE_LIMIT = 1_000_000

/** How a row that is put was known before. */
export type Known = 'not' | 'listed-first' | 'yes'

/** Finds out of which objects of one table the specification changed, and collects these changes. */
export class VersionRecorder {
  readonly #resource: string
  readonly #digestKey: Uint8Array
  readonly #post: (message: VersionsMessage) => void
  /** Two words a row: hash of the specification; 0, 0 is unknown. */
  #hashes = new Uint32Array(FIRST_ROWS * 2)
  /** Ids of namespace and beginning of the name, two words a row, and the rest of the name: for what a list has lost. */
  #names = new Uint32Array(FIRST_ROWS * 2)
  #suffixes = new Uint8Array(FIRST_ROWS * SUFFIX_BYTES)
  readonly #waiting = new Map<number, ObjectChange[]>()
  #characters = 0

  constructor(resource: string, digestKey: Uint8Array, post: (message: VersionsMessage) => void) {
    this.#resource = resource
    this.#digestKey = digestKey
    this.#post = post
  }

  /** The row has been written from this object; `draft` still has its values. */
  put(cluster: number, row: number, known: Known, object: JsonObject, draft: Draft): void {
    this.#reserve(row)
    const { text, hash } = contentOf(this.#resource, object, this.#digestKey)
    const [first, second] = [this.#hashes[row * 2], this.#hashes[row * 2 + 1]]
    this.#names[row * 2] = draft.words[COMMON.namespace] as number
    this.#names[row * 2 + 1] = draft.words[COMMON.name] as number
    const suffix = COMMON.name * SUFFIX_BYTES
    this.#suffixes.set(draft.suffixes.subarray(suffix, suffix + SUFFIX_BYTES), row * SUFFIX_BYTES)
    if (known !== 'not' && first === hash[0] && second === hash[1]) return
    this.#hashes.set(hash, row * 2)
    const unknown = first === 0 && second === 0
    const change = known === 'not' ? 'added' : known === 'listed-first' || unknown ? 'listed' : 'changed'
    this.#add(cluster, { ...changeOf(object, change), ...managerOf(object), content: text })
  }

  /** The object has been deleted, or is missing in a list: then only `uid` is known for certain. */
  remove(cluster: number, row: number, uid: string, object: JsonObject | undefined, draft: Draft): void {
    const known = row * 2 < this.#hashes.length
    const change = changeOf(object ?? {}, 'deleted')
    if (object === undefined && known) {
      change.namespace = draft.strings.text(this.#names[row * 2] as number)
      change.name = draft.strings.text(this.#names[row * 2 + 1] as number) + suffixAt(this.#suffixes, row)
    }
    if (known) this.forget(row)
    this.#add(cluster, { ...change, uid: change.uid || uid })
  }

  /** The row stands for nothing any more. */
  forget(row: number): void {
    if (row * 2 >= this.#hashes.length) return
    this.#hashes.fill(0, row * 2, row * 2 + 2)
    this.#names.fill(0, row * 2, row * 2 + 2)
    this.#suffixes.fill(0, row * SUFFIX_BYTES, (row + 1) * SUFFIX_BYTES)
  }

  /** Forgets what was not posted of a cluster. */
  drop(cluster: number): void {
    this.#waiting.delete(cluster)
  }

  /** Posts what has been collected. */
  flush(): void {
    for (const [cluster, versions] of this.#waiting) {
      this.#post({ type: 'versions', cluster, resource: this.#resource, versions })
    }
    this.#waiting.clear()
    this.#characters = 0
  }

  #add(cluster: number, change: ObjectChange): void {
    const changes = this.#waiting.get(cluster)
    if (changes === undefined) this.#waiting.set(cluster, [change])
    else changes.push(change)
    this.#characters += change.content.length
    if (this.#characters > MESSAGE_LIMIT) this.flush()
  }

  #reserve(row: number): void {
    if (row * 2 < this.#hashes.length) return
    const rows = Math.max(row + 1, this.#hashes.length)
    const hashes = new Uint32Array(rows * 2)
    hashes.set(this.#hashes)
    this.#hashes = hashes
    const names = new Uint32Array(rows * 2)
    names.set(this.#names)
    this.#names = names
    const suffixes = new Uint8Array(rows * SUFFIX_BYTES)
    suffixes.set(this.#suffixes)
    this.#suffixes = suffixes
  }
}

function changeOf(object: JsonObject, change: ObjectChange['change']): ObjectChange {
  const { namespace, name, uid, generation, resourceVersion } = object.metadata ?? {}
  const text = (value: unknown): string => (typeof value === 'string' ? value : '')
  return {
    change,
    namespace: text(namespace),
    name: text(name),
    uid: text(uid),
    generation: typeof generation === 'number' ? generation : 0,
    revision: text(resourceVersion),
    time: Date.now(),
    manager: '',
    managedTime: '',
    content: '',
  }
}
