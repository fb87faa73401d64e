import { type KubeObject, refOf, refText } from '@quarterdeck/kernel'
import type { Cluster } from '@quarterdeck/kube'
import type { Blocker, ChangeRequest } from '../../delivery/operation/operation.contract.ts'
import { find } from './application.store.ts'
import {
  type ApplicationRoutesOptions,
  type Named,
  type Place,
  placeOf,
  requestOf,
} from './application-request.routes.ts'
import type { ApplicationDefinition } from './definition.rules.ts'
import { othersThan } from './manifest.rules.ts'
import { labelled, mainWorkload, specOf } from './yaml-definition.rules.ts'

/** Objects that somebody wrote himself, as far as they could be read. `document` counts from 1. */
export interface Written {
  objects: { document: number; object: KubeObject }[]
  blockers: Blocker[]
  warnings: string[]
}

/** Makes an application out of written objects. `read` is given where they will be. */
export type YamlChange = (
  named: Named,
  type: string,
  read: (place: Place, cluster: Cluster) => Promise<Written>,
) => Promise<ChangeRequest>

export const yamlChange =
  (options: ApplicationRoutesOptions): YamlChange =>
  async (named, type, read) => {
    const { environment, application } = named
    const place = await placeOf(options, environment)
    const [row, cluster] = await Promise.all([
      find(options.db, environment, application),
      options.clusterOf(place.cluster),
    ])
    const written = await read(place, cluster)
    const labels = written.objects.map(({ document, object }) => {
      const placed = labelled(object, { name: application, namespace: place.namespace, environment })
      return { document, ...placed }
    })
    const manifests = labels.map(({ object }) => object)
    const spec = specOf(manifests, application)
    const clashes = labels.flatMap(({ document, object, clash }) => (clash ? [blocker(document, object, clash)] : []))
    const after: ApplicationDefinition = {
      cluster: place.cluster,
      namespace: place.namespace,
      source: 'yaml',
      spec: spec ?? NO_SPEC,
      manifests,
    }
    const made = row && row.definition.source !== 'yaml'
    return {
      ...requestOf(named, place, row, {
        type,
        summary: row
          ? `Bring ${application} in ${environment} to this YAML`
          : `Make ${application} in ${environment} from YAML`,
        after,
      }),
      blockers: [
        ...written.blockers,
        ...clashes,
        ...(spec || written.blockers.length > 0 ? [] : [whyNoSpec(manifests, application)]),
      ],
      taken: (live) => taken(live, labels, named, row?.definition.manifests ?? []),
      warnings: made
        ? [...written.warnings, `${application} was made from its image so far; from now on this YAML is what it is.`]
        : written.warnings,
    }
  }

// Only ever beside a blocker, so it is never kept.
const NO_SPEC: ApplicationDefinition['spec'] = { image: 'none', replicas: 0, exposure: 'none', variables: [] }

const blocker = (document: number, object: KubeObject, detail: string): Blocker => ({
  pointer: '/yaml',
  detail: `Document ${document} (${object.kind} ${object.metadata.name}): ${detail}`,
})

function whyNoSpec(manifests: KubeObject[], application: string): Blocker {
  const workload = mainWorkload(manifests, application)
  return {
    pointer: '/yaml',
    detail: workload
      ? `${workload.kind} ${workload.metadata.name}: its first container needs an image such as registry.example.com/shop:1, and replicas is at most 1000.`
      : 'There is no workload in it. Add a Deployment, StatefulSet or DaemonSet of apps/v1; without one there is nothing to run.',
  }
}

/** An object that is there already and belongs to somebody else, another application or environment included. */
function taken(
  live: KubeObject,
  labels: { document: number; object: KubeObject }[],
  { environment, application }: Named,
  own: KubeObject[],
): Blocker | undefined {
  const name = refText(refOf(live))
  const written = labels.find(({ object }) => refText(refOf(object)) === name)
  if (!written || own.some((object) => refText(refOf(object)) === name)) return undefined
  const whose = othersThan(live, environment)
  if (whose) return blocker(written.document, live, `is there already and ${whose}. Choose another name.`)
  const owner = live.metadata.labels?.['app.kubernetes.io/instance']
  if (owner === application) return undefined
  return blocker(
    written.document,
    live,
    `belongs to the application ${owner}. Choose another name, or change that one.`,
  )
}
