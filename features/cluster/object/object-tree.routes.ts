import { bind, type Server } from '@quarterdeck/http'
import type { KubeObject } from '@quarterdeck/kernel'
import type { Row } from '@quarterdeck/mirror'
import { placedObject } from './object-detail.routes.ts'
import type { ObjectParts } from './query.routes.ts'
import { groupOf, type Reference, referencesOf } from './reference.rules.ts'
import { getObjectTree, type ObjectTree } from './related.contract.ts'
import { type Around, type Found, Search } from './related.routes.ts'
import { lineOf, linesOf, type TreeNode, textCell } from './related-row.routes.ts'
import { Trees } from './related-tree.routes.ts'

/** What an object belongs to, has made, uses and is used by. */
export function objectTreeRoutes(server: Server, parts: ObjectParts): void {
  bind(server, getObjectTree, async ({ signal, ...asked }) => {
    const { mirror, kind, reader, object, cluster } = await placedObject(parts, asked, signal)
    return treeOf(object, { mirror, kind, reader, cluster, signal }, asked.query.limit)
  })
}

const MOST_OWNERS = 10

/** Follows what the object names and the mirror knows; what names it is looked for at the API server, too. */
async function treeOf(object: KubeObject, around: Around, limit: number): Promise<ObjectTree> {
  const { mirror, reader, cluster, kind } = around
  const said = new Set<string>()
  const namespace = object.metadata.namespace ?? ''
  const search = new Search(around, namespace, (sentence) => said.add(sentence))
  const trees = new Trees({ mirror, reader, cluster: cluster.name, limit })
  const row = trees.find(kind, namespace, object.metadata.name)
  const self: TreeNode = selfNode(object, around, trees, row)
  const owners = ownerReferences(object)
  const [chain, named, users] = await Promise.all([
    ownerChain(owners, search, trees),
    search.named([...owners.slice(1), ...referencesOf(object).filter(({ labels }) => !labels)]),
    search.referrers(object),
  ])
  trees.grow([self])
  const uses = named.map((found) => nodeOf(found, trees))
  trees.grow(uses.filter(({ line }) => FOLLOWED.has(line.kind)))
  const chosen = { ...self, children: [] }
  for (const { labels, because } of referencesOf(object)) if (labels) trees.growChosen(chosen, labels, because)
  const usedBy = users.map((found) => nodeOf(found, trees))
  trees.growUsers(usedBy)
  const onNode = { ...self, children: [] }
  if (kind.resource === 'nodes') trees.growPodsOn(onNode)
  if (trees.cut) said.add('There is more than can be shown: the lists have all of it.')
  const top = [...chain].reverse()
  const application = [
    ...top.map(({ row: at, kind: of }) => at && of && textCell(of, at, 'application')),
    row && textCell(kind, row, 'application'),
  ].find(Boolean)
  return {
    belongs: linesOf(under(application ? [applicationNode(application, namespace), ...top] : top, self)),
    uses: linesOf([...uses, ...chosen.children]),
    usedBy: linesOf([...usedBy, ...onNode.children]),
    message: [...said].join(' '),
  }
}

/** Of what is used, these lead on; a ConfigMap or a node does not. */
const FOLLOWED = new Set([
  'Service',
  'Deployment',
  'StatefulSet',
  'DaemonSet',
  'ReplicaSet',
  'PersistentVolumeClaim',
  'PersistentVolume',
])

function selfNode(object: KubeObject, { kind }: Around, trees: Trees, row: Row | undefined): TreeNode {
  const { name, namespace = '' } = object.metadata
  const known = row && trees.node(kind, row, '')
  if (known) return { ...known, line: { ...known.line, itself: true } }
  const { resource } = kind
  const line = { resource, kind: kind.kind, namespace, name, because: '', itself: true as const }
  return { line: { ...line, found: true, state: '', ready: '' }, kind, children: [] }
}

/** Who controls it comes first. */
function ownerReferences({ metadata }: KubeObject): Reference[] {
  const all = (metadata.ownerReferences ?? []).map(({ apiVersion, kind, name, controller }, index) => ({
    controller: controller === true,
    reference: {
      group: groupOf(apiVersion),
      kind,
      namespace: metadata.namespace ?? '',
      name,
      because: `metadata.ownerReferences[${index}]`,
    },
  }))
  return all.sort((a, b) => Number(b.controller) - Number(a.controller)).map(({ reference }) => reference)
}

/** From the nearest owner to the farthest. */
async function ownerChain([first]: Reference[], search: Search, trees: Trees): Promise<TreeNode[]> {
  const chain: TreeNode[] = []
  let next = first
  while (next && chain.length < MOST_OWNERS) {
    const [found] = await search.named([next])
    if (!found) break
    const node = nodeOf(found, trees)
    if (chain.some(({ line }) => line.resource === node.line.resource && line.name === node.line.name)) break
    chain.push(node)
    next = node.row && node.kind ? ownerOfRow(textCell(node.kind, node.row, 'owner'), node, trees) : undefined
  }
  return chain
}

/** The mirror says Kind/name; which group that is of, whichever is there. */
function ownerOfRow(owner: string, { line: { namespace } }: TreeNode, trees: Trees): Reference | undefined {
  const at = owner.indexOf('/')
  if (at < 0) return undefined
  const [kind, name] = [owner.slice(0, at), owner.slice(at + 1)]
  const called = trees.kindsCalled(kind)
  const spec = called.find((one) => trees.find(one, namespace, name)) ?? called[0]
  return { group: spec?.group ?? '', kind, namespace, name, because: 'metadata.ownerReferences' }
}

function nodeOf({ because, optional, ...found }: Found, trees: Trees): TreeNode {
  const kind = trees.kindsCalled(found.kind).find(({ resource }) => resource === found.resource)
  const row = kind && trees.find(kind, found.namespace, found.name)
  const line = kind && row ? lineOf(kind, row, because) : { ...found, because, ready: '' }
  return {
    line: { ...line, ...(optional ? { optional } : {}) },
    ...(kind ? { kind } : {}),
    ...(row ? { row } : {}),
    children: [],
  }
}

const applicationNode = (name: string, namespace: string): TreeNode => ({
  line: {
    resource: '',
    kind: 'Application',
    namespace,
    name,
    because: 'metadata.labels',
    found: true,
    state: '',
    ready: '',
  },
  children: [],
})

/** Each of the owners holds the next, the last one the object. */
const under = ([first, ...rest]: TreeNode[], self: TreeNode): TreeNode[] =>
  first ? [{ ...first, children: under(rest, self) }] : [self]
