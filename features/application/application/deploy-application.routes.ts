import { isProblem, type KubeObject, type KubeRef, refOf, refText } from '@quarterdeck/kernel'
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
  type Place,
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
  // The registry is asked meanwhile; whoever is refused for another reason does not wait for it.
  const found = lookUp(options, asked.image)
  found.catch(() => {})
  const [place, row] = await Promise.all([
    placeOf(options, named.environment),
    find(options.db, named.environment, named.application),
  ])
  if (create && row) {
    throw applicationExists({
      detail: `${named.application} is in ${named.environment} already. Choose another name, or change that one.`,
    })
  }
  const image = await found
  const { spec, cautions } = completed(asked, image.config)
  const restartTime = row?.definition.restartTime
  const after = redefined(named, place, {
    spec,
    ...optional({ image: factsOf(image, row, asked.image) }),
    ...(restartTime ? { restartTime } : {}),
  })
  const request = requestOf(named, place, row, {
    type: deployApplication.id,
    summary: row
      ? `Bring ${named.application} in ${named.environment} to this specification`
      : `Deploy ${named.application} to ${named.environment}`,
    after,
  })
  const clashes = portClashes(options, spec, place, serviceRef(place.namespace, named.application))
  return {
    ...request,
    ...(row ? {} : { taken: (live: KubeObject) => nameTaken(live, named.environment) }),
    blockers: [...image.blockers, ...inconsistencies(spec), ...clashes],
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
async function lookUp({ inspect }: ApplicationRoutesOptions, image: string): Promise<LookedUp> {
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
    const warning = `The image could not be looked at, so whether it is there and what it exposes is not known: ${error.message}`
    return { blockers: [], warnings: [warning] }
  }
}

/** What the image has said, now or, when it cannot be asked, the last time. */
const factsOf = (found: LookedUp, row: ApplicationRow | undefined, image: string) =>
  found.facts ?? (row?.definition.spec.image === image ? row.definition.image : undefined)

/** An object of this name that is somebody else's. */
function nameTaken(live: KubeObject, environment: string): Blocker | undefined {
  const whose = othersThan(live, environment)
  const detail = `${refText(refOf(live))} is there already and ${whose}. Choose another name.`
  return whose === undefined ? undefined : { pointer: '/name', detail }
}

/** Node ports that are asked for and held by another Service, anywhere on the cluster. */
function portClashes(options: ApplicationRoutesOptions, spec: ApplicationSpec, place: Place, own: KubeRef): Blocker[] {
  const asked = (spec.ports ?? []).flatMap(({ nodePort }, index) => (nodePort ? [{ nodePort, index }] : []))
  if (asked.length === 0 || spec.exposure !== 'node') return []
  const ports = asked.map(({ nodePort }) => nodePort)
  return options.nodePortHolders(place.cluster, ports).flatMap((holder) => {
    const ref = { apiVersion: 'v1', kind: 'Service', namespace: holder.namespace, name: holder.name }
    if (refText(ref) === refText(own)) return []
    const detail = `Port ${holder.nodePort} on the nodes is held by ${refText(ref)}; choose another, or leave it to the cluster.`
    return asked
      .filter(({ nodePort }) => nodePort === holder.nodePort)
      .map(({ index }) => ({ pointer: `/ports/${index}/nodePort`, detail }))
  })
}

/** Another image and nothing else. */
export async function imageChange(
  options: ApplicationRoutesOptions,
  named: Named,
  image: string,
): Promise<ChangeRequest> {
  const [{ place, row }, found] = await Promise.all([existing(options, named), lookUp(options, image)])
  const { spec, restartTime } = row.definition
  const parts = { spec: { ...spec, image }, ...optional({ image: factsOf(found, row, image), restartTime }) }
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
