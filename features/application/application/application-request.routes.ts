import { conflict, type Json, notFound, refOf, refText } from '@quarterdeck/kernel'
import type { Cluster } from '@quarterdeck/kube'
import type { Db } from '@quarterdeck/store'
import type { ChangeRequest, MakeChange } from '../../delivery/operation/operation.contract.ts'
import type { ImageConfig } from '../../image/image/image.contract.ts'
import { type ApplicationRow, find } from './application.store.ts'
import { type ApplicationDefinition, definitionKey } from './definition.rules.ts'
import { manifestsOf } from './manifest.rules.ts'
import { edited } from './yaml-definition.rules.ts'

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
  /** Services that hold one of these ports on the nodes of a cluster, as far as is known without asking it. */
  nodePortHolders: (
    cluster: string,
    nodePorts: readonly number[],
  ) => readonly { nodePort: number; namespace: string; name: string }[]
}

/** One application. */
export interface Named {
  environment: string
  application: string
}

/** Throws notFound, or conflict for an environment that is going. */
export async function placeOf(options: ApplicationRoutesOptions, environment: string): Promise<Place> {
  const place = await options.placeOf(environment)
  if (place.deleting) {
    throw conflict({ detail: `Environment ${environment} is being deleted, so nothing in it can be changed.` })
  }
  return place
}

/** An application that is there and where it is. Throws notFound. */
export async function existing(options: ApplicationRoutesOptions, { environment, application }: Named) {
  const [place, row] = await Promise.all([placeOf(options, environment), find(options.db, environment, application)])
  if (row) return { place, row }
  throw notFound({
    detail: `There is no application ${application} in ${environment}. qd app list --env ${environment} shows those that exist.`,
  })
}

/** The parts of every request that changes what an application is; `after` undefined: it goes. */
export function requestOf(
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

/** The definition with its manifests made anew; of one that was written as YAML, `held`, only what changes. */
export function redefined(
  named: Named,
  place: Place,
  parts: Omit<ApplicationDefinition, 'manifests' | 'cluster' | 'namespace'>,
  held?: ApplicationDefinition,
): ApplicationDefinition {
  const { spec, restartTime } = parts
  if (held?.source === 'yaml') {
    // What was left to somebody else, such as the replicas to an autoscaler, stays so.
    const change = {
      ...(spec.replicas === held.spec.replicas ? {} : { replicas: spec.replicas }),
      ...(spec.image === held.spec.image ? {} : { image: spec.image }),
      ...(restartTime ? { restartTime } : {}),
    }
    const manifests = edited(held.manifests, named.application, change)
    return { ...held, spec, ...(restartTime ? { restartTime } : {}), manifests }
  }
  const placement = {
    name: named.application,
    namespace: place.namespace,
    environment: named.environment,
    image: parts.image,
    restartTime: parts.restartTime,
  }
  return { ...parts, cluster: place.cluster, namespace: place.namespace, manifests: manifestsOf(parts.spec, placement) }
}

/** Only what is there. */
export const optional = ({ image, restartTime }: Pick<ApplicationDefinition, 'image' | 'restartTime'>) => ({
  ...(image ? { image } : {}),
  ...(restartTime ? { restartTime } : {}),
})
