import type { Permission } from '@quarterdeck/kernel'

/** A permission as people read it, and what of the Kubernetes API it opens. */
export interface PermissionEntry {
  en: string
  zh: string
  /** What it opens at the API server, in the namespace of the environment, or in all of the cluster when platform-wide. */
  native?: readonly NativeRule[]
}

/**
 * What a permission opens at the API server. `everything`: every kind that the cluster serves but those of
 * `WITHHELD`, named one by one, since a `*` would open subresources such as pods/exec as well.
 */
export interface NativeRule {
  apiGroups: readonly string[]
  resources: readonly string[] | 'everything'
  verbs: readonly string[]
}

/** Kinds that `everything` leaves out, as `resource.group`: values of Secrets, and who may do what. */
export const WITHHELD: readonly string[] = [
  'secrets',
  'roles.rbac.authorization.k8s.io',
  'rolebindings.rbac.authorization.k8s.io',
  'clusterroles.rbac.authorization.k8s.io',
  'clusterrolebindings.rbac.authorization.k8s.io',
]

/** Kinds that only the platform writes in an environment: they are what keeps environments apart. */
export const KEPT_BY_PLATFORM: readonly string[] = [
  'resourcequotas',
  'limitranges',
  'networkpolicies.networking.k8s.io',
  // Rules of these networks add to the others': what one lets in, isolation does not keep out.
  'ciliumnetworkpolicies.cilium.io',
  'networkpolicies.crd.projectcalico.org',
  'networkpolicies.projectcalico.org',
]

/** Kinds that only who may everything in all of a cluster writes: with them one reads and changes what others may. */
export const KEPT_BY_ADMINISTRATORS: readonly string[] = [
  'mutatingwebhookconfigurations.admissionregistration.k8s.io',
  'validatingwebhookconfigurations.admissionregistration.k8s.io',
  'mutatingadmissionpolicies.admissionregistration.k8s.io',
  'mutatingadmissionpolicybindings.admissionregistration.k8s.io',
  'validatingadmissionpolicies.admissionregistration.k8s.io',
  'validatingadmissionpolicybindings.admissionregistration.k8s.io',
  'apiservices.apiregistration.k8s.io',
  'certificatesigningrequests.certificates.k8s.io',
  'customresourcedefinitions.apiextensions.k8s.io',
]

/** Something that a cluster serves; `pods/exec` for what is below a kind. */
export interface NativeResource {
  /** Empty for the core group. */
  group: string
  resource: string
}

/** What is below a kind and says no more than the kind itself: with an object one may change these, too. */
const AS_THE_KIND = new Set(['scale', 'resize'])
const WRITES = new Set(['create', 'update', 'patch', 'delete', 'deletecollection'])

/** Whether a rule opens a verb of a resource. */
export function opens(rule: NativeRule, { group, resource }: NativeResource, verb: string): boolean {
  if (rule.resources !== 'everything') {
    return rule.apiGroups.includes(group) && rule.resources.includes(resource) && rule.verbs.includes(verb)
  }
  const [kind = '', below] = resource.split('/')
  // To evict a pod is to delete it.
  if (resource === 'pods/eviction') return verb === 'create' && rule.verbs.includes('delete')
  if (below !== undefined && !AS_THE_KIND.has(below)) return false
  const name = group === '' ? kind : `${kind}.${group}`
  if (WITHHELD.includes(name)) return false
  if (WRITES.has(verb) && [...KEPT_BY_PLATFORM, ...KEPT_BY_ADMINISTRATORS].includes(name)) return false
  return rule.verbs.includes(verb)
}

/** What permissions open together; `*` stands for all of them. */
export function nativeRules(permissions: Iterable<string>): NativeRule[] {
  const held = new Set(permissions)
  return Object.entries<PermissionEntry>(PERMISSIONS).flatMap(([permission, { native = [] }]) =>
    held.has('*') || held.has(permission) ? native : [],
  )
}

const READ = ['get', 'list', 'watch'] as const
const WRITE = ['create', 'update', 'patch', 'delete', 'deletecollection'] as const

/** Every permission there is. An endpoint asks for one of these; a test sees to it. */
export const PERMISSIONS = {
  'application.list': { en: 'See applications', zh: '查看应用' },
  'application.deploy': { en: 'Deploy and change applications', zh: '部署和修改应用' },
  'application.scale': { en: 'Scale applications', zh: '伸缩应用' },
  'application.restart': { en: 'Restart applications', zh: '重启应用' },
  'application.delete': { en: 'Delete applications', zh: '删除应用' },
  'manifest.apply': { en: 'Apply YAML', zh: '应用 YAML' },
  'operation.list': { en: 'See operations and their plans', zh: '查看操作及其变更计划' },
  'operation.undo': { en: 'Undo operations', zh: '撤销操作' },
  'image.list': { en: 'See images and their tags', zh: '查看镜像和标签' },
  'object.list': {
    en: 'List objects of the cluster, Secrets aside',
    zh: '列出集群对象（Secret 除外）',
    native: [{ apiGroups: ['*'], resources: 'everything', verbs: ['list', 'watch'] }],
  },
  'object.get': {
    en: 'See whole objects, their events and versions, Secrets aside',
    zh: '查看对象详情、事件和版本（Secret 除外）',
    native: [{ apiGroups: ['*'], resources: 'everything', verbs: READ }],
  },
  'object.edit': {
    en: 'Change objects as Kubernetes has them',
    zh: '修改 Kubernetes 对象',
    native: [{ apiGroups: ['*'], resources: 'everything', verbs: WRITE }],
  },
  'object.delete': {
    en: 'Delete objects',
    zh: '删除对象',
    native: [{ apiGroups: ['*'], resources: 'everything', verbs: ['delete', 'deletecollection'] }],
  },
  'secret.read': {
    en: 'Read the values of Secrets',
    zh: '读取 Secret 的内容',
    native: [{ apiGroups: [''], resources: ['secrets'], verbs: READ }],
  },
  'secret.write': {
    en: 'Make, change and delete Secrets, whose values whoever changes them gets to see; helm keeps its releases there',
    zh: '创建、修改和删除 Secret（修改者可看到其内容；helm 在其中保存发布记录）',
    native: [{ apiGroups: [''], resources: ['secrets'], verbs: WRITE }],
  },
  'container.logs': {
    en: 'Read logs',
    zh: '查看日志',
    native: [{ apiGroups: [''], resources: ['pods/log'], verbs: ['get'] }],
  },
  'container.exec': {
    en: 'Open a shell, run commands, copy files',
    zh: '打开终端、执行命令、传输文件',
    native: [
      { apiGroups: [''], resources: ['pods/exec', 'pods/attach', 'pods/portforward'], verbs: ['get', 'create'] },
    ],
  },
  'environment.list': { en: 'See environments', zh: '查看环境' },
  'environment.create': { en: 'Make environments', zh: '创建环境' },
  'environment.update': { en: 'Change limits and rules of environments', zh: '修改环境的限制和规则' },
  'environment.delete': { en: 'Delete environments', zh: '删除环境' },
  'project.list': { en: 'See projects', zh: '查看项目' },
  'project.create': { en: 'Make projects', zh: '创建项目' },
  'project.update': { en: 'Change projects', zh: '修改项目' },
  'project.delete': { en: 'Delete projects', zh: '删除项目' },
  'tenant.list': { en: 'See tenants', zh: '查看租户' },
  'tenant.create': { en: 'Make tenants', zh: '创建租户' },
  'tenant.update': { en: 'Change tenants', zh: '修改租户' },
  'tenant.delete': { en: 'Delete tenants', zh: '删除租户' },
  'quota.update': { en: 'Set quotas', zh: '设置配额' },
  'user.list': { en: 'See users and groups', zh: '查看用户和用户组' },
  'user.create': { en: 'Invite users and make machine accounts', zh: '邀请用户和创建机器账号' },
  'user.update': { en: 'Change, disable and enable users and groups', zh: '修改、停用和启用用户和用户组' },
  'user.delete': { en: 'Delete users and groups', zh: '删除用户和用户组' },
  'credential.list': { en: 'See sessions and tokens of others', zh: '查看他人的会话和令牌' },
  'credential.revoke': { en: 'End sessions and tokens of others', zh: '终止他人的会话和令牌' },
  'role.list': { en: 'See roles', zh: '查看角色' },
  'role.update': { en: 'Make and change roles', zh: '创建和修改角色' },
  'grant.list': { en: 'See who may do what', zh: '查看授权' },
  'grant.create': { en: 'Grant roles of which one has every permission', zh: '授予自己拥有全部权限的角色' },
  'grant.delete': { en: 'Take grants back', zh: '收回授权' },
  'provider.list': { en: 'See sign-in providers', zh: '查看登录来源' },
  'provider.update': { en: 'Connect sign-in providers', zh: '接入登录来源' },
  'setting.update': {
    en: 'Set rules for sign-in, one-time passwords and recorded versions',
    zh: '设置登录、动态口令和版本记录规则',
  },
  'audit.list': { en: 'Search the audit trail', zh: '检索审计记录' },
  'audit.export': { en: 'Export the audit trail and set where it is sent', zh: '导出审计记录并设置发送目标' },
  'cluster.list': { en: 'See clusters and nodes', zh: '查看集群和节点' },
  'cluster.register': { en: 'Register clusters', zh: '接入集群' },
  'cluster.remove': { en: 'Remove clusters', zh: '移除集群' },
  'cluster.native': {
    en: 'Use kubectl and helm within what else one may',
    zh: '在自身权限范围内使用 kubectl 和 helm',
  },
} as const satisfies Record<string, PermissionEntry>

export type KnownPermission = keyof typeof PERMISSIONS & Permission

/** Every permission, in the order of the list above. */
export const knownPermissions = Object.keys(PERMISSIONS) as KnownPermission[]

/** A permission as people read it; its name where there is no such permission any more. */
export const permissionTitle = (permission: string, language: 'en' | 'zh'): string =>
  (PERMISSIONS as Record<string, PermissionEntry>)[permission]?.[language] ?? permission
