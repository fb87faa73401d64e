import { rowsOfBits, setBit, wordsFor } from '../table/bitmap.ts'
import type { TableChanges } from '../view/view-source.ts'
import type { OpenTable } from './open-table.ts'

/** What happened to a table since the call before; undefined when nothing did. */
export function drainChanges(open: OpenTable): TableChanges | undefined {
  const { log, slots } = open.table
  const freshness = open.toldStates !== open.stateVersion
  if (log.position === open.told && !freshness && !open.replaced) return undefined
  const lost = !log.reaches(open.told)
  const replaced = open.replaced || lost
  const bits = new Uint32Array(wordsFor(slots))
  if (!lost) for (let at = open.told; at < log.position; at += 1) setBit(bits, log.at(at))
  open.told = log.position
  open.toldStates = open.stateVersion
  open.replaced = false
  return { resource: open.resource, dirty: rowsOfBits(bits, bits.length), freshness, replaced }
}
