import type { KnownPermission } from './permission.contract.ts'

/** A role that is there from the start. It cannot be changed; a clone of it can. */
export interface BuiltInRole {
  name: string
  en: string
  zh: string
  /** `*`: all there are and will be. */
  permissions: readonly (KnownPermission | '*')[]
}

const SEE = ['tenant.list', 'project.list', 'environment.list', 'application.list', 'operation.list'] as const
const LOOK = [...SEE, 'image.list', 'object.list', 'object.get'] as const
const DEVELOP = [
  ...LOOK,
  'application.deploy',
  'application.scale',
  'application.restart',
  'application.delete',
  'manifest.apply',
  'operation.undo',
  'object.edit',
  'object.delete',
  'container.logs',
  'container.exec',
  'cluster.native',
] as const
const GRANT = ['grant.list', 'grant.create', 'grant.delete', 'role.list', 'user.list'] as const
const OWN_PROJECT = [
  ...DEVELOP,
  ...GRANT,
  'secret.read',
  'secret.write',
  'project.update',
  'environment.create',
  'environment.update',
  'environment.delete',
  'audit.list',
] as const

/** The roles that the requirements name. */
export const BUILT_IN_ROLES: readonly BuiltInRole[] = [
  { name: 'administrator', en: 'Administrator', zh: '管理员', permissions: ['*'] },
  {
    name: 'tenant-owner',
    en: 'Tenant owner',
    zh: '租户负责人',
    permissions: [...OWN_PROJECT, 'tenant.update', 'project.create', 'project.delete', 'quota.update'],
  },
  { name: 'project-owner', en: 'Project owner', zh: '项目负责人', permissions: OWN_PROJECT },
  { name: 'developer', en: 'Developer', zh: '开发', permissions: DEVELOP },
  {
    name: 'tester',
    en: 'Tester',
    zh: '测试',
    permissions: [...LOOK, 'application.deploy', 'application.restart', 'container.logs'],
  },
  {
    name: 'operator',
    en: 'Operator',
    zh: '运维',
    permissions: [
      ...LOOK,
      'application.scale',
      'application.restart',
      'operation.undo',
      'object.edit',
      'object.delete',
      'container.logs',
      'container.exec',
      'cluster.list',
      'cluster.native',
      'audit.list',
    ],
  },
  {
    name: 'dba',
    en: 'Database administrator',
    zh: '数据库管理员',
    permissions: [...LOOK, 'secret.read', 'container.logs', 'container.exec', 'cluster.native'],
  },
  { name: 'approver', en: 'Approver', zh: '审批人', permissions: LOOK },
  {
    name: 'security-reviewer',
    en: 'Security reviewer',
    zh: '安全审查',
    permissions: [
      ...LOOK,
      'cluster.list',
      'user.list',
      'role.list',
      'grant.list',
      'provider.list',
      'credential.list',
      'audit.list',
    ],
  },
  {
    name: 'auditor',
    en: 'Auditor',
    zh: '审计',
    permissions: [...SEE, 'user.list', 'role.list', 'grant.list', 'audit.list', 'audit.export'],
  },
  { name: 'viewer', en: 'Viewer', zh: '只读', permissions: LOOK },
]
