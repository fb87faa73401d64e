import type { Reader } from '../../mirror.ts'
import type { Kept } from '../budget.ts'
import type { Table } from '../table.ts'
import { MaintainedLeaf } from './leaf.ts'
import { NumberedTest } from './row-test.ts'
import type { ClusterNames } from './tests.ts'

/** What one reader (all of the same key and generation) may see of a table: decided once for each place. */
export class Rights implements Kept {
  readonly leaf: MaintainedLeaf
  readonly #test: NumberedTest

  constructor(table: Table, clusters: ClusterNames, reader: Reader) {
    const { scopes, strings, spec } = table
    const { may } = reader
    this.#test = new NumberedTest(
      () => scopes.ofRow,
      () => scopes.count,
      (place) =>
        may(
          spec.resource,
          clusters.name(scopes.clusters[place] as number),
          strings.text(scopes.namespaces[place] as number),
        ),
    )
    this.leaf = new MaintainedLeaf(table, this.#test)
  }

  get bytes(): number {
    return this.leaf.bytes
  }

  /** Whether the reader may see this row. */
  sees(row: number): boolean {
    this.#test.prepare()
    return this.#test.test(row)
  }
}
