import { isProblem, type KubeObject, type KubeRef, notFound, refOf, refText } from '@quarterdeck/kernel'
import type { Cluster } from '@quarterdeck/kube'
import type { Blocker, ChangeRequest } from '../../delivery/operation/operation.contract.ts'
import { type ImageConfig, imageAbsent } from '../../image/image/image.contract.ts'
import {
  type ApplicationSpec,
  applicationExists,
  deployApplication,
  setApplicationImage,
} from './application.contract.ts'
import { type ApplicationRow, find } from './application.store.ts'
import {
  type ApplicationRoutesOptions,
  existing,
  type Named,
  optional,
  placeOf,
  redefined,
  requestOf,
} from './application-request.routes.ts'
import type { ApplicationDefinition } from './definition.rules.ts'
import { inconsistencies, othersThan, serviceRef } from './manifest.rules.ts'
import { sentence } from './pod.rules.ts'
import { completed } from './proposal.rules.ts'

/** A new application, or an old one brought to another specification. Throws applicationExists. */
export async function deployment(
  options: ApplicationRoutesOptions,
  named: Named,
  { create, ...asked }: ApplicationSpec & { create: boolean },
): Promise<ChangeRequest> {
  const place = await placeOf(options, named.environment)
  const row = await find(options.db, named.environment, named.application)
  if (create && row) {
    throw applicationExists({
      detail: `${named.application} is in ${named.environment} already. Choose another name, or change that one.`,
    })
  }
  const [image, cluster] = await Promise.all([lookUp(options, asked.image, row), options.clusterOf(place.cluster)])
  const { spec, cautions } = completed(asked, image.config)
  const restartTime = row?.definition.restartTime
  const after = redefined(named, place, {
    spec,
    ...(image.facts ? { image: image.facts } : {}),
    ...(restartTime ? { restartTime } : {}),
  })
  const request = requestOf(named, place, row, {
    type: deployApplication.id,
    summary: row
      ? `Bring ${named.application} in ${named.environment} to this specification`
      : `Deploy ${named.application} to ${named.environment}`,
    after,
  })
  const [taken, clashes] = await Promise.all([
    row ? [] : nameTaken(cluster, after.manifests, named.environment),
    portClashes(cluster, spec, serviceRef(place.namespace, named.application)),
  ])
  return {
    ...request,
    blockers: [...image.blockers, ...inconsistencies(spec), ...taken, ...clashes],
    warnings: [...image.warnings, ...cautions, ...(row?.definition.source === 'yaml' ? [replacesYaml(named)] : [])],
  }
}

const replacesYaml = ({ application }: Named) =>
  `${application} was written as YAML; this replaces its objects with ones made from the image.`

interface LookedUp {
  config?: ImageConfig
  facts?: ApplicationDefinition['image']
  blockers: Blocker[]
  warnings: string[]
}

/** What the image says of itself. That it is absent stands in the way; that nobody can tell is only said. */
async function lookUp(
  { inspect }: ApplicationRoutesOptions,
  image: string,
  row: ApplicationRow | undefined,
): Promise<LookedUp> {
  try {
    const config = await inspect(image)
    const { digest, user, volumes } = config
    return { config, facts: { digest, user, volumes }, blockers: [], warnings: [] }
  } catch (error) {
    if (!isProblem(error)) throw error
    if (error.body.type === `/problems/${imageAbsent.slug}`) {
      return {
        blockers: [{ pointer: '/image', detail: `${sentence(error.message)} qd image tags lists what there is.` }],
        warnings: [],
      }
    }
    const known = row?.definition.spec.image === image ? row.definition.image : undefined
    const warning = `The image could not be looked at, so whether it is there and what it exposes is not known: ${error.message}`
    return { ...(known ? { facts: known } : {}), blockers: [], warnings: [warning] }
  }
}

/** Objects of these names that are somebody else's. */
async function nameTaken(cluster: Cluster, manifests: KubeObject[], environment: string): Promise<Blocker[]> {
  const found = await Promise.all(manifests.map((manifest) => cluster.get(refOf(manifest)).catch(absentWhenMissing)))
  return found.flatMap((object) => {
    const whose = object && othersThan(object, environment)
    return whose
      ? [{ pointer: '/name', detail: `${refText(refOf(object))} is there already and ${whose}. Choose another name.` }]
      : []
  })
}

// No such namespace: the dry run says it.
const absentWhenMissing = (error: unknown): undefined => {
  if (!isProblem(error, notFound)) throw error
}

/** Node ports that are asked for and held by another Service, anywhere on the cluster. */
async function portClashes(cluster: Cluster, spec: ApplicationSpec, own: KubeRef): Promise<Blocker[]> {
  const asked = (spec.ports ?? []).flatMap(({ nodePort }, index) => (nodePort ? [{ nodePort, index }] : []))
  if (asked.length === 0 || spec.exposure !== 'node') return []
  const blockers: Blocker[] = []
  for await (const service of cluster.listAll({ apiVersion: 'v1', kind: 'Service' })) {
    const ref = refOf({ ...service, apiVersion: 'v1', kind: 'Service' })
    if (refText(ref) === refText(own)) continue
    for (const { nodePort, index } of asked) {
      if (!service.spec?.ports?.some((port: { nodePort?: number }) => port.nodePort === nodePort)) continue
      blockers.push({
        pointer: `/ports/${index}/nodePort`,
        detail: `Port ${nodePort} on the nodes is held by ${refText(ref)}; choose another, or leave it to the cluster.`,
      })
    }
  }
  return blockers
}

/** Another image and nothing else. */
export async function imageChange(
  options: ApplicationRoutesOptions,
  named: Named,
  image: string,
): Promise<ChangeRequest> {
  const { place, row } = await existing(options, named)
  const found = await lookUp(options, image, row)
  const { spec, restartTime } = row.definition
  const parts = { spec: { ...spec, image }, ...optional({ image: found.facts, restartTime }) }
  const after = redefined(named, place, parts, row.definition)
  const exposed = (found.config?.ports ?? []).filter(
    ({ port }) => !spec.ports?.some(({ containerPort }) => containerPort === port),
  )
  const others = exposed.map(({ port }) => port).join(', ')
  return {
    ...requestOf(named, place, row, {
      type: setApplicationImage.id,
      summary: `Roll ${named.application} in ${named.environment} to ${image}`,
      after,
    }),
    blockers: found.blockers,
    warnings: others
      ? [...found.warnings, `This image exposes ${others}, which the application does not.`]
      : found.warnings,
  }
}
