import type { Target } from './target.ts'

/** One row of the attack catalogue (reliability.md §7), as far as this surface has it. */
export interface Row {
  id: string
  /** What is tried, and what must come of it. */
  what: string
  /** Throws when the attack has an effect; may answer a remark. */
  run(target: Target, options: RowOptions): Promise<string | undefined>
}

/** For rows that try what chance says. */
export interface RowOptions {
  /** How many of them. */
  worlds: number
  /** The same number tries the same. */
  seed: number
}
