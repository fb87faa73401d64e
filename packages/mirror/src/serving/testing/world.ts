import { expect } from 'vitest'
import type { StateMessage } from '../../batch.ts'
import { EVERYTHING, type ListQuery, type Reader } from '../../mirror.ts'
import { ServedMirror } from '../served-mirror.ts'
import { BatchWriter } from './batches.ts'
import { Oracle } from './oracle.ts'
import { Dice, randomFilter, randomNeedle, randomRow, randomSort, readerOf, THINGS } from './random.ts'

export const CLUSTERS = ['prod', 'Prod-2', 'a', 'test']
export const RESOURCE = THINGS.resource
const silent = { info: () => undefined, warn: () => undefined }

/** A mirror that is told what to know by hand, and the oracle beside it. Each `compare…` is an assertion. */
export class World {
  readonly dice: Dice
  readonly mirror = new ServedMirror({ log: silent }, () => this.oracle.nowSeconds * 1000 + 400)
  readonly oracle = new Oracle(THINGS, CLUSTERS)
  readonly #writer = new BatchWriter(3, THINGS)
  readonly #free: number[] = []
  #slots = 0
  #revision = 1

  constructor(seed: number) {
    this.dice = new Dice(seed)
    this.oracle.nowSeconds = 1_030
    for (const name of CLUSTERS) this.mirror.watch({ name, kubeconfig: '', revision: '1' })
    this.mirror.message({ type: 'kind', table: 3, spec: THINGS })
    for (const cluster of CLUSTERS.keys()) this.mirror.message(live(cluster))
  }

  /** Some rows go, some change, some come, perhaps with the number of one that has just gone. */
  change(atMost: number): void {
    const { dice, oracle } = this
    const present = [...oracle.rows.keys()]
    const touched = new Set<number>()
    const removed: number[] = []
    for (let left = dice.below(atMost / 2); left > 0 && present.length > 0; left -= 1) {
      const row = dice.one(present)
      if (!oracle.rows.delete(row)) continue
      removed.push(row)
      this.#free.push(row)
    }
    const rows: [number, ReturnType<typeof randomRow>][] = []
    for (let left = dice.below(atMost) + 1; left > 0; left -= 1) {
      const again = dice.chance(40) ? dice.one(present) : undefined
      const changes = again !== undefined && oracle.rows.has(again) && !touched.has(again)
      const number = changes ? again : this.#newNumber()
      const row = randomRow(dice, CLUSTERS.length, this.#revision)
      const before = oracle.rows.get(number)
      if (before && dice.chance(50))
        Object.assign(row, { values: { ...before.values, status: row.values.status ?? '' } })
      this.#revision += 1
      touched.add(number)
      oracle.rows.set(number, row)
      rows.push([number, row])
    }
    this.mirror.message(this.#writer.batch(removed, rows))
  }

  #newNumber(): number {
    const free = this.dice.chance(70) ? this.#free.pop() : undefined
    if (free !== undefined) return free
    this.#slots += 1 + this.dice.below(2)
    return this.#slots - 1
  }

  compareList(query: ListQuery, reader: Reader): void {
    const { oracle, mirror } = this
    const rows = oracle.sorted(oracle.matching(query.filter, reader), query.sort)
    const columns = query.columns ?? THINGS.columns.map(({ name }) => name)
    const { offset = 0, limit = 50 } = query
    const page = mirror.list(query, reader)
    const wanted = rows.slice(offset, offset + limit).map((row) => ({
      cluster: CLUSTERS[row.cluster],
      uid: oracle.uid(row),
      revision: String(row.revision),
      values: columns.map((column) => oracle.cell(row, column)),
    }))
    const why = JSON.stringify({ query, reader: reader.key })
    expect(page.total, why).toBe(rows.length)
    expect(
      page.rows.map(({ id: _id, ...row }) => row),
      why,
    ).toEqual(wanted)
    expect(JSON.parse(Buffer.from(mirror.listJson(query, reader)).toString()), why).toEqual(page)
  }

  compareRandomList(): void {
    const { dice } = this
    const columns = THINGS.columns.map(({ name }) => name).filter(() => dice.chance(30))
    const query: ListQuery = {
      resource: RESOURCE,
      sort: randomSort(dice),
      offset: dice.chance(50) ? 0 : dice.below(this.oracle.rows.size + 3),
      limit: 1 + dice.below(60),
      ...(dice.chance(70) && { filter: randomFilter(dice, CLUSTERS) }),
      ...(dice.chance(50) && { columns }),
    }
    this.compareList(query, this.reader())
  }

  reader(): Reader {
    return this.dice.chance(30) ? EVERYTHING : readerOf(this.dice.below(4))
  }

  compareFacets(): void {
    const { dice, oracle } = this
    const reader = this.reader()
    const fields = ['cluster', 'namespace', 'status', 'labels', 'images', 'label:app', 'label:none', 'owner']
    const filter = dice.chance(70) ? randomFilter(dice, CLUSTERS) : undefined
    const rows = oracle.matching(filter, reader)
    const facets = this.mirror.facets({ resource: RESOURCE, fields, limit: 4, ...(filter && { filter }) }, reader)
    const wanted = fields.map((field) => {
      const values = oracle.counts(rows, field)
      return { field, distinct: values.length, values: values.slice(0, 4) }
    })
    expect(facets, JSON.stringify({ filter, reader: reader.key })).toEqual(wanted)
  }

  compareSums(): void {
    const { dice, oracle } = this
    const reader = this.reader()
    const by = dice.one(['namespace', 'cluster', 'status', undefined])
    const sums = this.mirror.sums({ resource: RESOURCE, fields: ['restarts'], ...(by && { by }) }, reader)
    const rows = oracle.matching(undefined, reader)
    const wanted = new Map<string, number>()
    for (const row of rows) {
      const value = by ? String(oracle.cell(row, by) ?? '') : ''
      wanted.set(value, (wanted.get(value) ?? 0) + Number(oracle.cell(row, 'restarts') ?? 0))
    }
    expect(Object.fromEntries(sums.map(({ value, sums: [sum] }) => [value, sum]))).toEqual(Object.fromEntries(wanted))
    expect(sums.reduce((total, { count }) => total + count, 0)).toBe(rows.length)
  }

  compareHaving(): void {
    const { dice, oracle } = this
    const reader = this.reader()
    const [cluster, field] = [dice.below(CLUSTERS.length), dice.one(['owner', 'status', 'namespace'])]
    const all = oracle.matching(undefined, reader).filter((row) => row.cluster === cluster)
    const value = (row: (typeof all)[number]) => String(oracle.cell(row, field) ?? '')
    const values = [...dice.list(2, () => (all.length > 0 ? value(dice.one(all)) : '')), 'nobody'].filter(Boolean)
    const namespace =
      dice.chance(50) && all.length > 0 ? String(oracle.cell(dice.one(all), 'namespace') ?? '') : undefined
    const wanted = all.filter(
      (row) =>
        values.includes(value(row)) &&
        (namespace === undefined || String(oracle.cell(row, 'namespace') ?? '') === namespace),
    )
    const query = { resource: RESOURCE, cluster: CLUSTERS[cluster] ?? '', field, values, limit: 1_000 }
    const found = this.mirror.having({ ...query, ...(namespace !== undefined && { namespace }) }, reader)
    const why = JSON.stringify({ cluster, field, values, namespace, reader: reader.key })
    expect(found.total, why).toBe(wanted.length)
    expect(found.rows.map(({ uid }) => uid).sort(), why).toEqual(wanted.map((row) => oracle.uid(row)).sort())
    const one = this.mirror.having({ ...query, ...(namespace !== undefined && { namespace }), limit: 1 }, reader)
    expect(one.rows, why).toEqual(found.rows.slice(0, 1))
  }

  compareSearch(): void {
    const { dice, oracle } = this
    const reader = this.reader()
    const words = [...new Set([randomNeedle(dice), ...dice.list(1, () => randomNeedle(dice))].join(' ').split(/\s+/))]
    const wordsThere = words.filter(Boolean)
    const clusters = dice.chance(30) ? [dice.one(CLUSTERS), dice.one(CLUSTERS)] : undefined
    const hits = this.mirror.search({ text: words.join(' '), limit: 7, ...(clusters && { clusters }) }, reader)
    const rows = oracle
      .matching(undefined, reader)
      .filter((row) => wordsThere.every((word) => oracle.containsText(row, word)))
      .filter((row) => !clusters || clusters.includes(CLUSTERS[row.cluster] ?? ''))
    const why = JSON.stringify({ words, clusters, reader: reader.key })
    expect(hits.total, why).toBe(rows.length)
    expect(
      hits.kinds.flatMap((kind) => kind.rows.map(({ uid }) => uid)),
      why,
    ).toEqual(
      oracle
        .ranked(rows, wordsThere)
        .slice(0, 7)
        .map((row) => oracle.uid(row)),
    )
  }

  compareFind(): void {
    const { dice, oracle } = this
    const reader = this.reader()
    const row = dice.one([...oracle.rows.values(), randomRow(dice, CLUSTERS.length, 0)])
    const ref = {
      resource: RESOURCE,
      cluster: CLUSTERS[row.cluster] ?? '',
      namespace: String(row.values.namespace ?? ''),
      name: String(row.values.name),
    }
    const same = oracle
      .matching(undefined, EVERYTHING)
      .filter((other) => other.cluster === row.cluster)
      .filter(({ values }) => (values.namespace ?? '') === ref.namespace && values.name === ref.name)
      .sort((a, b) => b.revision - a.revision)[0]
    const seen = same && reader.may(RESOURCE, ref.cluster, ref.namespace)
    expect(this.mirror.find(ref, reader)?.uid, JSON.stringify(ref)).toBe(seen ? oracle.uid(same) : undefined)
  }
}

const live = (cluster: number): StateMessage => ({
  type: 'state',
  cluster,
  table: 3,
  state: 'live',
  revision: 7,
  loaded: 0,
  message: '',
  heardTime: 0,
})
