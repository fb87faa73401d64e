import type { Json, KubeObject, KubeRef } from '@quarterdeck/kernel'
import type { z } from 'zod'
import { Environment, type Stage } from './environment.contract.ts'

/** What is remembered of an environment: the row without what is observed. */
export const EnvironmentDefinition = Environment.pick({
  name: true,
  cluster: true,
  namespace: true,
  stage: true,
  title: true,
  createTime: true,
})
export type EnvironmentDefinition = z.infer<typeof EnvironmentDefinition>

export const definitionOf = (value: Json | null): EnvironmentDefinition | undefined =>
  value === null ? undefined : EnvironmentDefinition.parse(value)

/** The label that says how near to customers a namespace is. */
const STAGE_LABEL = 'quarterdeck.dev/stage'

export const namespaceRef = (namespace: string): KubeRef => ({ apiVersion: 'v1', kind: 'Namespace', name: namespace })

export const namespaceOf = ({
  name,
  namespace,
  stage,
}: {
  name: string
  namespace: string
  stage: Stage
}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: {
    name: namespace,
    labels: {
      'app.kubernetes.io/managed-by': 'quarterdeck',
      'quarterdeck.dev/environment': name,
      [STAGE_LABEL]: stage,
    },
  },
})

/** Namespaces that belong to Kubernetes itself. */
export const isReserved = (namespace: string): boolean => namespace.startsWith('kube-') || namespace === 'default'
