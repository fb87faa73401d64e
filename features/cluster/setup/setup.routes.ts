import { bind, type Server } from '@quarterdeck/http'
import { getSetup, retrySetup, type Setup } from './setup.contract.ts'

/** `read` tells how far the start is, also while there is no store; `retry` tries what has failed again at once. */
export function setupRoutes(server: Server, { read, retry }: { read(): Promise<Setup>; retry(): void }): void {
  bind(server, getSetup, read)
  bind(server, retrySetup, () => {
    retry()
    return read()
  })
}
