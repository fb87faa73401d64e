import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, type JWK, SignJWT, type SignOptions } from 'jose'
import { browserOf, finish, leave, register, startOf } from './identity-provider.ts'
import type { Target } from './target.ts'

export type Claims = Record<string, unknown>

/** An OIDC provider that says whatever an attack wants it to say. */
export interface ForgingProvider {
  issuer: string
  /** What it would say honestly, signed. */
  signed(claims: Claims, header?: Claims, options?: SignOptions): Promise<string>
  /** Its public key. */
  key: JWK
  /** Paths asked for beside its own. */
  strange: string[]
  /** One sign-in, with the ID token that `forge` makes of the honest claims. */
  signIn(forge: (claims: Claims) => Promise<string> | string): ReturnType<typeof finish>
  close(): Promise<void>
}

export async function forgingProvider(target: Target, name: string): Promise<ForgingProvider> {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true })
  const key: JWK = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' }
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
    issuer,
    key,
    strange,
    signed: (claims, header = {}, options = {}) =>
      new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'k1', ...header }).sign(privateKey, options),
    async signIn(forge) {
      const client = browserOf(target)
      const { searchParams } = new URL(await startOf(client, name))
      const seconds = Math.floor(Date.now() / 1_000)
      idToken = await forge({
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
