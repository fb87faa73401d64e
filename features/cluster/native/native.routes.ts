import { randomUUID } from 'node:crypto'
import { bindProxy, type ProxyRequest, type Server } from '@quarterdeck/http'
import { type Cluster, type NativeRequest, nativePath } from '@quarterdeck/kube'
import { createNative, deleteNative, patchNative, readNative, replaceNative } from './native.contract.ts'
import { actText, mayChange } from './native.rules.ts'

/** One line of the audit trail. `operation` is the same for the intent and the end of one request. */
export interface NativeAuditEvent {
  operation: string
  actor: string
  act: string
  what: string
  outcome: 'intent' | 'succeeded' | 'failed'
  detail: string
}

export interface NativeRoutesOptions {
  /** Throws notFound for a cluster that is not registered. */
  clusterOf: (name: string) => Promise<Cluster>
  /** Resolves when it is written; what it rejects with stops the request. */
  audit: (event: NativeAuditEvent) => Promise<unknown>
}

type Asked = ProxyRequest<{ cluster: string; path: string }>

/** The Kubernetes API of each cluster, as it is, for whoever has cluster.native. */
export function nativeRoutes(server: Server, { clusterOf, audit }: NativeRoutesOptions): void {
  const endpoints = [readNative, createNative, replaceNative, patchNative, deleteNative]
  bindProxy<Asked['params']>(server, endpoints, {
    async request(asked) {
      const path = nativePath(asked.path)
      const cluster = await clusterOf(asked.params.cluster)
      const { query, accept, contentType, body, signal } = asked
      const method = asked.method as NativeRequest['method']
      return audited(audit, asked, path, () =>
        cluster.native({ method, path, query, accept, contentType, body, signal }),
      )
    },
    async socket(asked) {
      const path = nativePath(asked.path)
      const cluster = await clusterOf(asked.params.cluster)
      const { query, protocol, signal } = asked
      const open = async () => ({ status: 101, socket: await cluster.nativeSocket({ path, query, protocol, signal }) })
      return (await audited(audit, asked, path, open)).socket
    },
  })
}

/** What may change something is written down before it is sent, and how it ended afterwards. */
async function audited<Answer extends { status: number }>(
  audit: NativeRoutesOptions['audit'],
  { method, query, params, subject, client }: Asked,
  path: string,
  send: () => Promise<Answer>,
): Promise<Answer> {
  if (!mayChange(method, path)) return send()
  const event = {
    operation: randomUUID(),
    actor: subject.name,
    act: `native.${method.toLowerCase()}`,
    what: `${params.cluster}//native`,
  }
  const act = actText(method, path, query)
  await audit({ ...event, outcome: 'intent', detail: `${act} (${client})` })
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
