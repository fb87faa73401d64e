import type { ColumnSpec, ColumnType, KindSpec } from '../../kind.ts'
import type { JsonObject } from '../../worker/object-sink.ts'
import type { Draft } from '../draft.ts'
import { quantityOf } from './quantity.ts'

/** What a column takes from an object; written by the column's type, whatever it is. Undefined and null are absent. */
export type Reading = (object: JsonObject) => unknown

/** A column with where its values come from. */
export interface ReadColumn extends ColumnSpec {
  read: Reading
}

/** A kind with how its rows are read from objects. */
export interface Kind {
  readonly spec: KindSpec
  /** By column name; the common columns are read without. */
  readonly readings: ReadonlyMap<string, Reading>
}

// Endpoint slices and role bindings of a thousand members help nobody as a list.
const MEMBER_LIMIT = 1_000

/** The value at a path such as `spec.replicas`. */
export function at(path: string): Reading {
  const steps = path.split('.')
  return (object) => {
    let value: unknown = object
    for (const step of steps) {
      if (typeof value !== 'object' || value === null) return undefined
      value = (value as Record<string, unknown>)[step]
    }
    return value
  }
}

/** The objects of the list at a path; none when it is no list. */
export function items(object: JsonObject, path: string): JsonObject[] {
  const value = at(path)(object)
  return Array.isArray(value) ? value.filter((item) => typeof item === 'object' && item !== null) : []
}

/** A text at a path; '' when there is none. */
export function textAt(object: JsonObject, path: string): string {
  const value = at(path)(object)
  return typeof value === 'string' ? value : ''
}

/** A number at a path; 0 when there is none. */
export function numberAt(object: JsonObject, path: string): number {
  const value = at(path)(object)
  return typeof value === 'number' ? value : 0
}

/** Keys and values at a path; none when it is no object. */
export function entriesAt(object: JsonObject, path: string): [string, unknown][] {
  const value = at(path)(object)
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : []
}

/** `key=value` of what is at a path. */
export const pairs =
  (path: string): Reading =>
  (object) =>
    entriesAt(object, path)
      .map(([key, value]) => `${key}=${String(value)}`)
      .sort()

/** How many keys or elements are at a path. */
export const sizeOf =
  (path: string): Reading =>
  (object) => {
    const value = at(path)(object)
    return typeof value === 'object' && value !== null ? Object.keys(value).length : 0
  }

/** A field of each object in the list at a path, without those that have none. */
export const each =
  (path: string, field: string): Reading =>
  (object) =>
    items(object, path).flatMap((item) => at(field)(item) ?? [])

/** The first reading that gives something. */
export const firstOf =
  (...readings: Reading[]): Reading =>
  (object) => {
    for (const read of readings) {
      const value = read(object)
      if (value !== undefined && value !== null && value !== '') return value
    }
    return undefined
  }

/** A number that is 0 where the API leaves it out. */
export const countAt =
  (path: string, otherwise = 0): Reading =>
  (object) =>
    at(path)(object) ?? otherwise

/** `true` or `false`; the API leaves out `false`. */
export const flagAt =
  (path: string): Reading =>
  (object) =>
    String(at(path)(object) === true)

/** A condition of the object's status; undefined when it has none of the type. */
export const conditionOf = (object: JsonObject, type: string): JsonObject | undefined =>
  items(object, 'status.conditions').find((condition) => condition.type === type)

/** Whether a condition has the status `True`. */
export const isTrue = (object: JsonObject, type: string): boolean => conditionOf(object, type)?.status === 'True'

export const isDeleted = (object: JsonObject): boolean => object.metadata?.deletionTimestamp !== undefined

/** `Terminating` for what is being deleted, else the reading. */
export const unlessDeleted =
  (read: Reading): Reading =>
  (object) =>
    isDeleted(object) ? 'Terminating' : read(object)

/** Writes what a reading gave by the type of the column. What does not fit is absent. */
export function write(draft: Draft, column: number, type: ColumnType, value: unknown): void {
  if (value === undefined || value === null) return
  if (type === 'text') draft.text(column, plain(value))
  else if (type === 'split') draft.split(column, plain(value))
  else if (type === 'count') draft.count(column, numeric(value))
  else if (type === 'number') draft.number(column, numeric(value))
  else if (type === 'time') draft.time(column, secondsOf(value))
  else writeSet(draft, column, value)
}

/** Seconds since 1970 of a time as the API writes it; 0 when it is none. */
export function secondsOf(value: unknown): number {
  if (typeof value === 'number') return value
  const milliseconds = typeof value === 'string' ? Date.parse(value) : Number.NaN
  return Number.isNaN(milliseconds) ? 0 : Math.floor(milliseconds / 1000)
}

function writeSet(draft: Draft, column: number, value: unknown): void {
  const members: unknown[] = Array.isArray(value) ? value : [value]
  const count = Math.min(members.length, MEMBER_LIMIT)
  for (let at = 0; at < count; at++) draft.member(draft.strings.idOfText(plain(members[at] ?? '')))
  draft.endSet(column)
}

const numeric = (value: unknown): number => {
  if (typeof value === 'number') return value
  return typeof value === 'string' ? quantityOf(value) : Number.NaN
}

const plain = (value: unknown): string => {
  if (typeof value === 'string') return value
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
