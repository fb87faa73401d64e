import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { browserOf, finish, leave, register, startOf } from './identity-provider.ts'
import type { Target } from './target.ts'

export type Claims = Record<string, unknown>

const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** RFC 7515 by itself, so that no library refuses to write what is to be refused. RS256 with a key, HS256 with a secret. */
export function token(header: Claims, claims: Claims, key: KeyObject | string): string {
  const said = `${base64({ alg: typeof key === 'string' ? 'HS256' : 'RS256', ...header })}.${base64(claims)}`
  const signature =
    typeof key === 'string' ? createHmac('sha256', key).update(said).digest() : sign('sha256', Buffer.from(said), key)
  return `${said}.${signature.toString('base64url')}`
}

export const keyPair = () => generateKeyPairSync('rsa', { modulusLength: 2048 })

/** An OIDC provider that says whatever an attack wants it to say. */
export interface ForgingProvider {
  name: string
  issuer: string
  /** What it would say honestly, signed. */
  signed(claims: Claims, header?: Claims): string
  /** Its public key. */
  key: object
  /** Paths asked for beside its own. */
  strange: string[]
  /** One sign-in, with the ID token that `forge` makes of the honest claims. */
  signIn(forge: (claims: Claims) => string): ReturnType<typeof finish>
  close(): Promise<void>
}

export async function forgingProvider(target: Target, name: string): Promise<ForgingProvider> {
  const { privateKey, publicKey } = keyPair()
  const key = { ...publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'RS256', use: 'sig' }
  const strange: string[] = []
  let idToken = ''
  const http = createServer((request: IncomingMessage, response) => {
    const path = request.url ?? ''
    const known: Record<string, unknown> = {
      '/.well-known/openid-configuration': {
        issuer,
        authorization_endpoint: `${issuer}/auth`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/jwks`,
        id_token_signing_alg_values_supported: ['RS256'],
      },
      '/jwks': { keys: [key] },
      '/token': { access_token: 'x', token_type: 'bearer', id_token: idToken },
    }
    if (!(path in known)) strange.push(path)
    response.writeHead(path in known ? 200 : 404, { 'content-type': 'application/json' })
    response.end(JSON.stringify(known[path] ?? {}))
  })
  await new Promise<void>((listening) => http.listen(0, '127.0.0.1', listening))
  const issuer = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
  await register(target.admin, name, issuer)
  return {
    name,
    issuer,
    key,
    strange,
    signed: (claims, header = {}) => token({ kid: 'k1', ...header }, claims, privateKey),
    async signIn(forge) {
      const client = browserOf(target)
      const { searchParams } = new URL(await startOf(client, name))
      const seconds = Math.floor(Date.now() / 1_000)
      idToken = forge({
        iss: issuer,
        sub: 'forged',
        aud: 'quarterdeck',
        nonce: searchParams.get('nonce') ?? '',
        iat: seconds,
        exp: seconds + 60,
        preferred_username: `${name}-forged`,
      })
      return finish(client, name, `code=x&state=${searchParams.get('state')}`)
    },
    close: () => leave(target.admin, name, http),
  }
}
