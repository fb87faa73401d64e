import { Agent, request } from 'node:https'
import type { Endpoint } from '@quarterdeck/local-cluster'

const agents = new WeakMap<Endpoint, Agent>()

/** One JSON answer of an API server, read past the platform. Throws when it is no success. */
export function apiRequest<T>(endpoint: Endpoint, path: string, accept = 'application/json'): Promise<T> {
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
      else reject(new Error(`${path} answers ${incoming.statusCode}: ${text.slice(0, 300)}`))
    }, reject)
  })
  outgoing.on('error', reject)
  outgoing.end()
  return promise
}
