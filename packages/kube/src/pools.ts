import Pool from 'undici/lib/dispatcher/pool.js'
import type { Credential } from './credential.ts'
import { lookupServer } from './link-local.ts'

const CONNECT_TIMEOUT_MS = 5_000
const ONE_OFF_CONNECTIONS = 32

/** Kept-alive connections: few for what is soon answered, as many as are needed for streams. */
export interface Pools {
  oneOff: Pool
  streams: Pool
}

/**
 * The pools of one server for one way to prove who we are; new ones for a new certificate. `repeats`: header lines may
 * be repeated, which undici does over HTTP/1.1 only; over HTTP/2 it makes one of them, and of two groups a third.
 */
export class KeptPools {
  readonly #origin: string
  readonly #repeats: boolean
  #held: (Pools & { certificate: string | undefined }) | undefined

  constructor(origin: string, { repeats = false } = {}) {
    this.#origin = origin
    this.#repeats = repeats
  }

  of({ tls }: Credential): Pools {
    const certificate = tls.cert?.toString()
    if (this.#held && this.#held.certificate === certificate) return this.#held
    void this.#held?.oneOff.close() // lets what is under way finish; a renewed certificate needs new connections
    void this.#held?.streams.close()
    const common = {
      connect: { ...tls, lookup: lookupServer, timeout: CONNECT_TIMEOUT_MS },
      keepAliveTimeout: 30_000,
      ...(this.#repeats ? { allowH2: false } : {}),
    }
    this.#held = {
      oneOff: new Pool(this.#origin, { ...common, connections: ONE_OFF_CONNECTIONS }),
      streams: new Pool(this.#origin, { ...common, connections: null }),
      certificate,
    }
    return this.#held
  }

  async close(): Promise<void> {
    const held = this.#held
    this.#held = undefined
    await Promise.all([held?.oneOff.destroy(), held?.streams.destroy()])
  }
}
