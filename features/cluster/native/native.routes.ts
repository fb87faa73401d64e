import { randomUUID } from 'node:crypto'
import { bindProxy, type ProxyRequest, type Server } from '@quarterdeck/http'
import {
  type AnyEndpoint,
  type AuditEntry,
  type Permission,
  type Problem,
  permissionMissing,
  type Subject,
} from '@quarterdeck/kernel'
import { type Cluster, type NativeAnswer, type NativeRequest, nativePath } from '@quarterdeck/kube'
import { createNative, deleteNative, patchNative, readNative, replaceNative } from './native.contract.ts'
import { type Asked, actText, askedFor, isOpened, isRecorded, permissionsFor } from './native.rules.ts'

/** One line of the audit trail. `operation` is the same for the intent and the end of one request. */
export type NativeAuditEvent = AuditEntry & { operation: string }

/** A namespace of a cluster; empty: the cluster as a whole. */
interface Place {
  cluster: string
  namespace: string
}

export interface NativeRoutesOptions {
  /** Throws when a subject may not use a cluster this way at all. */
  admit(subject: Subject, cluster: string): void
  /** The cluster as the subject. Throws notFound for one that is not registered, clusterForbidden when it lets nobody through. */
  clusterAs(subject: Subject, cluster: string): Promise<Cluster>
  /** Permissions that count at a place: what the credential carries of what its owner has been granted. */
  permissionsAt(subject: Subject, place: Place): Iterable<string>
  /** Calls back once a permission that counts at a place now counts no longer. Ends with what it answers. */
  onLoss(subject: Subject, place: Place, lost: () => void): () => void
  /** The problem that asks for a one-time password, where a rule wants one for this permission at this place. */
  stepUp(subject: Subject, endpoint: AnyEndpoint, place: Place, permission: Permission): Problem | undefined
  /** The environment that a place is. */
  environmentAt(place: Place): string | undefined
  /** Resolves when it is written; what it rejects with stops the request. */
  audit(event: NativeAuditEvent): Promise<unknown>
}

type Native = ProxyRequest<{ cluster: string; path: string }>

/** The Kubernetes API of each cluster as it is, to each as themselves: the API server judges what they may. */
export function nativeRoutes(server: Server, options: NativeRoutesOptions): void {
  const { clusterAs } = options
  const endpoints = [readNative, createNative, replaceNative, patchNative, deleteNative]
  bindProxy<Native['params']>(server, endpoints, {
    async request(native) {
      const path = nativePath(native.path)
      const asked = checked(options, native, path)
      const cluster = await clusterAs(native.subject, native.params.cluster)
      const { query, accept, contentType, body } = native
      const method = native.method as NativeRequest['method']
      const { signal, end } = untilLost(options, native, asked)
      return audited(options, native, { path, asked }, async () => {
        const answer = await cluster
          .native({ method, path, query, accept, contentType, body, signal })
          .catch((error: unknown) => {
            end()
            throw error
          })
        answer.body.once('close', end)
        return answer.status === 403 ? advised(options, native, asked, answer) : answer
      })
    },
    async socket(native) {
      const path = nativePath(native.path)
      const asked = checked(options, native, path)
      const cluster = await clusterAs(native.subject, native.params.cluster)
      const { query, protocol } = native
      const { signal, end } = untilLost(options, native, asked)
      const open = async () => {
        const socket = await cluster.nativeSocket({ path, query, protocol, signal }).catch((error: unknown) => {
          end()
          throw error
        })
        socket.onClose(end)
        return { status: 101, socket }
      }
      return (await audited(options, native, { path, asked }, open)).socket
    },
    async tunnel(native) {
      const path = nativePath(native.path)
      const asked = checked(options, native, path)
      const cluster = await clusterAs(native.subject, native.params.cluster)
      const { query, upgrade } = native
      const method = native.method as 'GET' | 'POST'
      const { signal, end } = untilLost(options, native, asked)
      const open = async () => {
        const tunnel = await cluster.nativeTunnel({ method, path, query, upgrade, signal }).catch((error: unknown) => {
          end()
          throw error
        })
        const cut = () => tunnel.stream.destroy()
        signal.addEventListener('abort', cut, { once: true })
        tunnel.stream.once('close', () => {
          signal.removeEventListener('abort', cut)
          end()
        })
        return { status: 101, tunnel }
      }
      return (await audited(options, native, { path, asked }, open)).tunnel
    },
  })
}

/**
 * What is asked for. The API server knows whose a request is, but not that a token carries less than its owner may, so
 * that is judged here.
 */
function checked(
  { admit, permissionsAt, stepUp }: NativeRoutesOptions,
  { method, query, params, subject }: Native,
  path: string,
) {
  admit(subject, params.cluster)
  const asked = askedFor(method, path, query)
  const isLimited = subject.within !== undefined || !subject.permissions.includes('*')
  const place = placeOf(params.cluster, asked)
  if (isLimited && !isOpened(asked, method, permissionsAt(subject, place))) {
    throw permissionMissing({
      permission: 'cluster.native',
      detail: `This token does not reach ${actText(method, path, '')}. Use one that carries more, or none of its own limits.`,
    })
  }
  // Of the endpoint only what it changes counts here: a look, or anything else.
  const endpoint = method === 'GET' ? readNative : patchNative
  for (const permission of permissionsFor(asked)) {
    const problem = stepUp(subject, endpoint, place, permission)
    if (problem) throw problem
  }
  return asked
}

/** The API server knows verbs and kinds; what is granted are permissions. kubectl and helm print warnings. */
function advised(
  { permissionsAt, environmentAt }: NativeRoutesOptions,
  { params, subject }: Native,
  asked: Asked | undefined,
  answer: NativeAnswer,
): NativeAnswer {
  const place = placeOf(params.cluster, asked)
  const held = new Set(permissionsAt(subject, place))
  const opening = permissionsFor(asked)
  if (held.has('*') || opening.length === 0 || opening.some((permission) => held.has(permission))) return answer
  const environment = environmentAt(place)
  const [where, option] =
    environment === undefined
      ? ['for the whole platform', '']
      : [`in environment ${environment}`, ` --env ${environment}`]
  const [first] = opening
  const advice = `299 - "Quarterdeck: this takes the permission ${opening.join(' or ')} ${where}. Ask for it: qd request create --permission ${first}${option}"`
  return { ...answer, headers: { ...answer.headers, warning: advice } }
}

const placeOf = (cluster: string, asked: Asked | undefined): Place => ({ cluster, namespace: asked?.namespace ?? '' })

/** A watch or shell is judged by the API server when it begins; it ends here when what let it begin is taken back. */
function untilLost({ onLoss }: NativeRoutesOptions, { subject, params, signal }: Native, asked: Asked | undefined) {
  const lost = new AbortController()
  const end = onLoss(subject, placeOf(params.cluster, asked), () =>
    lost.abort(
      permissionMissing({ permission: 'cluster.native', detail: 'What you may do here has changed. Ask again.' }),
    ),
  )
  return { signal: AbortSignal.any([signal, lost.signal]), end }
}

/** What changes something or reads what is secret is written down before it is sent, and how it ended afterwards. */
async function audited<Answer extends { status: number }>(
  { audit, environmentAt }: NativeRoutesOptions,
  { method, query, params, subject }: Native,
  { path, asked }: { path: string; asked: Asked | undefined },
  send: () => Promise<Answer>,
): Promise<Answer> {
  if (!isRecorded(method, path, asked)) return send()
  const event = {
    operation: randomUUID(),
    actor: subject.name,
    act: `native.${method.toLowerCase()}`,
    what: `${params.cluster}//native`,
    environment: environmentAt(placeOf(params.cluster, asked)),
  }
  const act = actText(method, path, query)
  await audit({ ...event, outcome: 'intent', detail: act })
  try {
    const answer = await send()
    await audit({ ...event, outcome: answer.status < 400 ? 'succeeded' : 'failed', detail: `${act}: ${answer.status}` })
    return answer
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error)
    await audit({ ...event, outcome: 'failed', detail: `${act}: ${said}`.slice(0, 2_000) })
    throw error
  }
}
