import type { Expression, KindSpec, Mirror, Row } from '@quarterdeck/mirror'
import type { ObjectReader } from '../access/access.contract.ts'
import { kindAndName } from './object.rules.ts'
import { cell, filterText, lineOf, membersOf, moreLine, type TreeNode, textCell } from './related-row.routes.ts'

/** What trees are grown from. */
export interface Ground {
  mirror: Mirror
  reader: ObjectReader
  /** Name of the cluster. */
  cluster: string
  /** Lines of one kind under one object. */
  limit: number
}

const MOST_LEVELS = 6
const MOST_NODES = 1_000
/** Rows of one kind that a level is asked for at once. */
const AT_ONCE = 1_000
/** These make pods and nothing else. */
const POD_MAKERS = new Set(['ReplicaSet', 'Job', 'ReplicationController'])
const OWNERLESS = new Set(['events', 'events.events.k8s.io', 'namespaces', 'nodes'])

/** Grows trees of objects by the indexes of the mirror, as far as the reader may see. */
export class Trees {
  readonly #ground: Ground
  readonly #kinds: readonly KindSpec[]
  readonly #seen = new Set<string>()
  #left = MOST_NODES

  constructor(ground: Ground) {
    this.#ground = ground
    this.#kinds = ground.mirror.kinds(ground.reader)
  }

  /** So many objects are there that not all are shown. */
  get cut(): boolean {
    return this.#left <= 0
  }

  /** Kinds of this name that the reader knows; built-in ones first. */
  kindsCalled(kind: string): KindSpec[] {
    const found = this.#kinds.filter((one) => one.kind === kind)
    return found.sort((a, b) => Number(a.custom) - Number(b.custom))
  }

  #kind(resource: string): KindSpec | undefined {
    return this.#kinds.find((one) => one.resource === resource)
  }

  find(kind: KindSpec, namespace: string, name: string): Row | undefined {
    const { mirror, reader, cluster } = this.#ground
    return mirror.find({ resource: kind.resource, cluster, namespace: kind.namespaced ? namespace : '', name }, reader)
  }

  /** A node that is not shown twice; undefined when it has been, or when there are too many. */
  node(kind: KindSpec, row: Row, because: string): TreeNode | undefined {
    if (this.#seen.has(row.uid) || this.cut) return undefined
    this.#seen.add(row.uid)
    this.#left -= 1
    return { line: lineOf(kind, row, because), kind, row, children: [] }
  }

  /** Hangs on the nodes what they have made and lead to, level by level. */
  grow(nodes: readonly TreeNode[]): void {
    let level = nodes
    for (let depth = 0; depth < MOST_LEVELS && level.length > 0 && !this.cut; depth += 1) {
      this.#growOwned(level)
      for (const node of level) this.#growTraffic(node)
      level = level.flatMap(({ children }) => children)
    }
  }

  #growOwned(level: readonly TreeNode[]): void {
    const groups = Map.groupBy(
      level.filter(({ kind, line }) => kind && line.name !== '' && (line.itself || line.kind !== 'Pod')),
      ({ line: { kind, namespace } }) => `${POD_MAKERS.has(kind) ? 'pods' : 'all'} ${namespace}`,
    )
    for (const [group, makers] of groups) {
      const pods = group.startsWith('pods')
      const namespace = makers[0]?.line.namespace ?? ''
      for (const kind of this.#kinds) {
        if (pods ? kind.resource !== 'pods' : OWNERLESS.has(kind.resource)) continue
        if (namespace === '' || kind.namespaced) this.#growKind(kind, namespace, makers)
      }
    }
  }

  /** Objects of one kind that belong to one of the makers: one look for all of them, where that is not too much. */
  #growKind(kind: KindSpec, namespace: string, makers: readonly TreeNode[]): void {
    const owners = makers.map(({ line }) => kindAndName(line.kind, line.name))
    const { total, rows } = this.#having(kind, namespace, 'owner', owners, AT_ONCE)
    if (total === 0) return
    const together = Map.groupBy(rows, (row) => textCell(kind, row, 'owner'))
    for (const [at, maker] of makers.entries()) {
      const owner = owners[at] ?? ''
      const own = together.get(owner) ?? []
      const found =
        total <= rows.length
          ? { total: own.length, rows: own }
          : this.#having(kind, namespace, 'owner', [owner], this.#ground.limit)
      const rest = { cluster: this.#ground.cluster, namespace, owner }
      this.#hang(maker, kind, found, 'metadata.ownerReferences', filterText(rest))
    }
  }

  #having(kind: KindSpec, namespace: string, field: string, values: readonly string[], limit: number) {
    const { mirror, reader, cluster } = this.#ground
    const place = namespace === '' ? {} : { namespace }
    return mirror.having({ resource: kind.resource, cluster, ...place, field, values, limit }, reader)
  }

  /** At most `limit` of the rows, the newest revisions first, and one line for all others. */
  #hang(
    parent: TreeNode,
    kind: KindSpec,
    found: { total: number; rows: Row[] },
    because: string,
    filter: string,
  ): void {
    const revision = (row: Row) => Number(cell(kind, row, 'revision') ?? 0)
    const rows =
      kind.resource === 'replicasets.apps' ? found.rows.sort((a, b) => revision(b) - revision(a)) : found.rows
    const shown = rows.slice(0, this.#ground.limit)
    parent.children.push(...shown.flatMap((row) => this.node(kind, row, because) ?? []))
    const count = found.total - shown.length
    if (count > 0) parent.children.push(moreLine(kind, parent.line.namespace, because, { count, filter }))
  }

  /** What an object leads to by other ways than owning it. */
  #growTraffic(node: TreeNode): void {
    const { kind, row } = node
    if (!kind || !row) return
    const { namespace, name, itself } = node.line
    const hang = (resource: string, at: string, called: string, because: string) => {
      const other = this.#kind(resource)
      const found = other && called !== '' ? this.find(other, at, called) : undefined
      const hung = other && found && this.node(other, found, because)
      if (hung) node.children.push(hung)
    }
    if (kind.resource === 'services') {
      this.#growSlices(node, namespace, name)
      // What the object itself names is among what it uses.
      if (!itself) this.#growPods(node, membersOf(kind, row, 'selector'))
    } else if (itself) return
    else if (kind.resource === 'ingresses.networking.k8s.io') {
      for (const service of new Set(membersOf(kind, row, 'services')))
        hang('services', namespace, service, 'spec.rules')
    } else if (kind.resource === 'persistentvolumeclaims') {
      const volume = textCell(kind, row, 'volume')
      hang('persistentvolumes', '', volume, 'spec.volumeName')
      if (volume === '')
        hang('storageclasses.storage.k8s.io', '', textCell(kind, row, 'storageClass'), 'spec.storageClassName')
    } else if (kind.resource === 'persistentvolumes')
      hang('storageclasses.storage.k8s.io', '', textCell(kind, row, 'storageClass'), 'spec.storageClassName')
  }

  #growSlices(node: TreeNode, namespace: string, name: string): void {
    const slices = this.#kind('endpointslices.discovery.k8s.io')
    if (!slices) return
    const found = this.#having(slices, namespace, 'service', [name], this.#ground.limit)
    const filter = filterText({ cluster: this.#ground.cluster, namespace, service: name })
    this.#hang(node, slices, found, 'metadata.labels[kubernetes.io/service-name]', filter)
  }

  #growPods(node: TreeNode, selector: readonly string[]): void {
    const labels = Object.fromEntries(
      selector.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
    )
    this.growChosen(node, labels, 'spec.selector')
  }

  /** Pods of the node's namespace with all of these labels. */
  growChosen(node: TreeNode, labels: Record<string, string>, because: string): void {
    const pods = this.#kind('pods')
    const { mirror, reader, cluster, limit } = this.#ground
    const { namespace } = node.line
    const pairs = Object.entries(labels)
    if (!pods || pairs.length === 0 || namespace === '') return
    const place: Expression[] = [
      { field: 'cluster', op: '=', values: [cluster] },
      { field: 'namespace', op: '=', values: [namespace] },
    ]
    const tests = pairs.map(([label, value]): Expression => ({ label, values: [value] }))
    const found = mirror.list({ resource: 'pods', filter: { all: [...place, ...tests] }, limit }, reader)
    const text = pairs.map(([label, value]) => `label:${label}=${value}`).join(' ')
    this.#hang(node, pods, found, because, `${filterText({ cluster, namespace })} ${text}`)
  }

  /** Pods of a node. */
  growPodsOn(node: TreeNode): void {
    const pods = this.#kind('pods')
    if (!pods) return
    const { cluster, limit } = this.#ground
    const { name } = node.line
    const filter = filterText({ cluster, node: name })
    this.#hang(node, pods, this.#having(pods, '', 'node', [name], limit), 'spec.nodeName', filter)
  }

  /** Hangs on the nodes what uses them in turn: autoscalers on workloads, ways in on Services. */
  growUsers(nodes: readonly TreeNode[]): void {
    const { mirror, reader, cluster, limit } = this.#ground
    const scalers = this.#kind('horizontalpodautoscalers.autoscaling')
    const ingresses = this.#kind('ingresses.networking.k8s.io')
    for (const node of nodes) {
      const { kind, namespace, name, resource } = node.line
      if (scalers && ['Deployment', 'StatefulSet', 'ReplicaSet'].includes(kind)) {
        const target = kindAndName(kind, name)
        const filter = filterText({ cluster, namespace, target })
        this.#hang(
          node,
          scalers,
          this.#having(scalers, namespace, 'target', [target], limit),
          'spec.scaleTargetRef',
          filter,
        )
      }
      if (ingresses && resource === 'services') {
        const here = { cluster, namespace, services: name }
        const all = Object.entries(here).map(([field, value]): Expression => ({ field, op: '=', values: [value] }))
        const found = mirror.list({ resource: ingresses.resource, filter: { all }, limit }, reader)
        this.#hang(node, ingresses, found, 'spec.rules', filterText(here))
      }
    }
  }
}
