import type { KubeObject } from '@quarterdeck/kernel'

/** The pods that an object makes, or the pod that it is. */
export interface PodTemplate {
  // biome-ignore lint/suspicious/noExplicitAny: a PodSpec as the API server has validated it
  spec: any
  labels: Record<string, string>
  /** Where `spec` stands: spec.template.spec. */
  at: string
}

/** Undefined for what neither is a pod nor makes any. */
export function templateOf(object: KubeObject): PodTemplate | undefined {
  const { kind, apiVersion, metadata, spec, template } = object
  const of = (from: KubeObject | undefined, at: string) =>
    from && { spec: from.spec ?? {}, labels: from.metadata?.labels ?? {}, at }
  if (apiVersion === 'v1' && kind === 'Pod') return { spec: spec ?? {}, labels: metadata.labels ?? {}, at: 'spec' }
  if (apiVersion === 'v1' && kind === 'PodTemplate') return of(template, 'template.spec')
  if (kind === 'CronJob') return of(spec?.jobTemplate?.spec?.template, 'spec.jobTemplate.spec.template.spec')
  return MAKERS.has(kind) ? of(spec?.template, 'spec.template.spec') : undefined
}

const MAKERS = new Set(['Deployment', 'ReplicaSet', 'StatefulSet', 'DaemonSet', 'Job', 'ReplicationController'])
