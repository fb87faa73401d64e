import { fork } from 'node:child_process'
import { join } from 'node:path'
import { bareConnection } from './bare-connection.ts'

/** A server that does nothing but answer, asked over a kept connection. */
export interface BareAnswer {
  ask(): Promise<unknown>
  close(): void
}

/** Starts it; each of its answers has so many bytes. */
export async function openBareAnswer(bytes: number): Promise<BareAnswer> {
  const child = fork(join(import.meta.dirname, 'bare-answer.process.ts'))
  const { promise, resolve, reject } = Promise.withResolvers<{ url: string }>()
  child.once('message', (told) => resolve(told as { url: string }))
  child.once('exit', (status) => reject(new Error(`The bare server has ended with ${status}`)))
  child.send({ bytes })
  const { url } = await promise
  const connection = await bareConnection({ url, cookie: '' })
  return {
    ask: () => connection.get('/'),
    close() {
      connection.end()
      child.disconnect()
    },
  }
}
