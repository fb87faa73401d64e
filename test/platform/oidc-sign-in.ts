import { type Client, createClient, fetchWithCookies } from '@quarterdeck/client'
import { createServer, type Server } from '@quarterdeck/http'
import type { AuditEntry } from '@quarterdeck/kernel'
import { type TestDatabase, testDatabase } from '@quarterdeck/testkit'
import { sql } from 'kysely'
import { askingAgain } from '../../features/tenancy/provider/ask-again.routes.ts'
import { backChannelRoutes } from '../../features/tenancy/provider/back-channel.routes.ts'
import { openOidcClients } from '../../features/tenancy/provider/oidc-client.routes.ts'
import { beginSignIn, createProvider, finishSignIn } from '../../features/tenancy/provider/provider.contract.ts'
import { providerRoutes } from '../../features/tenancy/provider/provider.routes.ts'
import { registrationsOf } from '../../features/tenancy/provider/registration.routes.ts'
import { signInRoutes } from '../../features/tenancy/provider/sign-in.routes.ts'
import { authenticator } from '../../features/tenancy/session/authenticate.routes.ts'
import { sessionRoutes } from '../../features/tenancy/session/session.routes.ts'
import {
  countProviderSessions,
  endProviderSessions,
  endSessions,
} from '../../features/tenancy/session/session.store.ts'
import { type Jar, OIDC_CLIENT, OIDC_SECRET, through } from './oidc-provider.ts'

const url = 'http://localhost'
const sealer = {
  seal: (text: string, owner: string) => `${owner}|${text}`,
  open: (text: string, owner: string) => {
    if (!text.startsWith(`${owner}|`)) throw new Error('sealed for another')
    return text.slice(owner.length + 1)
  },
}

/** What signing in by OIDC takes, on a database of its own, with the ways that a test goes. */
export async function oidcSignIn() {
  const database: TestDatabase = await testDatabase()
  const { db } = database
  let server: Server
  let admin: Client
  let askAgain: (provider: string) => Promise<number | undefined>
  const recorded: AuditEntry[] = []
  /** Milliseconds that the clock of sessions and providers is ahead. */
  const clock = { aheadMs: 0 }
  let meanwhile = async () => undefined as undefined
  const now = () => new Date(Date.now() + clock.aheadMs).toISOString()

  /** Empty, with an administrator. */
  async function reset(): Promise<void> {
    await database.reset()
    recorded.length = 0
    clock.aheadMs = 0
    meanwhile = async () => undefined
    server = await createServer({
      logLevel: 'silent',
      async authenticate(credential, options) {
        if (credential.token === 'admin') return { name: 'admin', kind: 'user', permissions: ['*'] }
        return authenticator({ db, now })(credential, options)
      },
    })
    const record = async (_: unknown, entry: AuditEntry) => void recorded.push(entry)
    const signIns = sessionRoutes(server, { db, record, now })
    const registrations = registrationsOf(db, sealer, () => url)
    const clients = openOidcClients()
    const [changed, revoked] = [async () => undefined, () => undefined]
    const options = { db, registrations, clients, record, sealer, endSessions, changed, revoked, now }
    signInRoutes(server, {
      ...options,
      baseUrl: () => url,
      changed: () => meanwhile(),
      signIn: signIns.signIn,
    })
    backChannelRoutes(server, options)
    askAgain = askingAgain(options)
    const sessions = { count: () => countProviderSessions(db, now()), end: endProviderSessions }
    providerRoutes(server, { ...options, baseUrl: () => url, sessions, sync: async () => '' })
    admin = createClient({ baseUrl: url, fetch: server.fetch, token: 'admin' })
  }

  const settingsOf = (issuer: string, some: object = {}) => ({
    kind: 'oidc' as const,
    issuer,
    clientId: OIDC_CLIENT,
    scopes: ['openid', 'profile', 'email', 'groups'],
    groupsClaim: 'groups',
    ...some,
  })
  const startOf = async (client: Client, provider: string, next = '/'): Promise<string> =>
    (await client(beginSignIn, { params: { provider }, body: { next } })).url
  const browser = () => createClient({ baseUrl: url, fetch: fetchWithCookies(url, server.fetch) })
  async function begin(
    client: Client,
    provider: string,
    login: string,
    { next = '/', jar }: { next?: string; jar?: Jar } = {},
  ) {
    return through(await startOf(client, provider, next), login, jar)
  }
  const finish = (client: Client, provider: string, query: string) =>
    client(finishSignIn, { params: { provider }, body: { query } })
  return {
    url,
    db,
    recorded,
    clock,
    reset,
    settingsOf,
    browser,
    startOf,
    begin,
    finish,
    get server() {
      return server
    },
    get admin() {
      return admin
    },
    askAgain: (provider: string) => askAgain(provider),
    /** Does something when the next one has been recognised and has no session yet. */
    whileSigningIn(act: () => Promise<void>): Promise<void> {
      return new Promise((resolve, reject) => {
        meanwhile = async () => {
          meanwhile = async () => undefined
          await act().then(resolve, reject)
        }
      })
    },
    connect: (name: string, issuer: string, some: object = {}) =>
      admin(createProvider, {
        body: { name, title: `Provider ${name}`, settings: settingsOf(issuer, some), secret: OIDC_SECRET },
      }),
    /** The whole way, in a browser of its own. */
    async signIn(provider: string, login: string, options: { next?: string; jar?: Jar } = {}) {
      const client = browser()
      const signedIn = await finish(client, provider, await begin(client, provider, login, options))
      return { client, signedIn }
    },
    /** A user's groups, each as `name of provider`. */
    async groupsOf(name: string): Promise<string[]> {
      const { rows } = await sql<{ name: string; source: string }>`select g.name, g.source from user_group g
        join user_group_member m on m."group" = g.id join account a on a.id = m.account
        where a.name = ${name} order by 1`.execute(db)
      return rows.map((row) => `${row.name} of ${row.source}`)
    },
    close: () => database.close(),
  }
}
