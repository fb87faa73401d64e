import type { FastifyReply, FastifyRequest } from 'fastify'

/** True when the user reached us over TLS, directly or through the proxy that QUARTERDECK_URL names. */
export const isSecure = (request: FastifyRequest, publicUrl: URL | undefined): boolean =>
  request.protocol === 'https' ||
  (publicUrl?.protocol === 'https:' && request.headers.host?.toLowerCase() === publicUrl.host)

/**
 * `__Host-` binds a cookie to this origin but needs TLS. Without it the name carries the port, since cookies do not
 * know ports and two servers on one machine would overwrite each other's.
 */
const wireName = (name: string, request: FastifyRequest, secure: boolean) =>
  secure ? `__Host-${name}` : `${name}-${/:(\d+)$/.exec(request.headers.host ?? '')?.[1] ?? '80'}`

/** The value the browser sent for `name`. */
export function readCookie(request: FastifyRequest, name: string, publicUrl: URL | undefined): string | undefined {
  return request.cookies[wireName(name, request, isSecure(request, publicUrl))]
}

/** HttpOnly, SameSite=Strict, whole host; `maxAgeSeconds` 0 removes it. */
export function writeCookie(
  request: FastifyRequest,
  reply: FastifyReply,
  { name, value, maxAgeSeconds }: { name: string; value: string; maxAgeSeconds: number },
  publicUrl: URL | undefined,
): void {
  const secure = isSecure(request, publicUrl)
  void reply.setCookie(wireName(name, request, secure), value, {
    path: '/',
    httpOnly: true,
    sameSite: 'strict',
    secure,
    maxAge: maxAgeSeconds,
  })
}
