import type { Mirror, Reader } from '@quarterdeck/mirror'

/** A Service that holds a port on every node. */
export interface NodePortHolder {
  nodePort: number
  namespace: string
  name: string
}

const READER: Reader = { key: '*', generation: 0, may: () => true, knows: () => true }
const MOST = 1_000

/**
 * Who holds these ports on the nodes of a cluster, as the mirror knows it: the API server is asked for no list. None
 * where Services are not read yet; the dry run still refuses a port that is held.
 */
export function nodePortHolders(
  mirror: Pick<Mirror, 'kind' | 'list'>,
  cluster: string,
  nodePorts: readonly number[],
): NodePortHolder[] {
  if (nodePorts.length === 0 || mirror.kind('services') === undefined) return []
  const held = { any: nodePorts.map((port) => ({ field: 'ports', op: '~' as const, values: [`:${port}/`] })) }
  const filter = { all: [{ field: 'cluster', op: '=' as const, values: [cluster] }, held] }
  const columns = ['namespace', 'name', 'ports']
  const { rows } = mirror.list({ resource: 'services', filter, columns, limit: MOST }, READER)
  return rows.flatMap(({ values: [namespace, name, ports] }) => {
    const texts = Array.isArray(ports) ? ports : []
    const of = nodePorts.filter((port) => texts.some((text) => text.includes(`:${port}/`)))
    return of.map((nodePort) => ({ nodePort, namespace: String(namespace), name: String(name) }))
  })
}
