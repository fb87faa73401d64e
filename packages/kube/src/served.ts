import { z } from 'zod'
import type { Connection } from './connection.ts'

/** Something that a cluster serves, as RBAC names it. */
export interface ServedResource {
  /** Empty for the core group. */
  group: string
  /** `pods`, and `pods/exec` for what is below it. */
  resource: string
  namespaced: boolean
  verbs: readonly string[]
}

const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'

const Verbs = z.array(z.string()).nullish()
const Aggregated = z.looseObject({
  kind: z.literal('APIGroupDiscoveryList'),
  items: z.array(
    z.looseObject({
      metadata: z.looseObject({ name: z.string().optional() }),
      versions: z.array(
        z.looseObject({
          resources: z
            .array(
              z.looseObject({
                resource: z.string(),
                scope: z.string().optional(),
                verbs: Verbs,
                subresources: z.array(z.looseObject({ subresource: z.string(), verbs: Verbs })).nullish(),
              }),
            )
            .nullish(),
        }),
      ),
    }),
  ),
})
const Roots = z.looseObject({
  versions: z.array(z.string()).optional(),
  groups: z
    .array(z.looseObject({ name: z.string(), versions: z.array(z.looseObject({ version: z.string() })) }))
    .optional(),
})
const Plain = z.looseObject({
  resources: z.array(z.looseObject({ name: z.string(), namespaced: z.boolean(), verbs: Verbs })).nullish(),
})

/** Everything that a cluster serves in any version, below its kinds too; by group and name, each once. */
export async function servedResources(connection: Connection, signal: AbortSignal | undefined) {
  const ask = async (path: string) =>
    (await connection.call({ path, accept: `${AGGREGATED},application/json`, verb: 'get', what: path, signal })).body
  const found = new Map<string, ServedResource>()
  const add = ({ group, resource, namespaced, verbs }: ServedResource) => {
    const known = found.get(`${group}/${resource}`)?.verbs ?? []
    found.set(`${group}/${resource}`, { group, resource, namespaced, verbs: [...new Set([...known, ...verbs])] })
  }
  for (const path of ['/api', '/apis']) {
    const body = await ask(path)
    const aggregated = Aggregated.safeParse(body)
    const some = aggregated.success ? ofAggregated(aggregated.data) : await ofPlain(Roots.parse(body), path, ask)
    for (const one of some) add(one)
  }
  return [...found.values()].toSorted(
    (one, other) => compare(one.group, other.group) || compare(one.resource, other.resource),
  )
}

const compare = (one: string, other: string) => (one < other ? -1 : one > other ? 1 : 0)

const ofAggregated = ({ items }: z.infer<typeof Aggregated>): ServedResource[] =>
  items.flatMap(({ metadata: { name: group = '' }, versions }) =>
    versions.flatMap(({ resources }) =>
      (resources ?? []).flatMap(({ resource, scope, verbs, subresources }) => {
        const namespaced = scope === 'Namespaced'
        return [
          // Some have nothing of their own but what is below them.
          ...(verbs?.length ? [{ group, resource, namespaced, verbs }] : []),
          ...(subresources ?? []).map((below) => ({
            group,
            resource: `${resource}/${below.subresource}`,
            namespaced,
            verbs: below.verbs ?? [],
          })),
        ]
      }),
    ),
  )

/** Before 1.30: one question for each version of each group. A group whose API server is down has nothing. */
async function ofPlain(roots: z.infer<typeof Roots>, path: string, ask: (path: string) => Promise<unknown>) {
  const versions = [
    ...(roots.versions ?? []).map((version) => ({ group: '', at: `${path}/${version}` })),
    ...(roots.groups ?? []).flatMap(({ name, versions: all }) =>
      all.map(({ version }) => ({ group: name, at: `${path}/${name}/${version}` })),
    ),
  ]
  const answers = await Promise.all(
    versions.map(async ({ group, at }) => ({ group, answer: Plain.safeParse(await ask(at).catch(() => undefined)) })),
  )
  return answers.flatMap(({ group, answer }) =>
    (answer.data?.resources ?? []).map(({ name, namespaced, verbs }) => ({
      group,
      resource: name,
      namespaced,
      verbs: verbs ?? [],
    })),
  )
}
