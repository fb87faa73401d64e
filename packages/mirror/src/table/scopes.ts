/**
 * Places where rows are: pairs of cluster and namespace, numbered as they come. What a reader may see is decided once
 * for each place, and a row's place is one look.
 */
export class Scopes {
  /** Place of each row. */
  ofRow: Uint32Array = new Uint32Array(64)
  /** Cluster number of each place. */
  readonly clusters: number[] = []
  /** String id of the namespace of each place. */
  readonly namespaces: number[] = []
  readonly #byCluster = new Map<number, Map<number, number>>()
  #lastCluster = -1
  #lastNamespace = -1
  #last = 0

  get count(): number {
    return this.clusters.length
  }

  get bytes(): number {
    return this.ofRow.byteLength + this.count * 64
  }

  grow(rows: number): void {
    const grown = new Uint32Array(rows)
    grown.set(this.ofRow.length > rows ? this.ofRow.subarray(0, rows) : this.ofRow)
    this.ofRow = grown
  }

  put(row: number, cluster: number, namespace: number): void {
    if (cluster !== this.#lastCluster || namespace !== this.#lastNamespace) {
      this.#last = this.#number(cluster, namespace)
      this.#lastCluster = cluster
      this.#lastNamespace = namespace
    }
    this.ofRow[row] = this.#last
  }

  #number(cluster: number, namespace: number): number {
    let namespaces = this.#byCluster.get(cluster)
    if (!namespaces) {
      namespaces = new Map()
      this.#byCluster.set(cluster, namespaces)
    }
    let number = namespaces.get(namespace)
    if (number === undefined) {
      number = this.clusters.length
      namespaces.set(namespace, number)
      this.clusters.push(cluster)
      this.namespaces.push(namespace)
    }
    return number
  }
}
