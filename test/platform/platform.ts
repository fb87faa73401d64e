import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Client, createClient, fetchWithCookies } from '@quarterdeck/client'
import { type Input, isProblem, notFound } from '@quarterdeck/kernel'
import { openStore, type Store } from '@quarterdeck/store'
import { listClusters } from '../../features/cluster/cluster/cluster.contract.ts'
import { createEnvironment, getEnvironment } from '../../features/tenancy/environment/environment.contract.ts'
import { createToken } from '../../features/tenancy/session/token.contract.ts'
import type { ServerProcess } from './server-process.ts'

/** Password of the administrator of every test server; given as QUARTERDECK_ADMIN_PASSWORD. */
export const PASSWORD = 'a quiet harbour at dawn'

/** Signs in with the password, when it may again if others have guessed; the value is what a browser sends as Cookie. */
export async function signIn(url: string, password = PASSWORD, by: typeof fetch = fetch): Promise<string> {
  const response = await by(`${url}/api/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: url },
    body: JSON.stringify({ user: 'admin', password }),
  })
  if (response.status === 429) {
    await sleep(Number(response.headers.get('retry-after')) * 1000)
    return signIn(url, password, by)
  }
  if (!response.ok) throw new Error(`Sign-in answers ${response.status}: ${await response.text()}`)
  return (response.headers.get('set-cookie') ?? '').split(';')[0] ?? ''
}

/** A client with a new token; `permissions` absent: all of the administrator's. */
export async function tokenClient(url: string, permissions?: string[]): Promise<Client> {
  const jar = fetchWithCookies(url)
  await signIn(url, PASSWORD, jar)
  const withCookie = createClient({ baseUrl: url, fetch: jar })
  const name = `test-${Math.random().toString(36).slice(2, 10)}`
  const { secret } = await withCookie(createToken, { body: { name, ...(permissions ? { permissions } : {}) } })
  return createClient({ baseUrl: url, token: secret })
}

/** Makes the environment on the first cluster, or as `wish` has it, unless it is there, and waits until it is Ready. */
export async function ensureEnvironment(
  client: Client,
  environment: string,
  wish: Partial<Input<typeof createEnvironment>['body']> = {},
): Promise<void> {
  const params = { environment }
  const found = await client(getEnvironment, { params }).catch((error: unknown) => {
    if (isProblem(error, notFound)) return undefined
    throw error
  })
  if (!found) {
    const [cluster] = (await client(listClusters)).items
    if (!cluster) throw new Error('The server knows no cluster')
    await client(createEnvironment, { params, query: {}, body: { cluster: cluster.name, stage: 'dev', ...wish } })
  }
  for (let tries = 0; tries < 300; tries++) {
    const { state, message } = await client(getEnvironment, { params })
    if (state === 'Ready') return
    if (state === 'Failed') throw new Error(`The environment has failed: ${message}`)
    await sleep(100)
  }
  throw new Error(`The environment ${environment} does not become Ready`)
}

/** Opens the server's own database beside it, to see what it really wrote. */
export function openDatabase({ home }: Pick<ServerProcess, 'home'>): Promise<Store> {
  const password = readFileSync(join(home, 'store/password'), 'utf8').trim()
  const socket = encodeURIComponent(join(home, 'store/run'))
  const databaseUrl = `postgres://quarterdeck:${encodeURIComponent(password)}@localhost:5432/quarterdeck?host=${socket}`
  return openStore({ stateFolder: '', databaseUrl, poolSize: 1 })
}
