const CONNECTS = new Set(['exec', 'attach', 'portforward', 'proxy'])

/** True for what may change something: every method but GET, and what opens a way into a container, node or Service. */
export function mayChange(method: string, path: string): boolean {
  return method !== 'GET' || path.split('/').some((segment) => CONNECTS.has(segment))
}

/** One line for the audit trail: `DELETE /api/v1/namespaces/dev/pods/shop-1`. */
export const actText = (method: string, path: string, query: string): string =>
  `${method} ${path}${query ? `?${query}` : ''}`.slice(0, 1_000)
