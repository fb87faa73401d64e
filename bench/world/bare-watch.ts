import { fork } from 'node:child_process'
import { join } from 'node:path'
import type { Endpoint } from '@quarterdeck/local-cluster'
import { apiRequest } from './api-request.ts'
import type { Change } from './storm.ts'

export type BareWatchRequest = { act: 'open'; endpoint: Endpoint; revision: string } | { act: 'arrived' }

export interface BareWatchTold {
  opened?: boolean
  /** Restart counts and when they came, milliseconds since 1970. */
  arrived?: [number, number][]
  /** How often the API server has ended the watch. */
  ends?: number
  failed?: string
}

/** One watch of all pods past the platform: how late the API server itself is. */
export interface BareWatch {
  /** Milliseconds from before a change was written until it came. What has come is then forgotten. */
  latencies(changes: readonly Change[]): Promise<{ seen: number; p50Ms: number; p99Ms: number; ends: number }>
  close(): void
}

/** Begins to watch; resolves when the API server has answered. */
export async function openBareWatch(endpoint: Endpoint): Promise<BareWatch> {
  const child = fork(join(import.meta.dirname, 'bare-watch.process.ts'), { serialization: 'advanced' })
  let failure: Error | undefined
  let waiting: PromiseWithResolvers<BareWatchTold> | undefined
  const fail = (message: string) => {
    failure ??= new Error(`The bare watch: ${message}`)
    waiting?.reject(failure)
  }
  child.on('message', (told: BareWatchTold) => (told.failed === undefined ? waiting?.resolve(told) : fail(told.failed)))
  child.once('exit', (status) => fail(`it has ended with ${status}`))
  const ask = (request: BareWatchRequest): Promise<BareWatchTold> => {
    if (failure) return Promise.reject(failure)
    waiting = Promise.withResolvers()
    child.send(request)
    return waiting.promise
  }
  const list = await apiRequest<{ metadata: { resourceVersion: string } }>(endpoint, '/api/v1/pods?limit=1')
  await ask({ act: 'open', endpoint, revision: list.metadata.resourceVersion })
  return {
    async latencies(changes) {
      const told = await ask({ act: 'arrived' })
      const arrived = new Map(told.arrived)
      const late = changes
        .flatMap(({ restarts, time }) => {
          const came = arrived.get(restarts)
          return came === undefined ? [] : [came - time]
        })
        .sort((a, b) => a - b)
      const at = (share: number) => late[Math.min(late.length - 1, Math.floor(late.length * share))] ?? Number.NaN
      return { seen: late.length, p50Ms: at(0.5), p99Ms: at(0.99), ends: told.ends ?? 0 }
    },
    close: () => child.disconnect(),
  }
}
