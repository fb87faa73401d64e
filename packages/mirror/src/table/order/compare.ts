import type { SortKey } from '../../expression.ts'
import type { Column } from '../column.ts'
import type { ClusterNames } from '../filter/tests.ts'
import { columnOf, numberOf } from '../filter/tests.ts'
import type { Table } from '../table.ts'
import { swapped } from './split-keys.ts'

/** Negative when row `a` comes first. */
export type Compare = (a: number, b: number) => number

/** What a comparison needs beside the table: the place of each cluster in the order of names. */
export interface ClusterRanks extends ClusterNames {
  /** Place of a cluster's name among all names. Which of two comes first never changes. */
  rank(number: number): number
}

/**
 * The order of two rows by some keys; absent values come last in both directions. Where all keys are equal: namespace,
 * name, cluster, uid, ascending always. Never 0 for two different rows. Throws QueryError.
 */
export function compareBy(table: Table, clusters: ClusterRanks, keys: readonly SortKey[]): Compare {
  const all = keys.map((key) => keyCompare(table, clusters, key))
  all.push(...baseCompare(table, clusters))
  return (a, b) => {
    for (const compare of all) {
      const difference = compare(a, b)
      if (difference !== 0) return difference
    }
    return a - b
  }
}

function baseCompare(table: Table, clusters: ClusterRanks): Compare[] {
  const keys = [{ field: 'namespace' }, { field: 'name' }, { field: 'cluster' }]
  return [...keys.map((key) => keyCompare(table, clusters, key)), (a, b) => compareUids(table.uids, a, b)]
}

export function compareUids(uids: Uint32Array, a: number, b: number): number {
  for (let word = 0; word < 4; word += 1) {
    const difference = (uids[a * 4 + word] as number) - (uids[b * 4 + word] as number)
    if (difference !== 0) return difference
  }
  return 0
}

function keyCompare(table: Table, clusters: ClusterRanks, key: SortKey): Compare {
  const sign = key.descending ? -1 : 1
  if (key.field === 'cluster')
    return (a, b) =>
      table.clusters[a] === table.clusters[b]
        ? 0
        : sign * (clusters.rank(table.clusters[a] as number) - clusters.rank(table.clusters[b] as number))
  const column = columnOf(table, key.field, '/sort')
  if (column.type === 'split') return splitCompare(table, column, sign)
  if (column.type === 'text') return textCompare(table, column, sign)
  if (column.type === 'set') return setCompare(table, column, sign)
  const value = numberOf(column)
  return (a, b) => {
    const one = value(a)
    const two = value(b)
    if (one === two) return 0
    if (Number.isNaN(one)) return Number.isNaN(two) ? 0 : 1
    return Number.isNaN(two) ? -1 : sign * (one - two > 0 ? 1 : -1)
  }
}

function textCompare(table: Table, column: Column, sign: number): Compare {
  const { strings } = table
  return (a, b) => {
    const one = column.u32[a] as number
    const two = column.u32[b] as number
    if (one === two) return 0
    if (one === 0) return 1
    return two === 0 ? -1 : sign * strings.compare(one, two)
  }
}

function setCompare(table: Table, column: Column, sign: number): Compare {
  const { sets, strings } = table
  return (a, b) => {
    const one = column.u32[a] as number
    const two = column.u32[b] as number
    if (one === two) return 0
    if (one === 0) return 1
    if (two === 0) return -1
    let atOne = sets.from(one)
    let atTwo = sets.from(two)
    const endOne = sets.to(one)
    const endTwo = sets.to(two)
    for (; atOne < endOne && atTwo < endTwo; atOne += 1, atTwo += 1) {
      const difference = strings.compare(sets.members[atOne] as number, sets.members[atTwo] as number)
      if (difference !== 0) return sign * difference
    }
    return sign * (endOne - atOne - (endTwo - atTwo))
  }
}

/** Whole texts are compared, whatever way they are cut; without putting them together. */
function splitCompare(table: Table, column: Column, sign: number): Compare {
  const { strings } = table
  return (a, b) => {
    const { u32, suffixWords } = column
    const one = u32[a] as number
    const two = u32[b] as number
    const highA = suffixWords[a * 2] as number
    const highB = suffixWords[b * 2] as number
    if (one === two) {
      if (highA !== highB) return sign * (swapped(highA) - swapped(highB))
      return sign * (swapped(suffixWords[a * 2 + 1] as number) - swapped(suffixWords[b * 2 + 1] as number))
    }
    if (one === 0 && highA === 0) return 1
    if (two === 0 && highB === 0) return -1
    return sign * compareParts(strings.bytes, partsOf(table, column, a), partsOf(table, column, b))
  }
}

interface Parts {
  from: number
  to: number
  suffixes: Uint8Array
  suffix: number
}

function partsOf(table: Table, column: Column, row: number): Parts {
  const id = column.u32[row] as number
  return { from: table.strings.from(id), to: table.strings.to(id), suffixes: column.suffixes, suffix: row * 8 }
}

function compareParts(bytes: Uint8Array, a: Parts, b: Parts): number {
  const lengthA = a.to - a.from
  const lengthB = b.to - b.from
  const both = Math.min(lengthA, lengthB)
  for (let at = 0; at < both; at += 1) {
    const difference = (bytes[a.from + at] as number) - (bytes[b.from + at] as number)
    if (difference !== 0) return difference
  }
  for (let at = both; ; at += 1) {
    const one = byteOf(bytes, a, lengthA, at)
    const two = byteOf(bytes, b, lengthB, at)
    if (one !== two) return one - two
    if (one < 0) return 0
  }
}

/** The byte at a place of the whole text; -1 where it has ended. */
function byteOf(bytes: Uint8Array, parts: Parts, length: number, at: number): number {
  if (at < length) return bytes[parts.from + at] as number
  const rest = at - length
  return rest < 8 ? (parts.suffixes[parts.suffix + rest] as number) || -1 : -1
}
