import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Provider } from 'oidc-provider'

export const OIDC_CLIENT = 'quarterdeck'
export const OIDC_SECRET = 'a secret of the client'

/** An OIDC provider of npm on a port of its own. */
export interface OidcProvider {
  readonly issuer: string
  readonly http: Server
  /** By sub: what it says of somebody. Whoever is named at its door is let in; whoever is taken out is not known to it. */
  people: Map<string, Record<string, unknown>>
  close(): void
}

/** `redirectUris`, `signOutUris`: where it sends browsers back to; `logoutUri`: whom it tells that somebody has gone. */
export async function startOidcProvider({
  redirectUris,
  signOutUris = [],
  logoutUri,
  strangers = false,
}: {
  redirectUris: string[]
  signOutUris?: string[]
  logoutUri?: string
  /** True: whoever is named at its door is let in, and of who is not in `people` it says the sub alone. */
  strangers?: boolean
}): Promise<OidcProvider> {
  const http = createServer()
  await new Promise<void>((listening) => http.listen(0, '127.0.0.1', listening))
  const issuer = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
  const people = new Map<string, Record<string, unknown>>()
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: OIDC_CLIENT,
        client_secret: OIDC_SECRET,
        grant_types: ['authorization_code', 'refresh_token'],
        redirect_uris: redirectUris,
        post_logout_redirect_uris: signOutUris,
        ...(logoutUri === undefined
          ? {}
          : { backchannel_logout_uri: logoutUri, backchannel_logout_session_required: true }),
      },
      { client_id: 'another', client_secret: OIDC_SECRET, redirect_uris: ['http://127.0.0.1:1/elsewhere'] },
    ],
    features: { backchannelLogout: { enabled: true } },
    // Its own refuses addresses of this machine.
    fetch: (address, options) => fetch(address, { ...options, dispatcher: undefined } as RequestInit),
    claims: { openid: ['sub'], profile: ['preferred_username', 'name'], email: ['email'], groups: ['groups'] },
    scopes: ['openid', 'profile', 'email', 'groups', 'offline_access'],
    cookies: { keys: ['only for tests'] },
    findAccount: (_context, sub) =>
      strangers || people.has(sub) ? { accountId: sub, claims: async () => ({ sub, ...people.get(sub) }) } : undefined,
  })
  http.on('request', provider.callback())
  return {
    issuer,
    http,
    people,
    close() {
      http.closeAllConnections()
      http.close()
    },
  }
}

/** Cookies of a browser at the provider. */
export type Jar = Map<string, string>

async function visit(jar: Jar, url: string, body?: string): Promise<Response> {
  const answer = await fetch(url, {
    redirect: 'manual',
    headers: {
      cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; '),
      ...(body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
    },
    ...(body === undefined ? {} : { method: 'POST', body }),
  })
  for (const one of answer.headers.getSetCookie()) {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(one) ?? []
    jar.set(name, value)
  }
  return answer
}

/** Goes through the provider's pages as a browser would, as `login`; the query that it is sent back with. */
export async function through(start: string, login: string, jar: Jar = new Map()): Promise<string> {
  let asked: { url: string; body?: string } = { url: start }
  for (let step = 0; step < 20; step++) {
    const answer = await visit(jar, asked.url, asked.body)
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

/** Signs a browser out at the provider itself, on its page. */
export async function signOutAt({ issuer }: OidcProvider, jar: Jar): Promise<void> {
  const page = await (await visit(jar, `${issuer}/session/end`)).text()
  const action = /<form[^>]* action="([^"]+)"/.exec(page)?.[1] ?? ''
  const xsrf = /name="xsrf" value="([^"]+)"/.exec(page)?.[1] ?? ''
  const form = new URLSearchParams({ xsrf, logout: 'yes' }).toString()
  const answer = await visit(jar, new URL(action, issuer).href, form)
  if (answer.status >= 400) throw new Error(`The provider shows ${answer.status} ${await answer.text()}`)
}
