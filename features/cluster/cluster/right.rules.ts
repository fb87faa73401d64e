import type { KubeObject } from '@quarterdeck/kernel'
import type { ClusterDetail } from './cluster.contract.ts'

type Right = ClusterDetail['rights'][number]

interface Need {
  verb: string
  group?: string
  resource: string
  subresource?: string
  neededFor: string
}

/** What Quarterdeck does in a cluster, by what it is for. */
const NEEDS: readonly Need[] = [
  { verb: 'list', resource: 'nodes', neededFor: 'nodes and capacity' },
  { verb: 'list', resource: 'pods', neededFor: 'workloads' },
  { verb: 'watch', resource: 'pods', neededFor: 'live workloads' },
  { verb: 'list', resource: 'events', neededFor: 'events' },
  { verb: 'get', resource: 'pods', subresource: 'log', neededFor: 'logs' },
  { verb: 'create', resource: 'pods', subresource: 'exec', neededFor: 'terminals' },
  { verb: 'create', resource: 'namespaces', neededFor: 'environments' },
  { verb: 'create', resource: 'resourcequotas', neededFor: 'quotas of environments' },
  { verb: 'create', group: 'apps', resource: 'deployments', neededFor: 'deploying' },
  { verb: 'patch', group: 'apps', resource: 'deployments', neededFor: 'deploying' },
  { verb: 'delete', group: 'apps', resource: 'deployments', neededFor: 'deleting' },
  { verb: 'patch', resource: 'services', neededFor: 'addresses' },
  { verb: 'patch', resource: 'serviceaccounts', neededFor: 'kubectl, logs and shells of people' },
  {
    verb: 'create',
    resource: 'serviceaccounts',
    subresource: 'token',
    neededFor: 'kubectl, logs and shells of people',
  },
  ...['clusterroles', 'clusterrolebindings', 'rolebindings'].map((resource) => ({
    verb: 'create',
    group: 'rbac.authorization.k8s.io',
    resource,
    neededFor: 'grants at the cluster',
  })),
]

const actOf = ({ verb, resource, subresource }: Need) => `${verb} ${resource}${subresource ? `/${subresource}` : ''}`

/** Asks the API server about each right. Throws when it does not accept the credentials at all. */
export async function askRights(cluster: {
  create(object: KubeObject): Promise<{ object: KubeObject }>
}): Promise<Right[]> {
  return Promise.all(
    NEEDS.map(async (need) => {
      const { verb, group = '', resource, subresource = '' } = need
      const review = {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SelfSubjectAccessReview',
        metadata: {} as KubeObject['metadata'],
        spec: { resourceAttributes: { verb, group, resource, subresource } },
      }
      const { object } = await cluster.create(review)
      return { act: actOf(need), allowed: object.status?.allowed === true, neededFor: need.neededFor }
    }),
  )
}
