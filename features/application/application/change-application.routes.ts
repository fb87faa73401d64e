import { bind, type Server } from '@quarterdeck/http'
import { notFound } from '@quarterdeck/kernel'
import type { AskedChange, ChangeRequest } from '../../delivery/operation/operation.contract.ts'
import {
  deleteApplication,
  deployApplication,
  restartApplication,
  restartPod,
  scaleApplication,
  setApplicationImage,
} from './application.contract.ts'
import {
  type ApplicationRoutesOptions,
  existing,
  type Named,
  optional,
  placeOf,
  redefined,
  requestOf,
} from './application-request.routes.ts'
import { deployment, imageChange } from './deploy-application.routes.ts'
import { mainWorkload } from './yaml-definition.rules.ts'

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

async function scaling(options: ApplicationRoutesOptions, named: Named, replicas: number): Promise<ChangeRequest> {
  const { place, row } = await existing(options, named)
  const { spec, image, restartTime } = row.definition
  const parts = { spec: { ...spec, replicas }, ...optional({ image, restartTime }) }
  const after = redefined(named, place, parts, row.definition)
  const everywhere = mainWorkload(row.definition.manifests, named.application)?.kind === 'DaemonSet'
  return {
    ...requestOf(named, place, row, {
      type: scaleApplication.id,
      summary: `Scale ${named.application} in ${named.environment} to ${replicas}`,
      after,
    }),
    blockers: everywhere
      ? [{ pointer: '/replicas', detail: 'A DaemonSet has a pod on each node, so it has no number of its own.' }]
      : [],
  }
}

async function restart(options: ApplicationRoutesOptions, named: Named): Promise<ChangeRequest> {
  const { place, row } = await existing(options, named)
  const { spec, image } = row.definition
  const parts = { spec, ...optional({ image, restartTime: new Date().toISOString() }) }
  const after = redefined(named, place, parts, row.definition)
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
