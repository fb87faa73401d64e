import { bind, type Server } from '@quarterdeck/http'
import { notFound, type Subject } from '@quarterdeck/kernel'
import type { Cluster } from '@quarterdeck/kube'
import { type PodLogsRequest, readPodLogs } from '@quarterdeck/podlog'
import { downloadLogs, type LogFrame, readLogs } from './log.contract.ts'
import { logFileName, podSelector, textLine } from './log.rules.ts'

/**
 * Where an environment is: to find its pods, and as the person who asks, for what is in their logs. Throws notFound for
 * one that is not there, clusterForbidden when the cluster lets nobody through.
 */
export type FindEnvironment = (
  name: string,
  subject: Subject,
) => Promise<{ cluster: Cluster; person: Pick<Cluster, 'logs'>; namespace: string }>

// Lines of a download travel together: a write a line would be most of the work.
const PIECE_CHARACTERS = 32 * 1024

interface Reading {
  params: { environment: string; application: string }
  subject: Subject
  signal: AbortSignal
}

/** Nothing is kept: every reading goes to the cluster. */
export function logRoutes(server: Server, { environment }: { environment: FindEnvironment }): void {
  const read = async (
    { params, subject, signal }: Reading,
    query: Omit<PodLogsRequest, 'namespace' | 'labelSelector' | 'signal'>,
  ): Promise<AsyncGenerator<LogFrame, void, undefined>> => {
    const { cluster, person, namespace } = await environment(params.environment, subject)
    const labelSelector = podSelector(params.application)
    await requireApplication(cluster, { ...params, namespace, labelSelector }, signal)
    return readPodLogs({ ...cluster, logs: person.logs }, { ...query, namespace, labelSelector, signal })
  }
  // Looked up before the answer begins, so that what is not there is told by its status.
  bind(server, readLogs, (asked) => read(asked, asked.query))
  bind(server, downloadLogs, async (asked) => {
    const frames = await read(asked, asked.query)
    const { params, attachment } = asked
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
