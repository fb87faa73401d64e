import { clusterForbidden, clusterUnreachable, endpoint, Name } from '@quarterdeck/kernel'
import { z } from 'zod'

const params = z.object({
  cluster: Name,
  path: z
    .string()
    .max(4_000)
    .describe('Path below the API server with its slashes: api/v1/namespaces/dev/pods; the query is passed on, too'),
})

const native = (id: string, method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', summary: string) =>
  endpoint({
    id,
    method,
    path: '/clusters/:cluster/kubernetes/:path',
    permission: 'cluster.native',
    reach: 'anywhere',
    summary,
    params,
    response: z.unknown().describe("The API server's own answer"),
    transport: 'proxy',
    problems: [clusterForbidden, clusterUnreachable],
  })

export const readNative = native(
  'native.read',
  'GET',
  'Kubernetes API of a cluster: get, list, watch, logs; upgraded to a WebSocket or SPDY exec, attach and port-forward',
)
export const createNative = native('native.create', 'POST', 'Kubernetes API of a cluster: create')
export const replaceNative = native('native.replace', 'PUT', 'Kubernetes API of a cluster: replace')
export const patchNative = native('native.patch', 'PATCH', 'Kubernetes API of a cluster: patch and apply')
export const deleteNative = native('native.delete', 'DELETE', 'Kubernetes API of a cluster: delete')
