import {
  type KnownPermission,
  knownPermissions,
  type NativeResource,
  nativeRules,
  opens,
} from '../../tenancy/role/permission.contract.ts'

const CONNECTS = new Set(['exec', 'attach', 'portforward', 'proxy'])

/** True for what may change something: every method but GET, and what opens a way into a container, node or Service. */
export function mayChange(method: string, path: string): boolean {
  return method !== 'GET' || path.split('/').some((segment) => CONNECTS.has(segment))
}

/** One line for the audit trail: `DELETE /api/v1/namespaces/dev/pods/shop-1`. */
export const actText = (method: string, path: string, query: string): string =>
  `${method} ${path}${query ? `?${query}` : ''}`.slice(0, 1_000)

/** What a request asks for, as the API server reads it. */
export interface Asked extends NativeResource {
  verb: string
  /** Empty: of the whole cluster. */
  namespace: string
}

const VERBS: Record<string, string> = { POST: 'create', PUT: 'update', PATCH: 'patch' }
/** Below a namespace itself and not within it. */
const OF_A_NAMESPACE = new Set(['status', 'finalize'])

/** Undefined for what is no resource: lists of kinds, the version, health. */
export function askedFor(method: string, path: string, query: string): Asked | undefined {
  const [root, ...rest] = path
    .replace(/^\/|\/$/g, '')
    .split('/')
    .map(decodeURIComponent)
  const [group, parts] = root === 'api' ? ['', rest.slice(1)] : root === 'apis' ? [rest[0] ?? '', rest.slice(2)] : []
  if (group === undefined || !parts || parts.length === 0) return undefined
  const inside = parts[0] === 'namespaces' && parts.length > 2 && !OF_A_NAMESPACE.has(parts[2] ?? '')
  const namespace = parts[0] === 'namespaces' ? (parts[1] ?? '') : ''
  const [kind = '', name, below] = inside ? parts.slice(2) : parts
  const resource = below === undefined ? kind : `${kind}/${below}`
  return { group, resource, namespace, verb: verbOf(method, name, query) }
}

function verbOf(method: string, name: string | undefined, query: string): string {
  if (method === 'DELETE') return name === undefined ? 'deletecollection' : 'delete'
  if (method !== 'GET') return VERBS[method] ?? method.toLowerCase()
  if (/(^|&)watch=(1|t|true)(&|$)/i.test(query)) return 'watch'
  return name === undefined ? 'list' : 'get'
}

/** `kubectl auth can-i` and `whoami`: created, and nothing is kept. */
const asksOfOneself = (asked: Asked | undefined): boolean =>
  asked?.verb === 'create' &&
  /^auth(entic|oriz)ation\.k8s\.io$/.test(asked.group) &&
  asked.resource.startsWith('selfsubject')

/** Whether the audit trail tells of it: what may change something, and what reads values of Secrets or logs. */
export const isRecorded = (method: string, path: string, asked: Asked | undefined): boolean =>
  (mayChange(method, path) && !asksOfOneself(asked)) ||
  (asked?.group === '' && (asked.resource === 'secrets' || asked.resource === 'pods/log'))

/** Whether some of these permissions opens it. What is no resource may be read by everybody who is let in. */
export function isOpened(asked: Asked | undefined, method: string, permissions: Iterable<string>): boolean {
  if (!asked) return method === 'GET'
  return nativeRules(permissions).some((rule) => opens(rule, asked, asked.verb))
}

/** The permissions of which any would open it natively. */
export const permissionsFor = (asked: Asked | undefined): KnownPermission[] =>
  asked ? knownPermissions.filter((one) => nativeRules([one]).some((rule) => opens(rule, asked, asked.verb))) : []
