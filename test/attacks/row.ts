import type { Target } from './target.ts'

/** One row of the attack catalogue (reliability.md §7), as far as this surface has it. */
export interface Row {
  id: string
  /** What is tried, and what must come of it. */
  what: string
  /** Throws when the attack has an effect, NotPossible when this machine cannot try it; may answer a remark. */
  run(target: Target, options: RowOptions): Promise<string | undefined>
}

/** An attack on something that is not there yet: neither passed nor failed. */
export interface WaitingRow {
  id: string
  what: string
  /** The feature that has to be there first. */
  waitsFor: string
}

/** For rows that try what chance says. */
export interface RowOptions {
  /** How many of them. */
  worlds: number
  /** The same number tries the same. */
  seed: number
}

/** This machine lacks what the attack needs; the message says what. Counts neither as passed nor as failed. */
export class NotPossible extends Error {}
