import { COMMON_COLUMNS } from '../kind.ts'
import type { JsonObject } from '../worker/object-sink.ts'
import type { Draft } from './draft.ts'
import { secondsOf } from './kinds/reading.ts'

const place = (name: string): number => COMMON_COLUMNS.findIndex((column) => column.name === name)

/** Where each of the common columns stands. */
export const COMMON = {
  namespace: place('namespace'),
  name: place('name'),
  created: place('created'),
  deleted: place('deleted'),
  generation: place('generation'),
  labels: place('labels'),
  annotations: place('annotations'),
  owner: place('owner'),
  application: place('application'),
}

/** Labels that tell the application, the first that is there. Quarterdeck itself writes the first one. */
export const APPLICATION_LABELS = ['app.kubernetes.io/instance', 'app.kubernetes.io/part-of', 'app.kubernetes.io/name']

/** Chooses annotations by exact keys, or by beginnings that end in `*`. */
export class AnnotationChoice {
  readonly any: boolean
  readonly #exact: Set<string>
  readonly #beginnings: string[]

  constructor(patterns: readonly string[]) {
    this.any = patterns.length > 0
    this.#exact = new Set(patterns.filter((pattern) => !pattern.endsWith('*')))
    this.#beginnings = patterns.filter((pattern) => pattern.endsWith('*')).map((pattern) => pattern.slice(0, -1))
  }

  has(key: string): boolean {
    return this.#exact.has(key) || this.#beginnings.some((beginning) => key.startsWith(beginning))
  }
}

/** Writes the common columns of an object. */
export function writeCommon(draft: Draft, object: JsonObject, annotations: AnnotationChoice): void {
  const metadata = object.metadata ?? {}
  draft.text(COMMON.namespace, textOf(metadata.namespace))
  draft.split(COMMON.name, textOf(metadata.name))
  draft.time(COMMON.created, secondsOf(metadata.creationTimestamp))
  draft.time(COMMON.deleted, secondsOf(metadata.deletionTimestamp))
  // The API leaves out 0, and has no generation below 1.
  draft.count(
    COMMON.generation,
    typeof metadata.generation === 'number' ? metadata.generation || Number.NaN : Number.NaN,
  )
  const labels = recordOf(metadata.labels)
  writePairs(draft, COMMON.labels, labels, undefined)
  if (annotations.any) writePairs(draft, COMMON.annotations, recordOf(metadata.annotations), annotations)
  draft.text(COMMON.owner, ownerOf(metadata.ownerReferences))
  draft.text(COMMON.application, textOf(APPLICATION_LABELS.map((key) => labels[key]).find(Boolean)))
}

// The API server sorts keys by bytes; JavaScript puts those that are numbers first.
function writePairs(
  draft: Draft,
  column: number,
  pairs: Record<string, unknown>,
  choice: AnnotationChoice | undefined,
): void {
  for (const key of Object.keys(pairs).sort()) {
    if (choice === undefined || choice.has(key)) draft.member(draft.strings.idOfText(`${key}=${textOf(pairs[key])}`))
  }
  draft.endSet(column)
}

function ownerOf(references: unknown): string {
  if (!Array.isArray(references)) return ''
  const owner = references.find((reference) => reference?.controller === true)
  return owner === undefined ? '' : `${textOf(owner.kind)}/${textOf(owner.name)}`
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

const recordOf = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
