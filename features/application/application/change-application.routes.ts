import { bind, type Server } from '@quarterdeck/http'
import {
  conflict,
  isProblem,
  type Json,
  type KubeObject,
  type KubeRef,
  notFound,
  refOf,
  refText,
} from '@quarterdeck/kernel'
import type { Cluster } from '@quarterdeck/kube'
import type { Db } from '@quarterdeck/store'
import type { AskedChange, Blocker, ChangeRequest, MakeChange } from '../../delivery/operation/operation.contract.ts'
import { type ImageConfig, imageAbsent } from '../../image/image/image.contract.ts'
import {
  type ApplicationSpec,
  applicationExists,
  deleteApplication,
  deployApplication,
  restartApplication,
  restartPod,
  scaleApplication,
  setApplicationImage,
} from './application.contract.ts'
import { type ApplicationRow, find } from './application.store.ts'
import { type ApplicationDefinition, definitionKey } from './definition.rules.ts'
import { inconsistencies, MANAGED_BY, manifestsOf, serviceRef } from './manifest.rules.ts'
import { sentence } from './pod.rules.ts'
import { completed } from './proposal.rules.ts'

/** Where an environment's objects are. */
export interface Place {
  cluster: string
  namespace: string
  deleting: boolean
}

export interface ApplicationRoutesOptions {
  db: Db
  makeChange: MakeChange
  /** Throws notFound for a cluster that is not registered. */
  clusterOf: (name: string) => Promise<Cluster>
  /** Throws notFound for an environment that does not exist. */
  placeOf: (environment: string) => Promise<Place>
  /** What an image says of itself. Throws imageAbsent, or another problem when it cannot be told. */
  inspect: (image: string) => Promise<ImageConfig>
}

interface Named {
  environment: string
  application: string
}

/** The endpoints that change an application, each through an operation. */
export function changeApplicationRoutes(server: Server, options: ApplicationRoutesOptions): void {
  const { makeChange } = options
  const asked = <Context extends Omit<AskedChange, 'endpoint'>>(endpoint: string, context: Context): AskedChange => {
    const { subject, params, query, body, idempotencyKey } = context
    return { endpoint, subject, params, query, body, idempotencyKey }
  }
  bind(server, deployApplication, (context) =>
    makeChange(asked(deployApplication.id, context), () => deployment(options, context.params, context.body)),
  )
  bind(server, scaleApplication, (context) =>
    makeChange(asked(scaleApplication.id, context), () => scaling(options, context.params, context.body.replicas)),
  )
  bind(server, setApplicationImage, (context) =>
    makeChange(asked(setApplicationImage.id, context), () => imageChange(options, context.params, context.body.image)),
  )
  bind(server, restartApplication, (context) =>
    makeChange(asked(restartApplication.id, context), () => restart(options, context.params)),
  )
  bind(server, deleteApplication, (context) =>
    makeChange(asked(deleteApplication.id, context), () => deletion(options, context.params)),
  )
  bind(server, restartPod, (context) =>
    makeChange(asked(restartPod.id, context), () => podRestart(options, context.params)),
  )
}

async function placeOf(options: ApplicationRoutesOptions, environment: string): Promise<Place> {
  const place = await options.placeOf(environment)
  if (place.deleting) {
    throw conflict({ detail: `Environment ${environment} is being deleted, so nothing in it can be changed.` })
  }
  return place
}

async function existing(options: ApplicationRoutesOptions, { environment, application }: Named) {
  const [place, row] = await Promise.all([placeOf(options, environment), find(options.db, environment, application)])
  if (row) return { place, row }
  throw notFound({
    detail: `There is no application ${application} in ${environment}. qd app list --env ${environment} shows those that exist.`,
  })
}

/** The parts of every request that changes what an application is; `after` undefined: it goes. */
function requestOf(
  named: Named,
  place: Place,
  row: ApplicationRow | undefined,
  change: { type: string; summary: string; after?: ApplicationDefinition },
): ChangeRequest {
  const before = row?.definition.manifests ?? []
  const desired = change.after?.manifests ?? []
  return {
    type: change.type,
    summary: change.summary,
    target: {
      cluster: place.cluster,
      namespace: place.namespace,
      environment: named.environment,
      application: named.application,
      what: `application/${named.application}`,
    },
    desired,
    removed: before.map(refOf).filter((ref) => !desired.some((object) => refText(refOf(object)) === refText(ref))),
    before,
    definition: {
      owner: 'application',
      key: definitionKey(named.environment, named.application),
      before: (row?.definition as unknown as Json) ?? null,
      after: (change.after as unknown as Json) ?? null,
      basis: row?.operation ?? null,
    },
  }
}

/** The definition with its manifests made anew. */
function redefined(
  named: Named,
  place: Place,
  parts: Omit<ApplicationDefinition, 'manifests' | 'cluster' | 'namespace'>,
): ApplicationDefinition {
  const placement = {
    name: named.application,
    namespace: place.namespace,
    environment: named.environment,
    image: parts.image,
    restartTime: parts.restartTime,
  }
  return { ...parts, cluster: place.cluster, namespace: place.namespace, manifests: manifestsOf(parts.spec, placement) }
}

async function deployment(
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
    row ? [] : nameTaken(cluster, after.manifests),
    portClashes(cluster, spec, serviceRef(place.namespace, named.application)),
  ])
  return {
    ...request,
    blockers: [...image.blockers, ...inconsistencies(spec), ...taken, ...clashes],
    warnings: [...image.warnings, ...cautions],
  }
}

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
async function nameTaken(cluster: Cluster, manifests: KubeObject[]): Promise<Blocker[]> {
  const found = await Promise.all(manifests.map((manifest) => cluster.get(refOf(manifest)).catch(absentWhenMissing)))
  return found.flatMap((object) => {
    if (
      !object ||
      object.metadata.labels?.['app.kubernetes.io/managed-by'] === MANAGED_BY['app.kubernetes.io/managed-by']
    )
      return []
    return [
      {
        pointer: '/name',
        detail: `${refText(refOf(object))} is there already and was not made by Quarterdeck. Choose another name.`,
      },
    ]
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

async function scaling(options: ApplicationRoutesOptions, named: Named, replicas: number): Promise<ChangeRequest> {
  const { place, row } = await existing(options, named)
  const { spec, image, restartTime } = row.definition
  const after = redefined(named, place, { spec: { ...spec, replicas }, ...optional({ image, restartTime }) })
  return requestOf(named, place, row, {
    type: scaleApplication.id,
    summary: `Scale ${named.application} in ${named.environment} to ${replicas}`,
    after,
  })
}

const optional = ({ image, restartTime }: Pick<ApplicationDefinition, 'image' | 'restartTime'>) => ({
  ...(image ? { image } : {}),
  ...(restartTime ? { restartTime } : {}),
})

async function imageChange(options: ApplicationRoutesOptions, named: Named, image: string): Promise<ChangeRequest> {
  const { place, row } = await existing(options, named)
  const found = await lookUp(options, image, row)
  const { spec, restartTime } = row.definition
  const after = redefined(named, place, { spec: { ...spec, image }, ...optional({ image: found.facts, restartTime }) })
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

async function restart(options: ApplicationRoutesOptions, named: Named): Promise<ChangeRequest> {
  const { place, row } = await existing(options, named)
  const { spec, image } = row.definition
  const after = redefined(named, place, { spec, ...optional({ image, restartTime: new Date().toISOString() }) })
  const stopped =
    spec.replicas === 0
      ? [{ pointer: '', detail: `${named.application} has no pod to restart: it is scaled to 0.` }]
      : []
  return {
    ...requestOf(named, place, row, {
      type: restartApplication.id,
      summary: `Restart ${named.application} in ${named.environment}`,
      after,
    }),
    blockers: stopped,
  }
}

async function deletion(options: ApplicationRoutesOptions, named: Named): Promise<ChangeRequest> {
  const { place, row } = await existing(options, named)
  return requestOf(named, place, row, {
    type: deleteApplication.id,
    summary: `Delete ${named.application} from ${named.environment}`,
  })
}

async function podRestart(
  options: ApplicationRoutesOptions,
  { environment, pod: name }: { environment: string; pod: string },
): Promise<ChangeRequest> {
  const place = await placeOf(options, environment)
  const cluster = await options.clusterOf(place.cluster)
  const ref = { apiVersion: 'v1', kind: 'Pod', namespace: place.namespace, name }
  const pod = await cluster.get(ref)
  if (!pod)
    throw notFound({ detail: `There is no pod ${name} in ${environment}; it may have been replaced meanwhile.` })
  const application = pod.metadata.labels?.['app.kubernetes.io/name']
  const controlled = pod.metadata.ownerReferences?.some(({ controller }) => controller) ?? false
  const uid = pod.metadata.uid
  return {
    type: restartPod.id,
    summary: `Restart pod ${name} in ${environment}`,
    target: {
      cluster: place.cluster,
      namespace: place.namespace,
      environment,
      what: `pod/${name}`,
      ...(application ? { application } : {}),
    },
    desired: [],
    removed: [{ ...ref, ...(uid ? { uid } : {}) }],
    before: [],
    blockers: controlled
      ? []
      : [{ pointer: '', detail: `Nobody would start pod ${name} again: it has no controller.` }],
    notUndoable: 'A pod that has ended cannot be brought back; its controller has started another.',
  }
}
