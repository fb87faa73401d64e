import { rejectedByCluster } from '@quarterdeck/kernel'
import { z } from 'zod'
import type { Connection } from './connection.ts'

const ResourceList = z.looseObject({
  resources: z.array(
    z.looseObject({ name: z.string(), kind: z.string(), namespaced: z.boolean(), verbs: z.array(z.string()) }),
  ),
})

/** How the API server calls a kind. */
export interface Resource {
  apiVersion: string
  kind: string
  /** In paths and RBAC: `deployments`. */
  plural: string
  namespaced: boolean
  verbs: readonly string[]
}

const AGAIN_AFTER_MS = 5_000 // a kind that was unknown is asked for again at most this often

/** The API server's kinds, read once for each apiVersion and again when a kind is not among them. */
export interface Resources {
  /** Throws rejectedByCluster when the cluster has no such kind. */
  get(apiVersion: string, kind: string): Promise<Resource>
  /** Undefined when the cluster has no such kind. */
  find(apiVersion: string, kind: string): Promise<Resource | undefined>
}

/** `/api/v1` or `/apis/<group>/<version>`. */
export const groupPath = (apiVersion: string): string =>
  apiVersion.includes('/')
    ? `/apis/${apiVersion.split('/').map(encodeURIComponent).join('/')}`
    : `/api/${encodeURIComponent(apiVersion)}`

/** Keeps the kinds of one cluster. */
export function resourcesOf(connection: Connection): Resources {
  const groups = new Map<string, { readAt: number; kinds: Promise<Map<string, Resource>> }>()

  function read(apiVersion: string): Promise<Map<string, Resource>> {
    const kinds = readGroup(connection, apiVersion)
    groups.set(apiVersion, { readAt: Date.now(), kinds })
    kinds.catch(() => groups.delete(apiVersion))
    return kinds
  }

  async function find(apiVersion: string, kind: string): Promise<Resource | undefined> {
    const held = groups.get(apiVersion)
    const found = (await (held?.kinds ?? read(apiVersion))).get(kind)
    if (found || !held || Date.now() - held.readAt < AGAIN_AFTER_MS) return found
    return (await read(apiVersion)).get(kind)
  }

  return {
    find,
    async get(apiVersion, kind) {
      const found = await find(apiVersion, kind)
      if (found) return found
      throw rejectedByCluster({
        detail: `Cluster ${connection.cluster} has no kind ${kind} in ${apiVersion}. Check the spelling, or install what defines it.`,
      })
    },
  }
}

async function readGroup(connection: Connection, apiVersion: string): Promise<Map<string, Resource>> {
  const what = `the kinds of ${apiVersion}`
  const answer = await connection
    .call({ path: groupPath(apiVersion), verb: 'get', what, timeoutSeconds: 10 })
    .catch((error: { body?: { status?: number } }) => {
      if (error.body?.status === 404) return undefined
      throw error
    })
  const list = answer === undefined ? [] : ResourceList.parse(answer.body).resources
  return new Map(
    list
      .filter((resource) => !resource.name.includes('/'))
      .map(({ name, kind, namespaced, verbs }) => [kind, { apiVersion, kind, plural: name, namespaced, verbs }]),
  )
}
