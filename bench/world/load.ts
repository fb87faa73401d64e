import { fork } from 'node:child_process'
import { join } from 'node:path'
import type { Answer } from '../oracle/answers.ts'

export interface LoadRequest {
  url: string
  cookie: string
  connections: number
  seconds: number
  /** Below /api/v1, asked in turn, with the right answers. */
  asks: { path: string; right: Answer }[]
}

export interface LoadAnswer {
  requests: number
  bytes: number
  /** Of the compared ones. */
  wrong: number
  compared: number
  /** Answers that are no 200. */
  refused: number
  latencies: number[]
  seconds: number
}

/** Asks for pages as fast as they come, over so many connections, from another process. */
export async function load(request: LoadRequest): Promise<LoadAnswer> {
  const child = fork(join(import.meta.dirname, 'load.process.ts'), { serialization: 'advanced' })
  const { promise, resolve, reject } = Promise.withResolvers<LoadAnswer>()
  child.once('message', (answer) => resolve(answer as LoadAnswer))
  child.once('exit', (status) => reject(new Error(`The load has ended with ${status}`)))
  child.send(request)
  return promise
}
