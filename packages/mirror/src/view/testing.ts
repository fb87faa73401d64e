import type { Expression } from '../expression.ts'
import { type Freshness, type ListQuery, QueryError, type Reader, type Row } from '../mirror.ts'
import type { LiveList, TableChanges, ViewSource } from './view-source.ts'

export interface Pod {
  uid: string
  namespace: string
  restarts: number
  revision: number
}

/** A table of pods in memory: `restarts` sorts, `namespace` filters. Row numbers are used again. */
export class PodTable implements ViewSource {
  readonly rows: (Pod | undefined)[] = []
  freshness: Freshness[] = [{ cluster: 'a', state: 'live', revision: '1', ageSeconds: 0, message: '' }]
  served = true
  open = 0
  reads = 0
  /** Lists know which rows they have to do with. */
  touched = true
  dirty = new Set<number>()
  readonly #touched = new Set<Set<number>>()
  #version = 0
  #known = this.freshness

  put(row: number, pod: Pod | undefined): void {
    this.rows[row] = pod
    this.dirty.add(row)
    for (const rows of this.#touched) rows.add(row)
    this.#version += 1
  }

  hear(freshness: Partial<Freshness>): void {
    this.freshness = this.freshness.map((one) => ({ ...one, ...freshness }))
    this.#version += 1
  }

  changes(replaced = false): TableChanges[] {
    const freshness = this.#known !== this.freshness
    if (this.dirty.size === 0 && !freshness && !replaced) return []
    const dirty = [...this.dirty]
    this.dirty.clear()
    this.#known = this.freshness
    return [{ resource: 'pods', dirty, freshness, replaced }]
  }

  openList(query: ListQuery, reader: Reader): LiveList {
    if (!this.served) throw new QueryError('No cluster serves pods', '/resource')
    this.open += 1
    const has = (row: number) => {
      const pod = this.rows[row]
      return pod !== undefined && reader.may('pods', 'a', pod.namespace) && matches(query.filter, pod)
    }
    const pod = (row: number) => this.rows[row] as Pod
    const compare = (a: number, b: number) =>
      (query.sort ? pod(b).restarts - pod(a).restarts : 0) || (pod(a).uid < pod(b).uid ? -1 : 1)
    const touched = this.touched ? new Set<number>() : undefined
    if (touched) this.#touched.add(touched)
    let places = 0
    let order = ''
    const all = () => [...this.rows.keys()].filter(has).sort(compare)
    return {
      resource: 'pods',
      columns: ['namespace', 'restarts'],
      version: () => this.#version,
      total: () => all().length,
      places: () => {
        if (order !== all().join()) places += 1
        order = all().join()
        return places
      },
      rows: (offset, limit) => {
        this.reads += 1
        return all().slice(offset, offset + limit)
      },
      has,
      compare,
      rowJson: (row) => JSON.stringify(rowOf(row, pod(row))),
      freshness: () => this.freshness,
      touched: () => {
        const rows = touched && [...touched, ...touched]
        touched?.clear()
        return rows
      },
      close: () => {
        this.open -= 1
        if (touched) this.#touched.delete(touched)
      },
    }
  }

  /** What a list would answer. */
  page({ offset = 0, limit = 50, ...query }: ListQuery, reader: Reader) {
    const list = this.openList(query, reader)
    const rows = Array.from(list.rows(offset, limit), (row) => rowOf(row, this.rows[row] as Pod))
    list.close()
    const { resource, columns } = list
    return { resource, columns, total: list.total(), offset, rows, freshness: this.freshness }
  }
}

const matches = (filter: Expression | undefined, pod: Pod): boolean => {
  if (!filter) return true
  if ('age' in filter) return pod.restarts > PodClock.now - filter.seconds
  return 'field' in filter && filter.values.includes(pod.namespace)
}
export const PodClock = { now: 0 }
const rowOf = (id: number, { uid, namespace, restarts, revision }: Pod): Row => ({
  id,
  cluster: 'a',
  uid,
  revision: String(revision),
  values: [namespace, restarts],
})
