import { fork } from 'node:child_process'
import { join } from 'node:path'
import type { Endpoint } from '@quarterdeck/local-cluster'
import { apiRequest } from './api-request.ts'

export interface FloorRequest {
  endpoint: Endpoint
  paths: string[]
  /** One answer with everything, or the streaming list that goes over into a watch. */
  way: 'list' | 'watchList'
}

export interface FloorAnswer {
  wallMs: number
  firstByteMs: number
  bytes: number
  /** Of the reading process. */
  cpuSeconds: number
}

/** Reads the lists to nowhere over one HTTP/2 connection, as protobuf where there is one, all of them at once. */
export async function readToNowhere(request: FloorRequest): Promise<FloorAnswer> {
  const child = fork(join(import.meta.dirname, 'floor.process.ts'))
  const { promise, resolve, reject } = Promise.withResolvers<FloorAnswer>()
  child.once('message', (answer) => resolve(answer as FloorAnswer))
  child.once('exit', (status) => reject(new Error(`The reader to nowhere has ended with ${status}`)))
  child.send(request)
  return promise
}

/** One kind that the API server serves. */
export interface ServedResource {
  /** `pods`, `deployments.apps`. */
  resource: string
  path: string
  namespaced: boolean
}

/** Every kind that can be listed and watched, in the version that its group prefers. */
export async function servedResources(endpoint: Endpoint): Promise<ServedResource[]> {
  const found = await Promise.all(
    ['/api', '/apis'].map((path) =>
      apiRequest<Discovery>(endpoint, path, 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'),
    ),
  )
  return found.flatMap(({ items }) =>
    items.flatMap(({ metadata: { name: group = '' }, versions }) => {
      const seen = new Set<string>()
      return versions.flatMap(({ version, resources }) =>
        resources.flatMap(({ resource, scope, verbs }) => {
          if (seen.has(resource) || !verbs.includes('list') || !verbs.includes('watch')) return []
          seen.add(resource)
          const path = group === '' ? `/api/${version}/${resource}` : `/apis/${group}/${version}/${resource}`
          return [
            { resource: group === '' ? resource : `${resource}.${group}`, path, namespaced: scope === 'Namespaced' },
          ]
        }),
      )
    }),
  )
}

interface Discovery {
  items: {
    metadata: { name?: string }
    versions: { version: string; resources: { resource: string; scope: string; verbs: string[] }[] }[]
  }[]
}
