import { formatBytes, formatCores, Quantity, quantityValue } from '@quarterdeck/kernel'
import { z } from 'zod'

/** An amount as Kubernetes writes it, without exponents, so that it always is a number that can be added up. */
export const Amount = Quantity.refine(
  (text) => /^\d{1,12}(\.\d{1,3})?(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$/.test(text),
  'An amount such as 250m, 0.5, 64Mi or 2Gi',
)
const amount = Amount.optional()
const pieces = z.int().min(0).max(1_000_000).optional()

/** How much may be asked for in all. A member that is absent is not limited here. */
export const Quota = z.strictObject({
  cpuRequest: amount.describe('Requested CPU of all pods: 4, 500m'),
  memoryRequest: amount.describe('Requested memory of all pods: 8Gi'),
  cpuLimit: amount.describe('CPU limits of all pods'),
  memoryLimit: amount.describe('Memory limits of all pods'),
  storage: amount.describe('Storage of all PersistentVolumeClaims: 100Gi'),
  pods: pieces,
  volumes: pieces.describe('PersistentVolumeClaims'),
  services: pieces,
  nodePorts: pieces.describe('Services with a port on every node'),
  loadBalancers: pieces.describe('Services with a load balancer'),
  configMaps: pieces,
  secrets: pieces,
  deployments: pieces,
  statefulSets: pieces,
  jobs: pieces,
})
export type Quota = z.infer<typeof Quota>

export const QuotaResource = Quota.keyof()
export type QuotaResource = z.infer<typeof QuotaResource>

/** What a resource is called on a page, at the Kubernetes API and in a sentence, and in what it is counted. */
export const QUOTA_RESOURCES: Record<
  QuotaResource,
  { en: string; zh: string; kubernetes: string; words: string; unit: 'cores' | 'bytes' | 'pieces' }
> = {
  cpuRequest: { en: 'CPU requests', zh: 'CPU 请求', kubernetes: 'requests.cpu', words: 'requested CPU', unit: 'cores' },
  memoryRequest: {
    en: 'Memory requests',
    zh: '内存请求',
    kubernetes: 'requests.memory',
    words: 'requested memory',
    unit: 'bytes',
  },
  cpuLimit: { en: 'CPU limits', zh: 'CPU 限制', kubernetes: 'limits.cpu', words: 'CPU limits', unit: 'cores' },
  memoryLimit: {
    en: 'Memory limits',
    zh: '内存限制',
    kubernetes: 'limits.memory',
    words: 'memory limits',
    unit: 'bytes',
  },
  storage: { en: 'Storage', zh: '存储', kubernetes: 'requests.storage', words: 'storage', unit: 'bytes' },
  pods: { en: 'Pods', zh: 'Pod', kubernetes: 'pods', words: 'pods', unit: 'pieces' },
  volumes: {
    en: 'Volumes',
    zh: '存储卷声明',
    kubernetes: 'persistentvolumeclaims',
    words: 'PersistentVolumeClaims',
    unit: 'pieces',
  },
  services: { en: 'Services', zh: 'Service', kubernetes: 'services', words: 'Services', unit: 'pieces' },
  nodePorts: {
    en: 'Node ports',
    zh: '节点端口',
    kubernetes: 'services.nodeports',
    words: 'node ports',
    unit: 'pieces',
  },
  loadBalancers: {
    en: 'Load balancers',
    zh: '负载均衡',
    kubernetes: 'services.loadbalancers',
    words: 'load balancers',
    unit: 'pieces',
  },
  configMaps: { en: 'ConfigMaps', zh: 'ConfigMap', kubernetes: 'configmaps', words: 'ConfigMaps', unit: 'pieces' },
  secrets: { en: 'Secrets', zh: 'Secret', kubernetes: 'secrets', words: 'Secrets', unit: 'pieces' },
  deployments: {
    en: 'Deployments',
    zh: 'Deployment',
    kubernetes: 'count/deployments.apps',
    words: 'Deployments',
    unit: 'pieces',
  },
  statefulSets: {
    en: 'StatefulSets',
    zh: 'StatefulSet',
    kubernetes: 'count/statefulsets.apps',
    words: 'StatefulSets',
    unit: 'pieces',
  },
  jobs: { en: 'Jobs', zh: 'Job', kubernetes: 'count/jobs.batch', words: 'Jobs', unit: 'pieces' },
}

/** Every resource that can be limited, in the order in which they are shown. */
export const quotaResources = Object.keys(QUOTA_RESOURCES) as QuotaResource[]

/** The amount in cores, bytes or pieces; undefined where it is not limited. */
export function amountOf(quota: Quota, resource: QuotaResource): number | undefined {
  const value = quota[resource]
  return value === undefined ? undefined : quantityValue(value)
}

/** An amount for people: `1.5 cores`, `8 GiB`, `12`. */
export function amountText(resource: QuotaResource, value: number): string {
  const { unit } = QUOTA_RESOURCES[resource]
  if (unit === 'bytes') return formatBytes(value)
  if (unit === 'pieces') return String(Number(value.toFixed(2)))
  return value === 1 ? '1 core' : `${formatCores(value)} cores`.replace(' m cores', ' m')
}

/** How much of one resource there is, and where it went; in cores, bytes or pieces. */
export const QuotaUse = z.object({
  resource: QuotaResource,
  allowed: z.number().optional().describe('Absent: not limited here'),
  reserved: z.number().describe('Given to what is within: projects and environments; of an environment all of it'),
  used: z.number().optional().describe('Asked for by what is there; absent where no cluster said it'),
  free: z.number().optional().describe('What can still be given, over-commit counted; of an environment: still used'),
})
export type QuotaUse = z.infer<typeof QuotaUse>

/** Reads `cpuRequest=4,pods=20`, or `none`; what is not a quota fails as Quota.safeParse does. */
export const quotaFrom = (text: string) =>
  quotaOf(
    (text === 'none' ? [] : text.split(',')).map((pair) => {
      const [name = '', ...rest] = pair.split('=')
      return [name, rest.join('=')]
    }),
  )

const quotaOf = (entries: readonly (readonly [name: string, value: string])[]) =>
  Quota.safeParse(
    Object.fromEntries(
      entries.map(([name, value]) => {
        const known = QuotaResource.safeParse(name)
        const counted = known.success && QUOTA_RESOURCES[known.data].unit === 'pieces'
        return [name, counted && value !== '' ? Number(value) : value]
      }),
    ),
  )

/** Lines of a place as `Shares` of the console has them. */
export const sharesOf = (use: readonly QuotaUse[], language: 'en' | 'zh') =>
  use.map(({ resource, ...line }) => ({
    ...line,
    key: resource,
    label: QUOTA_RESOURCES[resource][language],
    say: (value: number) => amountText(resource, value),
  }))

const EXAMPLES = { cores: '4', bytes: '8Gi', pieces: '20' }

/** Fields of a form for a quota. */
export const quotaFields = (language: 'en' | 'zh') =>
  quotaResources.map((resource) => {
    const { [language]: label, unit } = QUOTA_RESOURCES[resource]
    return { key: resource, label, placeholder: EXAMPLES[unit] }
  })

/** A quota as texts of a form; amounts that are not limited are left out. */
export const quotaTexts = (quota: Quota): Record<string, string> =>
  Object.fromEntries(Object.entries(quota).map(([resource, value]) => [resource, String(value)]))

/** What a form says; `errors` by resource where that is no quota. */
export function quotaOfTexts(texts: Readonly<Record<string, string>>): {
  quota?: Quota
  errors: Record<string, string>
} {
  const parsed = quotaOf(
    Object.entries(texts).flatMap(([name, value]) => (value.trim() === '' ? [] : [[name, value.trim()] as const])),
  )
  if (parsed.success) return { quota: parsed.data, errors: {} }
  return { errors: Object.fromEntries(parsed.error.issues.map(({ path, message }) => [String(path[0]), message])) }
}
