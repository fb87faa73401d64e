import type { World } from './world.ts'

/** One row of the fault catalogue (reliability.md §5), as far as this surface has it. */
export interface Row {
  id: string
  /** The fault and what must hold. */
  what: string
  /** How often it is done unless --rounds says otherwise. */
  rounds: number
  /** Throws when a promise is broken; may answer a remark. A round of the same row gets the same world. */
  run(world: World): Promise<string | undefined>
}
