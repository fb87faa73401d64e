import type { AnyEndpoint } from '@quarterdeck/kernel'

/** What an act passes to its endpoint, as the console sends it; `query` without dryRun and planHash. */
export interface ActInput {
  params: Record<string, string>
  query?: Record<string, string | number | boolean | undefined>
  body?: unknown
}

/** A word for a POSIX shell: as it is where that is safe, else in single quotes. */
export const shellWord = (text: string): string =>
  /^[A-Za-z0-9_.,:/@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`

const asText = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value))

/** The query of an act, without members that are absent or false. */
function queryText(query: ActInput['query'] = {}): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== false && value !== '') search.set(name, String(value))
  }
  const text = search.toString()
  return text === '' ? '' : `?${text}`
}

/** The act as one `curl`, to be pasted into a shell whose QUARTERDECK_TOKEN holds a token. `server` is an origin. */
export function asCurl(server: string, endpoint: AnyEndpoint, { params, query, body }: ActInput): string {
  const path = endpoint.path.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name] ?? ''))
  const lines = [
    `curl -sS --fail-with-body -X ${endpoint.method} ${shellWord(`${server}/api/v1${path}${queryText(query)}`)}`,
    // Double quotes: the shell has to put the token in.
    `-H "Authorization: Bearer $QUARTERDECK_TOKEN"`,
  ]
  if (body !== undefined) {
    lines.push(`-H 'Content-Type: application/json'`, `-d ${shellWord(JSON.stringify(body))}`)
  }
  return lines.join(' \\\n  ')
}

type Body = Record<string, unknown>
const flag = (name: string, value: unknown) =>
  value === undefined || value === '' || value === false
    ? []
    : [`--${name}`, ...(value === true ? [] : [asText(value)])]
/** Names of what was chosen, and where it is. */
const chosen = ({ cluster = '' }: ActInput['params'], objects: unknown, namespace?: unknown): string[] => [
  ...(objects as { name: string }[]).map(({ name }) => name),
  ...flag('namespace', namespace),
  ...flag('cluster', cluster),
]
const NAMED = { image: 'image', replicas: 'replicas', create: 'create' } as const

/** `qd app deploy`: by flags where they say everything, else with the whole specification on standard input. */
function deploy(params: Record<string, string>, body: Body, extra: string[]): string {
  const place = ['--name', params.application ?? '', '--env', params.environment ?? '']
  const plain = Object.keys(body).every((key) => key in NAMED)
  if (plain) {
    return words(
      'qd',
      'app',
      'deploy',
      asText(body.image),
      ...place,
      ...flag('replicas', body.replicas),
      ...flag('create', body.create),
      ...extra,
    )
  }
  const { create, ...spec } = body
  const command = words('qd', 'app', 'deploy', '-f', '-', ...place, ...flag('create', create), ...extra)
  return heredoc(command, JSON.stringify(spec, null, 2))
}

/** Text on standard input; the word that ends it is one that no line of it is. */
function heredoc(command: string, text: string): string {
  let end = 'EOF'
  while (text.split('\n').includes(end)) end += '_'
  return `${command} <<'${end}'\n${text.replace(/\n$/, '')}\n${end}`
}

const words = (...all: string[]): string => all.map(shellWord).join(' ')

/** Whole days from now until an instant; undefined when there is none. */
const daysUntil = (time: unknown): number | undefined =>
  typeof time === 'string' ? Math.max(1, Math.round((Date.parse(time) - Date.now()) / 86_400_000)) : undefined

type Command = (params: Record<string, string>, body: Body, extra: string[]) => string
const inEnvironment = (params: Record<string, string>) => ['--env', params.environment ?? '']
const COMMANDS: Record<string, Command> = {
  'application.deploy': deploy,
  'application.scale': (params, body, extra) =>
    words(
      'qd',
      'app',
      'scale',
      params.application ?? '',
      ...flag('replicas', body.replicas),
      ...inEnvironment(params),
      ...extra,
    ),
  'application.set-image': (params, body, extra) =>
    words('qd', 'app', 'set-image', params.application ?? '', asText(body.image), ...inEnvironment(params), ...extra),
  'application.restart': (params, _, extra) =>
    words('qd', 'app', 'restart', params.application ?? '', ...inEnvironment(params), ...extra),
  'pod.restart': (params, _, extra) =>
    words(
      'qd',
      'app',
      'restart',
      params.application ?? '',
      '--pod',
      params.pod ?? '',
      ...inEnvironment(params),
      ...extra,
    ),
  'application.delete': (params, _, extra) =>
    words('qd', 'app', 'delete', params.application ?? '', ...inEnvironment(params), '--yes', ...extra),
  'manifest.apply': (params, body, extra) =>
    heredoc(
      words('qd', 'app', 'apply', '-f', '-', '--name', params.application ?? '', ...inEnvironment(params), ...extra),
      asText(body.yaml ?? ''),
    ),
  'cluster.register': (params, body, extra) =>
    heredoc(
      words(
        'qd',
        'cluster',
        'add',
        params.cluster ?? '',
        ...flag('context', body.context),
        ...flag('title', body.title),
        ...extra,
      ),
      asText(body.kubeconfig ?? ''),
    ),
  'cluster.remove': (params) => words('qd', 'cluster', 'remove', params.cluster ?? '', '--yes'),
  'token.create': (_, body) =>
    words('qd', 'token', 'create', asText(body.name ?? ''), ...flag('days', daysUntil(body.expireTime))),
  'token.delete': (params) => words('qd', 'token', 'delete', params.token ?? '', '--yes'),
  'node.cordon': (params, body, extra) => words('qd', 'cordon', ...chosen(params, body.nodes), ...extra),
  'node.uncordon': (params, body, extra) => words('qd', 'uncordon', ...chosen(params, body.nodes), ...extra),
  'node.drain': (params, body, extra) =>
    words('qd', 'drain', ...chosen(params, body.nodes), ...flag('lost', body.lost), '--yes', ...extra),
  'pod.evict': (params, body, extra) =>
    words('qd', 'evict', ...chosen(params, body.pods, body.namespace), ...flag('lost', body.lost), '--yes', ...extra),
  'operation.undo': (params, _, extra) => words('qd', 'operation', 'undo', params.operation ?? '', ...extra),
  'environment.create': (params, body, extra) =>
    words(
      'qd',
      'env',
      'create',
      params.environment ?? '',
      ...flag('cluster', body.cluster),
      ...flag('stage', body.stage),
      ...flag('namespace', body.namespace),
      ...environmentFlags(body),
      ...extra,
    ),
  'environment.update': (params, body, extra) =>
    words(
      'qd',
      'env',
      'update',
      params.environment ?? '',
      ...flag('stage', body.stage),
      ...environmentFlags(body),
      ...extra,
    ),
  'tenant.create': (_, body) => words('qd', 'tenant', 'create', asText(body.name ?? ''), ...tenantFlags(body)),
  'tenant.update': (params, body) => words('qd', 'tenant', 'update', params.tenant ?? '', ...tenantFlags(body)),
  'tenant.delete': (params) => words('qd', 'tenant', 'delete', params.tenant ?? '', '--yes'),
  'project.create': (_, body) =>
    words('qd', 'project', 'create', asText(body.name ?? ''), ...flag('tenant', body.tenant), ...placeFlags(body)),
  'project.update': (params, body) => words('qd', 'project', 'update', params.project ?? '', ...placeFlags(body)),
  'project.delete': (params) => words('qd', 'project', 'delete', params.project ?? '', '--yes'),
  'role.create': (_, body) => words('qd', 'role', 'create', asText(body.name ?? ''), ...roleFlags(body)),
  'role.update': (params, body) => words('qd', 'role', 'update', params.role ?? '', ...roleFlags(body)),
  'role.delete': (params) => words('qd', 'role', 'delete', params.role ?? '', '--yes'),
  'grant.create': (_, body) =>
    words(
      'qd',
      'grant',
      'give',
      asText(body.role ?? ''),
      ...flag('user', body.user),
      ...flag('group', body.group),
      ...whereFlags(body),
      ...flag('until', body.expireTime),
      ...flag('reason', body.reason),
    ),
  'grant.delete': (params) => words('qd', 'grant', 'take', params.grant ?? '', '--yes'),
  'grant-request.create': (_, body) =>
    words(
      'qd',
      'request',
      'create',
      ...flag('permission', body.permission),
      ...whereFlags(body),
      ...flag('hours', Number(body.durationSeconds) / 3_600),
      ...flag('reason', body.reason),
    ),
  'environment.delete': (params, _, extra) => words('qd', 'env', 'delete', params.environment ?? '', '--yes', ...extra),
}

/** `cpu=1,memory=2Gi`, of what is within with its path: `most.cpu=1`. */
function pairs(value: object, path = ''): string[] {
  return Object.entries(value).flatMap(([name, one]: [string, unknown]) => {
    if (one === undefined) return []
    return typeof one === 'object' && one !== null ? pairs(one, `${path}${name}.`) : [`${path}${name}=${one}`]
  })
}

const amounts = (name: string, value: unknown) =>
  typeof value === 'object' && value !== null ? flag(name, pairs(value).join(',') || 'none') : []

const placeFlags = (body: Body) => [...flag('title', body.title), ...amounts('quota', body.quota)]

const tenantFlags = (body: Body) => [
  ...placeFlags(body),
  ...(Array.isArray(body.clusters) ? flag('clusters', body.clusters.join(',') || 'all') : []),
  ...flag('overcommit', body.overcommit),
]

const environmentFlags = (body: Body) => [
  ...flag('project', body.project),
  ...placeFlags(body),
  ...amounts('limits', body.limits),
  ...flag('isolation', body.isolation),
  ...flag('pod-security', body.podSecurity),
]

const roleFlags = (body: Body) => [
  ...flag('title', body.title),
  ...(Array.isArray(body.permissions) ? ['--permission', ...body.permissions.map(asText)] : []),
]

/** Where a grant counts. */
const whereFlags = (body: Body) => [
  ...flag('env', body.environment),
  ...flag('project', body.project),
  ...flag('tenant', body.tenant),
  ...flag('platform', body.platform),
]

/** The act as a `qd` command, or undefined where the command line has none for it. */
export function asQd(endpoint: Pick<AnyEndpoint, 'id'>, { params, query = {}, body }: ActInput): string | undefined {
  const extra = [...flag('reason', query.reason), ...flag('force', query.force)]
  return COMMANDS[endpoint.id]?.(params, (body ?? {}) as Body, extra)
}

/** The manifests of a plan as one stream of YAML documents; what is deleted is left out. */
export const asYaml = (changes: readonly { action: string; yaml: string }[]): string =>
  changes
    .filter((change) => change.action !== 'delete')
    .map((change) => change.yaml.trimEnd())
    .join('\n---\n')
