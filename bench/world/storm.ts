import { fork } from 'node:child_process'
import { join } from 'node:path'
import type { Endpoint } from '@quarterdeck/local-cluster'
import type { ClusterShape } from '../generator/shape.ts'
import type { FullCluster } from './cluster.ts'

export type StormRequest =
  | { act: 'prepare'; shape: ClusterShape }
  | { act: 'blow'; endpoint: Endpoint; perSecond: number; seconds: number }

export interface StormTold {
  ready?: number
  changes?: Change[]
}

/** One change of one pod: the restart count that it set, which is its own, and when it was sent to etcd. */
export interface Change {
  restarts: number
  /** Milliseconds since 1970. */
  time: number
  /** When etcd had it. */
  committedTime: number
  /** `namespace/name`. */
  key: string
}

/** Somebody who changes the pods of a cluster, in a process of its own. */
export interface Storm {
  readonly pid: number
  /** Pods that take turns. */
  readonly pods: number
  blow(perSecond: number, seconds: number): Promise<Change[]>
  close(): void
}

/** Gets ready to change a generated cluster's pods. */
export async function openStorm({ shape, plane }: FullCluster): Promise<Storm> {
  const child = fork(join(import.meta.dirname, 'storm.process.ts'))
  const ask = (request: StormRequest) => {
    const { promise, resolve, reject } = Promise.withResolvers<StormTold>()
    const ended = (status: number | null) => reject(new Error(`The storm has ended with ${status}`))
    child.once('exit', ended)
    child.once('message', (told: StormTold) => {
      child.off('exit', ended)
      resolve(told)
    })
    child.send(request)
    return promise
  }
  const { ready = 0 } = await ask({ act: 'prepare', shape })
  return {
    pid: child.pid ?? 0,
    pods: ready,
    blow: async (perSecond, seconds) =>
      (await ask({ act: 'blow', endpoint: plane.etcd, perSecond, seconds })).changes ?? [],
    close: () => child.disconnect(),
  }
}
