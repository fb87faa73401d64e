import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'
import { OIDC_CLIENT } from './oidc-provider.ts'

/** A provider that says what a test wants it to say. */
export async function oidcAdversary() {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true })
  const said = {
    nonce: '',
    keyRequests: 0,
    delayMs: 0,
    jwksStatus: 200,
    kid: 'k1',
    idToken: undefined as undefined | ((claims: Record<string, unknown>) => Promise<string>),
  }
  let keys: JWK[] = [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' }]
  const http = createServer(async (request: IncomingMessage, response) => {
    if (said.delayMs > 0) await new Promise((done) => setTimeout(done, said.delayMs))
    const json = (body: unknown, status = 200) => {
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(JSON.stringify(body))
    }
    if (request.url?.startsWith('/.well-known/')) {
      return json({
        issuer,
        authorization_endpoint: `${issuer}/auth`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/jwks`,
        id_token_signing_alg_values_supported: ['RS256'],
      })
    }
    if (request.url === '/jwks') {
      said.keyRequests++
      return json({ keys }, said.jwksStatus)
    }
    const seconds = Math.floor(Date.now() / 1_000)
    const claims = {
      iss: issuer,
      sub: 'p-1',
      aud: OIDC_CLIENT,
      nonce: said.nonce,
      iat: seconds,
      exp: seconds + 60,
      preferred_username: 'li',
    }
    return json({ access_token: 'x', token_type: 'bearer', id_token: await (said.idToken ?? signed)(claims) })
  })
  await new Promise<void>((listening) => http.listen(0, '127.0.0.1', listening))
  const issuer = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
  const signed = (claims: Record<string, unknown>) =>
    new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: said.kid }).sign(privateKey)
  return {
    said,
    signed,
    issuer,
    publicKey: keys[0],
    http,
    rotate(kid: string) {
      said.kid = kid
      keys = keys.map((key) => ({ ...key, kid }))
    },
    setKeys(next: JWK[]) {
      keys = next
    },
  }
}
