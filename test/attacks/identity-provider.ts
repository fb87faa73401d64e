import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Client, createClient, fetchWithCookies } from '@quarterdeck/client'
import { type Configuration, Provider } from 'oidc-provider'
import {
  beginSignIn,
  createProvider,
  deleteProvider,
  finishSignIn,
} from '../../features/tenancy/provider/provider.contract.ts'
import { anotherPeer } from './peer.ts'
import type { Target } from './target.ts'

const CLIENT = 'quarterdeck'
const SECRET = 'a secret of the client'

/** An OIDC provider of npm on a port of its own, registered with the target under `name`. */
export interface IdentityProvider {
  readonly name: string
  readonly issuer: string
  /** By sub: what it says of somebody. Whoever is named at its door is let in. */
  people: Map<string, Record<string, unknown>>
  close(): Promise<void>
}

export async function identityProvider({ server, admin }: Target, name: string): Promise<IdentityProvider> {
  const http = createServer()
  await new Promise<void>((listening) => http.listen(0, '127.0.0.1', listening))
  const issuer = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
  const people = new Map<string, Record<string, unknown>>()
  const provider = quietly(issuer, {
    clients: [
      { client_id: CLIENT, client_secret: SECRET, redirect_uris: [`${server.url}/sign-in/${name}/callback`] },
      { client_id: 'another', client_secret: SECRET, redirect_uris: ['http://127.0.0.1:1/elsewhere'] },
    ],
    claims: { openid: ['sub'], profile: ['preferred_username', 'name'], email: ['email'], groups: ['groups'] },
    scopes: ['openid', 'profile', 'email', 'groups'],
    cookies: { keys: ['only for tests'] },
    ttl: { Interaction: 600, Session: 600, Grant: 600, AccessToken: 600, IdToken: 600 },
    findAccount: (_context, sub) => ({ accountId: sub, claims: async () => ({ sub, ...people.get(sub) }) }),
  })
  http.on('request', provider.callback())
  await register(admin, name, issuer)
  return { name, issuer, people, close: () => leave(admin, name, http) }
}

/** Without its warnings: that it keeps everything in memory is what is wanted. */
function quietly(issuer: string, configuration: Configuration): Provider {
  const { warn } = console
  console.warn = () => {}
  try {
    return new Provider(issuer, configuration)
  } finally {
    console.warn = warn
  }
}

export async function register(admin: Client, name: string, issuer: string): Promise<void> {
  const settings = {
    kind: 'oidc' as const,
    issuer,
    clientId: CLIENT,
    scopes: ['openid', 'profile', 'email', 'groups'],
    groupsClaim: 'groups',
  }
  await admin(createProvider, { body: { name, title: name, settings, secret: SECRET } })
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

/** Goes through the provider's pages as a browser would; the query that it is sent back with. */
export async function through(start: string, login: string): Promise<string> {
  const cookies = new Map<string, string>()
  let asked: { url: string; body?: string } = { url: start }
  for (let step = 0; step < 20; step++) {
    const form = { 'content-type': 'application/x-www-form-urlencoded' }
    const answer = await fetch(asked.url, {
      redirect: 'manual',
      headers: {
        cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
        ...(asked.body === undefined ? {} : form),
      },
      ...(asked.body === undefined ? {} : { method: 'POST', body: asked.body }),
    })
    for (const one of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(one) ?? []
      cookies.set(name, value)
    }
    const location = answer.headers.get('location')
    if (location !== null) {
      const next = new URL(location, asked.url)
      if (/\/sign-in\/[^/]+\/callback$/.test(next.pathname)) return next.search.slice(1)
      asked = { url: next.href }
      continue
    }
    const page = await answer.text()
    const action = /<form[^>]* action="([^"]+)"/.exec(page)?.[1]
    const prompt = /name="prompt" value="(\w+)"/.exec(page)?.[1]
    if (!action || !prompt) throw new Error(`The provider shows ${answer.status} ${page.slice(0, 300)}`)
    const filled = new URLSearchParams({ prompt, ...(prompt === 'login' ? { login, password: 'x' } : {}) })
    asked = { url: new URL(action, asked.url).href, body: filled.toString() }
  }
  throw new Error('The provider sends round and round')
}
