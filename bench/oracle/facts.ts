import type { Endpoint } from '@quarterdeck/local-cluster'
import type { KubernetesObject } from '../generator/shape.ts'
import { apiRequest } from '../world/api-request.ts'
import type { ServedResource } from '../world/floor.ts'
import { type PodFacts, podFacts } from './pod-facts.ts'
import { searchedText } from './searched-text.ts'

/** What the oracle keeps of one object. */
export interface Fact {
  resource: string
  namespace: string
  name: string
  uid: string
  revision: string
  /** Seconds since 1970. */
  created: number
  labels: Record<string, string>
  /** What free text finds. */
  text: string
  pod?: PodFacts
}

/** Namespace, name: what an object is known by among its kind. */
export const keyOf = ({ namespace, name }: Pick<Fact, 'namespace' | 'name'>): string => `${namespace}/${name}`

const PAGE = 2_000

/** Reads every object of a kind as JSON from the API server, page by page, and keeps the facts. */
export async function readFacts(endpoint: Endpoint, { resource, path }: ServedResource): Promise<Fact[]> {
  const facts: Fact[] = []
  let next = ''
  do {
    const query = `limit=${PAGE}${next === '' ? '' : `&continue=${encodeURIComponent(next)}`}`
    const page = await apiRequest<List>(endpoint, `${path}?${query}`)
    for (const item of page.items) facts.push(factOf(resource, item))
    next = page.metadata.continue ?? ''
  } while (next !== '')
  return facts
}

interface List {
  metadata: { continue?: string; resourceVersion: string }
  items: KubernetesObject[]
}

function factOf(resource: string, object: KubernetesObject): Fact {
  const { namespace = '', name, uid, creationTimestamp, labels = {} } = object.metadata
  return {
    resource,
    namespace,
    name,
    uid,
    revision: String(object.metadata.resourceVersion),
    created: Date.parse(creationTimestamp) / 1000,
    labels,
    text: searchedText(resource, object),
    ...(resource === 'pods' ? { pod: podFacts(object) } : {}),
  }
}
