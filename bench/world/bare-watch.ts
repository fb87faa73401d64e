import { fork } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
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
  /**
   * Waits until all these changes have come, or for so long. When each came, in milliseconds since 1970, by restart count;
   * and how often the API server has ended the watch since the last call.
   */
  arrived(changes: readonly Change[], seconds: number): Promise<{ times: Map<number, number>; ends: number }>
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
    async arrived(changes, seconds) {
      const until = performance.now() + seconds * 1000
      const times = new Map<number, number>()
      let ends = 0
      for (;;) {
        const told = await ask({ act: 'arrived' })
        for (const [restarts, time] of told.arrived ?? []) times.set(restarts, time)
        ends += told.ends ?? 0
        if (performance.now() > until || changes.every(({ restarts }) => times.has(restarts))) return { times, ends }
        await sleep(200)
      }
    },
    close: () => child.disconnect(),
  }
}
