import { bind, type Server } from '@quarterdeck/http'
import { notFound } from '@quarterdeck/kernel'
import type { Cluster } from '@quarterdeck/kube'
import { type PodLogsRequest, readPodLogs } from '@quarterdeck/podlog'
import { downloadLogs, type LogFrame, readLogs } from './log.contract.ts'
import { logFileName, podSelector, textLine } from './log.rules.ts'

/** Where an environment is. Throws notFound for one that is not there. */
export type FindEnvironment = (name: string) => Promise<{ cluster: Cluster; namespace: string }>

// Lines of a download travel together: a write a line would be most of the work.
const PIECE_CHARACTERS = 32 * 1024

/** Nothing is kept: every reading goes to the cluster. */
export function logRoutes(server: Server, { environment }: { environment: FindEnvironment }): void {
  const read = async (
    params: { environment: string; application: string },
    query: Omit<PodLogsRequest, 'namespace' | 'labelSelector' | 'signal'>,
    signal: AbortSignal,
  ): Promise<AsyncGenerator<LogFrame, void, undefined>> => {
    const { cluster, namespace } = await environment(params.environment)
    const labelSelector = podSelector(params.application)
    await requireApplication(cluster, { ...params, namespace, labelSelector }, signal)
    return readPodLogs(cluster, { ...query, namespace, labelSelector, signal })
  }
  // Looked up before the answer begins, so that what is not there is told by its status.
  bind(server, readLogs, ({ params, query, signal }) => read(params, query, signal))
  bind(server, downloadLogs, async ({ params, query, signal, attachment }) => {
    const frames = await read(params, query, signal)
    attachment(logFileName(params.application, params.environment, new Date().toISOString()))
    return textOf(frames)
  })
}

async function* textOf(frames: AsyncIterable<LogFrame>): AsyncGenerator<string, void, undefined> {
  let piece = ''
  for await (const frame of frames) {
    piece += textLine(frame)
    if (piece.length < PIECE_CHARACTERS) continue
    yield piece
    piece = ''
  }
  yield piece
}

/** Throws notFound when neither a pod nor a workload carries the application's labels. */
async function requireApplication(
  cluster: Cluster,
  at: { environment: string; application: string; namespace: string; labelSelector: string },
  signal: AbortSignal,
): Promise<void> {
  const { namespace, labelSelector, application, environment } = at
  const kinds = [
    { apiVersion: 'v1', kind: 'Pod' },
    { apiVersion: 'apps/v1', kind: 'Deployment' },
    { apiVersion: 'apps/v1', kind: 'StatefulSet' },
  ]
  const found = await Promise.all(
    kinds.map((kind) => cluster.list({ ...kind, namespace, labelSelector, limit: 1 }, { signal })),
  )
  if (found.some(({ items }) => items.length > 0)) return
  throw notFound({
    detail: `There is no application ${application} in ${environment}; qd app list --env ${environment} names them`,
  })
}
