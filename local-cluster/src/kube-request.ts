import { Agent, request } from 'node:https'
import { LocalClusterError } from './local-cluster-error.ts'

/** A client certificate's way to one HTTPS server. */
export interface Endpoint {
  url: string
  /** PEM. */
  authority: string
  certificate: string
  key: string
}

/** Sends single requests to an API server or etcd; just enough for bringing a cluster up. */
export interface KubeRequest {
  /** Status and parsed body (text when it is not JSON). Rejects only when there is no answer. */
  send(method: string, path: string, body?: unknown, contentType?: string): Promise<{ status: number; body: unknown }>
  /** Server-side apply with force as field manager `quarterdeck-local-cluster`. Throws the server's message. */
  apply(object: KubeObject): Promise<void>
  close(): void
}

/** Anything that can be applied. */
export interface KubeObject {
  apiVersion: string
  kind: string
  metadata: { name: string; namespace?: string; [field: string]: unknown }
  [field: string]: unknown
}

const ANSWER_WITHIN_MILLISECONDS = 10_000

/** Opens a client; connections are kept until `close`. */
export function kubeRequest(endpoint: Endpoint): KubeRequest {
  const agent = new Agent({
    ca: endpoint.authority,
    cert: endpoint.certificate,
    key: endpoint.key,
    keepAlive: true,
    minVersion: 'TLSv1.2',
  })
  const send: KubeRequest['send'] = (method, path, body, contentType = 'application/json') =>
    new Promise((resolve, reject) => {
      const payload = body === undefined ? undefined : JSON.stringify(body)
      const outgoing = request(
        `${endpoint.url}${path}`,
        {
          agent,
          method,
          timeout: ANSWER_WITHIN_MILLISECONDS,
          headers:
            payload === undefined ? {} : { 'content-type': contentType, 'content-length': Buffer.byteLength(payload) },
        },
        (incoming) => {
          incoming.toArray().then((chunks) => {
            resolve({ status: incoming.statusCode ?? 0, body: parsed(Buffer.concat(chunks).toString('utf8')) })
          }, reject)
        },
      )
      outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer within ${ANSWER_WITHIN_MILLISECONDS} ms`)))
      outgoing.on('error', reject)
      outgoing.end(payload)
    })
  return {
    send,
    async apply(object) {
      const path = `${pathOf(object)}?fieldManager=quarterdeck-local-cluster&force=true`
      const { status, body } = await send('PATCH', path, object, 'application/apply-patch+yaml')
      if (status >= 300) {
        throw new LocalClusterError(
          'ComponentNotReady',
          `${object.kind} ${object.metadata.name} could not be applied: ${(body as { message?: string })?.message ?? status}`,
          'Start again; what runs already is kept.',
        )
      }
    },
    close: () => agent.destroy(),
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** REST path of an object; its kind's plural is the regular one. */
export function pathOf({ apiVersion, kind, metadata }: KubeObject): string {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
  const lower = kind.toLowerCase()
  const plural = lower.endsWith('s') ? `${lower}es` : lower.endsWith('y') ? `${lower.slice(0, -1)}ies` : `${lower}s`
  const namespace = metadata.namespace ? `/namespaces/${metadata.namespace}` : ''
  return `${root}${namespace}/${plural}/${metadata.name}`
}
