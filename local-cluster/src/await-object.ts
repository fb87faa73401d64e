import { Resolver } from 'node:dns/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { apiServerUrl } from './control-plane-components.ts'
import type { BringUp } from './ensure-component.ts'
import { type KubeRequest, kubeRequest } from './kube-request.ts'
import { LocalClusterError } from './local-cluster-error.ts'
import { type Stage, stepOf } from './progress.ts'

/** A client of the instance's API server; call `close`. */
export const adminOf = ({ spec }: BringUp): KubeRequest =>
  kubeRequest(spec.identities.endpoint('admin', apiServerUrl(spec.ports)))

/** Waits until the cluster's DNS tells the API server's address. */
export async function awaitName(server: string): Promise<void> {
  const limit = performance.now() + OBJECT_WITHIN_SECONDS * 1000
  for (;;) {
    const resolver = new Resolver({ timeout: 1000, tries: 1 })
    resolver.setServers([server])
    try {
      await resolver.resolve4('kubernetes.default.svc.cluster.local')
      return
    } catch (error) {
      if (performance.now() > limit) throw notReady('coredns', undefined, error as Error)
      await delay(100)
    }
  }
}

interface Conditions {
  status?: {
    conditions?: { type: string; status: string; message?: string; reason?: string; lastHeartbeatTime?: string }[]
  }
}

const conditionOf = (object: unknown, type: string) =>
  (object as Conditions).status?.conditions?.find((one) => one.type === type)

/** Whether the condition holds and was looked at since `sinceMilliseconds`; such times are given in whole seconds. */
export function isTrue(object: unknown, type: string, sinceMilliseconds = 0): boolean {
  const condition = conditionOf(object, type)
  const seen = Date.parse(condition?.lastHeartbeatTime ?? '') || Number.MAX_SAFE_INTEGER
  return condition?.status === 'True' && seen >= sinceMilliseconds - 1000
}

/** Whether a Deployment's present template has a pod that can be used. */
export function isAvailable(deployment: unknown): boolean {
  const { metadata, status } = deployment as {
    metadata?: { generation: number }
    status?: { observedGeneration?: number; availableReplicas?: number; updatedReplicas?: number }
  }
  return (
    status?.observedGeneration === metadata?.generation &&
    (status?.availableReplicas ?? 0) > 0 &&
    (status?.updatedReplicas ?? 0) > 0
  )
}

const OBJECT_WITHIN_SECONDS = 180

/** Polls an object until it is as it should be; throws ComponentNotReady with its condition's words. */
export async function awaitObject(
  up: BringUp,
  stage: Stage,
  name: string,
  path: string,
  isGood: (object: unknown) => boolean,
): Promise<void> {
  const client = adminOf(up)
  const limit = performance.now() + OBJECT_WITHIN_SECONDS * 1000
  try {
    await stepOf(up.onProgress, stage, name, 'waiting until ready', async () => {
      for (;;) {
        const { status, body } = await client.send('GET', path).catch(() => ({ status: 0, body: {} }))
        if (status === 200 && isGood(body)) return
        if (performance.now() > limit) throw notReady(name, body)
        await delay(100)
      }
    })
  } finally {
    client.close()
  }
}

function notReady(name: string, object: unknown, cause?: Error): LocalClusterError {
  const condition = conditionOf(object ?? {}, 'Ready') ?? conditionOf(object ?? {}, 'Available')
  return new LocalClusterError(
    'ComponentNotReady',
    `${name} was not ready after ${OBJECT_WITHIN_SECONDS} s: ${condition?.message ?? condition?.reason ?? cause?.message ?? 'it says nothing about itself'}.`,
    'Look at `qd local logs kubelet` and `qd local logs containerd`, then start again.',
  )
}
