import { isProblem, type KubeObject } from '@quarterdeck/kernel'
import type { Cluster } from '@quarterdeck/kube'
import type { Expression, KindSpec, Mirror, Row } from '@quarterdeck/mirror'
import type { ObjectReader } from '../access/access.contract.ts'
import type { Related } from './object.contract.ts'
import { kindAndName } from './object.rules.ts'
import { groupOf, type Reference, referencesOf } from './reference.rules.ts'
import { type Referrer, referenceTo, referrersOf } from './referrer.rules.ts'

/** Where an object is looked at from. */
export interface Around {
  mirror: Mirror
  reader: ObjectReader
  cluster: Cluster
  /** The object's own. */
  kind: KindSpec
  signal: AbortSignal
}

// More of one sort are not shown, and not looked through.
const MOST_SHOWN = 100
const MOST_READ = 500
const READ_SECONDS = 5
/** What these make is shown with what makes them: the pods of a Deployment, not only its ReplicaSets. */
const BETWEEN = new Set(['ReplicaSet', 'Job'])

/** A related object, however. */
export type Found = Omit<Related, 'relation'>

/**
 * Owners, what it owns, what it names and what names it, as far as the reader may see it. The mirror says what is
 * there; what it does not have is asked for at the API server. `message` says what could not be looked for.
 */
export async function relatedTo(object: KubeObject, around: Around): Promise<{ related: Related[]; message: string }> {
  const said = new Set<string>()
  const search = new Search(around, object.metadata.namespace ?? '', (sentence) => said.add(sentence))
  const [owners, uses, usedBy] = await Promise.all([
    search.named(ownersOf(object)),
    search.named(referencesOf(object)),
    search.referrers(object),
  ])
  const as = (relation: Related['relation'], found: Found[]) => found.map((one) => ({ relation, ...one }))
  return {
    related: [
      ...as('owner', owners),
      ...as('owned', search.owned(object.kind, object.metadata.name, '')),
      ...as('uses', uses),
      ...as('usedBy', [...usedBy, ...search.podsOn(object)]),
    ],
    message: [...said].join(' '),
  }
}

const ownersOf = ({ metadata }: KubeObject): Reference[] =>
  (metadata.ownerReferences ?? []).map(({ apiVersion, kind, name }, index) => ({
    group: groupOf(apiVersion),
    kind,
    namespace: metadata.namespace ?? '',
    name,
    because: `metadata.ownerReferences[${index}]`,
  }))

/** Looks for related objects in the mirror and, where that does not know, at the API server. */
export class Search {
  readonly #around: Around
  readonly #namespace: string
  readonly #kinds: readonly KindSpec[]
  readonly #say: (sentence: string) => void

  constructor(around: Around, namespace: string, say: (sentence: string) => void) {
    this.#around = around
    this.#namespace = namespace
    this.#kinds = around.mirror.kinds()
    this.#say = say
  }

  #kind({ group, kind }: Pick<Reference, 'group' | 'kind'>): KindSpec | undefined {
    return this.#kinds.find((one) => one.kind === kind && one.group === group)
  }

  /** Each thing that is named, whether it is there or not; of pods chosen by labels those that are there. */
  async named(references: Reference[]): Promise<Found[]> {
    const found = await Promise.all(
      references.slice(0, MOST_SHOWN).map(async (reference) => {
        if (reference.labels) return this.#podsWith(reference.labels, reference.because)
        return [await this.#one(reference)]
      }),
    )
    return found.flat()
  }

  async #one({ group, kind: name, because, optional, ...at }: Reference): Promise<Found> {
    const kind = this.#kind({ group, kind: name })
    const found = { kind: name, because, ...(optional ? { optional } : {}) }
    if (!kind) return { ...found, resource: '', namespace: at.namespace, name: at.name, found: false, state: '' }
    const namespace = kind.namespaced ? at.namespace : ''
    const { mirror, reader, cluster } = this.#around
    const row = mirror.find({ resource: kind.resource, cluster: cluster.name, namespace, name: at.name }, reader)
    return {
      ...found,
      resource: kind.resource,
      namespace,
      name: at.name,
      found: row !== undefined || (await this.#isThere(kind, namespace, at.name)),
      state: row ? stateOf(kind, row) : '',
    }
  }

  /** The mirror may be behind, or not have the kind yet. What the reader may not see counts as there: it says nothing. */
  async #isThere(kind: KindSpec, namespace: string, name: string): Promise<boolean> {
    const { cluster, reader, signal } = this.#around
    if (!reader.may(kind.resource, cluster.name, namespace)) return true
    const ref = { apiVersion: apiVersionOf(kind), kind: kind.kind, ...(namespace === '' ? {} : { namespace }), name }
    try {
      return (await cluster.get(ref, { signal, timeoutSeconds: READ_SECONDS })) !== undefined
    } catch (error) {
      this.#failed(error, kind)
      return true
    }
  }

  #failed(error: unknown, { plural }: KindSpec): void {
    if (!isProblem(error)) throw error
    this.#say(`${plural} could not be looked through: ${error.message}`)
  }

  /** What belongs to an owner, by the mirror; with what that makes in turn. */
  owned(kind: string, name: string, through: string): Found[] {
    const owner: Expression = { field: 'owner', op: '=', values: [kindAndName(kind, name)] }
    const because = `metadata.ownerReferences${through}`
    // A kind that has been passed through makes pods and nothing else.
    const kinds = through === '' ? this.#kinds : this.#kinds.filter((one) => one.kind === 'Pod')
    const direct = kinds.flatMap((one) => this.#rows(one, [owner], because))
    const between = through === '' ? direct.filter((one) => BETWEEN.has(one.kind)) : []
    return [...direct, ...between.flatMap((one) => this.owned(one.kind, one.name, ` of ${one.kind} ${one.name}`))]
  }

  /** Pods of a node. */
  podsOn({ apiVersion, kind, metadata }: KubeObject): Found[] {
    const pods = this.#kind({ group: '', kind: 'Pod' })
    if (!pods || apiVersion !== 'v1' || kind !== 'Node') return []
    return this.#rows(pods, [{ field: 'node', op: '=', values: [metadata.name] }], 'spec.nodeName')
  }

  #podsWith(labels: Record<string, string>, because: string): Found[] {
    const pods = this.#kind({ group: '', kind: 'Pod' })
    const tests = Object.entries(labels).map(([label, value]): Expression => ({ label, values: [value] }))
    return pods ? this.#rows(pods, tests, because) : []
  }

  #rows(kind: KindSpec, tests: Expression[], because: string): Found[] {
    const { mirror, reader, cluster } = this.#around
    const here: Expression[] = [{ field: 'cluster', op: '=', values: [cluster.name] }]
    if (this.#namespace !== '') {
      if (!kind.namespaced) return []
      here.push({ field: 'namespace', op: '=', values: [this.#namespace] })
    }
    const query = { resource: kind.resource, filter: { all: [...here, ...tests] }, limit: MOST_SHOWN }
    const { rows, total } = mirror.list(query, reader)
    if (total > rows.length) this.#say(`Only ${rows.length} of ${total} ${kind.plural} are shown.`)
    const [namespace, name] = ['namespace', 'name'].map((column) => indexOf(kind, column)) as [number, number]
    return rows.map((row) => ({
      resource: kind.resource,
      kind: kind.kind,
      namespace: String(row.values[namespace] ?? ''),
      name: String(row.values[name]),
      because,
      found: true,
      state: stateOf(kind, row),
    }))
  }

  /** What names the object: looked for in the kinds that may, at the API server. */
  async referrers(object: KubeObject): Promise<Found[]> {
    const found = await Promise.all(referrersOf(object).map((referrer) => this.#thoseOf(referrer, object)))
    return found.flat()
  }

  async #thoseOf(referrer: Referrer, object: KubeObject): Promise<Found[]> {
    const kind = this.#kind(referrer)
    const { cluster, reader, signal } = this.#around
    const namespace = referrer.wide ? '' : this.#namespace
    if (!kind || !reader.may(kind.resource, cluster.name, namespace)) return []
    const selection = { apiVersion: apiVersionOf(kind), kind: kind.kind, ...(namespace === '' ? {} : { namespace }) }
    try {
      const page = await cluster.list({ ...selection, limit: MOST_READ }, { signal, timeoutSeconds: READ_SECONDS })
      if (page.continue) this.#say(`Only the first ${MOST_READ} ${kind.plural} were looked through.`)
      return page.items.flatMap((candidate) => {
        const reference = referenceTo(object, candidate)
        return reference ? [this.#naming(kind, candidate, reference)] : []
      })
    } catch (error) {
      this.#failed(error, kind)
      return []
    }
  }

  #naming(kind: KindSpec, { metadata: { name, namespace = '' } }: KubeObject, { because, optional }: Reference): Found {
    const { mirror, reader, cluster } = this.#around
    const { resource } = kind
    const row = mirror.find({ resource, cluster: cluster.name, namespace, name }, reader)
    const state = row ? stateOf(kind, row) : ''
    return {
      resource,
      kind: kind.kind,
      namespace,
      name,
      because,
      ...(optional ? { optional } : {}),
      found: true,
      state,
    }
  }
}

const apiVersionOf = ({ group, version }: KindSpec) => (group === '' ? version : `${group}/${version}`)
const indexOf = (kind: KindSpec, column: string) => kind.columns.findIndex(({ name }) => name === column)
const stateOf = (kind: KindSpec, row: Row) => String(row.values[indexOf(kind, 'status')] ?? '')
