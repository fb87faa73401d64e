import { Agent, request } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Endpoint } from '@quarterdeck/local-cluster'

const agents = new WeakMap<Endpoint, Agent>()

const TRIES = 10
const BUSY = new Set([429, 503, 504])

class Refused extends Error {
  readonly status: number
  constructor(path: string, status: number, text: string) {
    super(`${path} answers ${status}: ${text.slice(0, 300)}`)
    this.status = status
  }
}

/**
 * One JSON answer of an API server, read past the platform. Asks again after a second, ten times, while it says that
 * it is busy or that its cache is behind. Throws when it is no success.
 */
export async function apiRequest<T>(endpoint: Endpoint, path: string, accept = 'application/json'): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await requestOnce<T>(endpoint, path, accept)
    } catch (error) {
      if (tries === TRIES || !(error instanceof Refused && BUSY.has(error.status))) throw error
      await sleep(1_000)
    }
  }
}

function requestOnce<T>(endpoint: Endpoint, path: string, accept: string): Promise<T> {
  let agent = agents.get(endpoint)
  if (!agent) {
    agent = new Agent({ keepAlive: true, ca: endpoint.authority, cert: endpoint.certificate, key: endpoint.key })
    agents.set(endpoint, agent)
  }
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  // To a user agent that it does not know the API server answers compact JSON.
  const headers = { accept, 'user-agent': 'quarterdeck-bench/0.1' }
  const outgoing = request(`${endpoint.url}${path}`, { agent, headers }, (incoming) => {
    incoming.toArray().then((chunks) => {
      const text = Buffer.concat(chunks).toString('utf8')
      if (incoming.statusCode === 200) resolve(JSON.parse(text) as T)
      else reject(new Refused(path, incoming.statusCode ?? 0, text))
    }, reject)
  })
  outgoing.on('error', reject)
  outgoing.end()
  return promise
}
