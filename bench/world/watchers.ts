import { fork } from 'node:child_process'
import { join } from 'node:path'
import type { Change } from './storm.ts'

/** What one client looks at. */
export interface Watcher {
  filter: string
  sort: string
  limit: number
}

export type WatchersRequest =
  | { act: 'open'; url: string; cookie: string; watchers: Watcher[] }
  | { act: 'count' }
  | ({ act: 'arrivals' } & Asked)
  /** Resolves when nothing has come for half a second. */
  | { act: 'settle' }
  | { act: 'windows' }
  /** Stops or goes on reading what comes for these clients. */
  | { act: 'pause'; clients: number[]; on: boolean }

interface Asked {
  changes: Change[]
  /** When somebody else had each change, by restart count; milliseconds since 1970. */
  elsewhere: Map<number, number>
  /** Clients that are not looked at. */
  except: number[]
}

export interface Arrivals {
  /** Changes of rows that some client got. */
  seen: number
  p50Ms: number
  p99Ms: number
  worstMs: number
  /** Later than elsewhere, change by change. */
  addedP50Ms: number
  addedP99Ms: number
}

export interface Window {
  total: number
  /** `namespace/name restarts`, in order. */
  rows: string[]
}

export interface WatchersTold {
  opened?: number
  frames?: number
  received?: number
  arrivals?: Arrivals
  windows?: Window[]
  failed?: string
}

/** Clients of the live socket, in a process of their own. */
export interface Watchers {
  readonly pid: number
  /** Frames and bytes since the last call; what has arrived until now is forgotten. */
  count(): Promise<{ frames: number; received: number }>
  /** Of what has come since the last `count`. */
  arrivals(asked: Asked): Promise<Arrivals>
  /** Waits until nothing has come for half a second. */
  settle(): Promise<void>
  /** What each client sees now. */
  windows(): Promise<Window[]>
  pause(clients: number[], on: boolean): Promise<void>
  close(): void
}

/** Connects one client for each of the watchers and waits until each has its first window. */
export async function openWatchers(url: string, cookie: string, watchers: Watcher[]): Promise<Watchers> {
  const child = fork(join(import.meta.dirname, 'watchers.process.ts'), { serialization: 'advanced' })
  let failure: Error | undefined
  let waiting: PromiseWithResolvers<WatchersTold> | undefined
  const fail = (message: string) => {
    failure ??= new Error(message)
    waiting?.reject(failure)
  }
  child.on('message', (told: WatchersTold) => (told.failed === undefined ? waiting?.resolve(told) : fail(told.failed)))
  child.once('exit', (status) => fail(`The watchers have ended with ${status}`))
  const ask = async (request: WatchersRequest): Promise<WatchersTold> => {
    if (failure) throw failure
    waiting = Promise.withResolvers()
    child.send(request)
    return waiting.promise
  }
  await ask({ act: 'open', url, cookie, watchers })
  return {
    pid: child.pid ?? 0,
    async count() {
      const { frames = 0, received = 0 } = await ask({ act: 'count' })
      return { frames, received }
    },
    async arrivals(asked) {
      const { arrivals } = await ask({ act: 'arrivals', ...asked })
      if (!arrivals) throw new Error('The watchers have told no arrivals')
      return arrivals
    },
    settle: async () => void (await ask({ act: 'settle' })),
    windows: async () => (await ask({ act: 'windows' })).windows ?? [],
    pause: async (clients, on) => void (await ask({ act: 'pause', clients, on })),
    close: () => child.disconnect(),
  }
}
