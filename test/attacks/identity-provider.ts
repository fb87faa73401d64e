import type { Server } from 'node:http'
import { type Client, createClient, fetchWithCookies } from '@quarterdeck/client'
import {
  beginSignIn,
  createProvider,
  deleteProvider,
  finishSignIn,
} from '../../features/tenancy/provider/provider.contract.ts'
import { OIDC_CLIENT, OIDC_SECRET, startOidcProvider, through } from '../platform/oidc-provider.ts'
import { anotherPeer } from './peer.ts'
import type { Target } from './target.ts'

/** An OIDC provider of npm on a port of its own, registered with the target under `name`. */
export interface IdentityProvider {
  readonly name: string
  readonly issuer: string
  /** By sub: what it says of somebody. Whoever is named at its door is let in. */
  people: Map<string, Record<string, unknown>>
  close(): Promise<void>
}

export async function identityProvider({ server, admin }: Target, name: string): Promise<IdentityProvider> {
  const redirectUris = [`${server.url}/sign-in/${name}/callback`]
  const { issuer, http, people } = await startOidcProvider({ redirectUris, strangers: true })
  await register(admin, name, issuer)
  return { name, issuer, people, close: () => leave(admin, name, http) }
}

export async function register(admin: Client, name: string, issuer: string): Promise<void> {
  const settings = {
    kind: 'oidc' as const,
    issuer,
    clientId: OIDC_CLIENT,
    scopes: ['openid', 'profile', 'email', 'groups'],
    groupsClaim: 'groups',
  }
  await admin(createProvider, { body: { name, title: name, settings, secret: OIDC_SECRET } })
}

export async function leave(admin: Client, name: string, http: Server): Promise<void> {
  await admin(deleteProvider, { params: { provider: name } })
  http.closeAllConnections()
  http.close()
}

/** A browser of its own, at an address of its own. */
export const browserOf = ({ server: { url } }: Target): Client =>
  createClient({ baseUrl: url, fetch: fetchWithCookies(url, anotherPeer()) })

/** Where a provider sends the browser back to with `login` signed in, as the query of that address. */
export async function begin(client: Client, provider: string, login: string, next = '/'): Promise<string> {
  return through(await startOf(client, provider, next), login)
}
export const startOf = async (client: Client, provider: string, next = '/'): Promise<string> =>
  (await client(beginSignIn, { params: { provider }, body: { next } })).url

export const finish = (client: Client, provider: string, query: string) =>
  client(finishSignIn, { params: { provider }, body: { query } })

/** The whole way, in a browser of its own. */
export async function signInAs(target: Target, provider: string, login: string, next?: string) {
  const client = browserOf(target)
  const signedIn = await finish(client, provider, await begin(client, provider, login, next))
  return { client, signedIn }
}
