/**
 * `fetch` that keeps the cookies of one server and says that it comes from there, as a page of it would; for signing
 * in outside a browser.
 */
export function fetchWithCookies(baseUrl: string, fetch: typeof globalThis.fetch = globalThis.fetch): typeof fetch {
  const jar = new Map<string, string>()
  const { origin } = new URL(baseUrl)
  return async (input, init) => {
    const headers = new Headers(init?.headers)
    headers.set('origin', origin)
    if (jar.size > 0) headers.set('cookie', [...jar].map(([name, value]) => `${name}=${value}`).join('; '))
    const response = await fetch(input, { ...init, headers })
    for (const cookie of response.headers.getSetCookie()) {
      const [pair = ''] = cookie.split(';')
      const equals = pair.indexOf('=')
      jar.set(pair.slice(0, equals), pair.slice(equals + 1))
    }
    return response
  }
}
