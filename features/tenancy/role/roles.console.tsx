import {
  Button,
  Empty,
  Heading,
  Icon,
  Menu,
  Read,
  Table,
  useGo,
  useLanguage,
  useMay,
  useRead,
  useText,
  useUrlValue,
} from '@quarterdeck/ui'
import { useState } from 'react'
import { DeleteRoleDialog, RoleDialog } from './edit-role.console.tsx'
import { listPermissions, listRoles, type PermissionInfo, type Role } from './role.contract.ts'
import { roleTexts } from './texts.console.tsx'

/** Roles, and what each of them permits. */
export function RolesPage() {
  const t = useText(roleTexts)
  const may = useMay()('role.update')
  const query = useRead(listRoles)
  const permissions = useRead(listPermissions)
  const [creating, setCreating] = useUrlValue('create')
  const create = may && (
    <Button kind="primary" icon="plus" onClick={() => setCreating('true')}>
      {t('create')}
    </Button>
  )
  return (
    <div className="page">
      <header className="page-head">
        <div className="grow">
          <Heading>{t('roles')}</Heading>
          <p className="soft">{t('lead')}</p>
        </div>
        {create}
      </header>
      <section className="card">
        <Read query={query}>{({ items }) => <RoleTable roles={items} may={may} />}</Read>
      </section>
      <section className="card">
        <header>
          <h2>{t('matrix')}</h2>
        </header>
        <Read query={permissions}>{({ items }) => <Matrix permissions={items} roles={query.data?.items ?? []} />}</Read>
      </section>
      {creating === 'true' && <RoleDialog close={() => setCreating('')} />}
    </div>
  )
}

function RoleTable({ roles, may }: { roles: Role[]; may: boolean }) {
  const t = useText(roleTexts)
  const go = useGo()
  const [cloning, setCloning] = useState<Role>()
  const [changing, setChanging] = useState<Role>()
  const [deleting, setDeleting] = useState<Role>()
  const actsOf = (role: Role) => [
    { label: t('who'), icon: 'who' as const, act: () => go(`/access?role=${role.name}`) },
    ...(may ? [{ label: t('clone'), icon: 'copy' as const, act: () => setCloning(role) }] : []),
    ...(may && !role.builtIn
      ? [
          { label: t('edit'), icon: 'columns' as const, act: () => setChanging(role) },
          { label: t('delete'), icon: 'trash' as const, danger: true, rule: true, act: () => setDeleting(role) },
        ]
      : []),
  ]
  return (
    <>
      <Table
        label={t('roles')}
        rows={roles}
        rowKey={({ name }) => name}
        empty={<Empty title={t('roles')}>{t('lead')}</Empty>}
        columns={[
          {
            title: t('name'),
            nowrap: true,
            cell: ({ name, builtIn }) => (
              <>
                <strong>{name}</strong> {builtIn && <span className="soft small">{t('builtIn')}</span>}
              </>
            ),
          },
          { title: t('title'), wide: true, cell: ({ title }) => title ?? <span className="soft">–</span> },
          {
            title: t('permissions'),
            end: true,
            cell: ({ permissions }) => (permissions.includes('*') ? t('all') : permissions.length),
          },
          { title: t('grants'), end: true, cell: ({ grants }) => grants },
          {
            title: t('acts'),
            acts: true,
            cell: (role) => (
              <Menu small kind="plain" icon="more" label={t('more', { name: role.name })} items={actsOf(role)} />
            ),
          },
        ]}
      />
      {cloning && <RoleDialog from={cloning} close={() => setCloning(undefined)} />}
      {changing && <RoleDialog role={changing} close={() => setChanging(undefined)} />}
      {deleting && <DeleteRoleDialog role={deleting} close={() => setDeleting(undefined)} />}
    </>
  )
}

/** Permissions down, roles across. */
function Matrix({ permissions, roles }: { permissions: PermissionInfo[]; roles: Role[] }) {
  const t = useText(roleTexts)
  const [language] = useLanguage()
  return (
    <Table
      label={t('matrix')}
      rows={permissions}
      rowKey={({ permission }) => permission}
      columns={[
        {
          title: t('permission'),
          nowrap: true,
          cell: (one) => (
            <>
              <code>{one.permission}</code> <span className="soft small">{one[language]}</span>
            </>
          ),
        },
        ...roles.map((role) => ({
          title: role.name,
          nowrap: true,
          cell: ({ permission }: PermissionInfo) =>
            role.permissions.includes('*') || role.permissions.includes(permission) ? (
              <span className="tone-good">
                <Icon name="check" />
                <span className="hidden">{t('yes')}</span>
              </span>
            ) : (
              <span className="hidden">{t('no')}</span>
            ),
        })),
        { title: t('opens'), wide: true, cell: (one) => <Opens permission={one} /> },
      ]}
    />
  )
}

/** What a permission opens natively, in RBAC's own words. */
function Opens({ permission }: { permission: PermissionInfo }) {
  const t = useText(roleTexts)
  if (permission.native.length === 0) return <span className="soft">{t('nothing')}</span>
  return (
    <span className="mono small">
      {permission.native
        .map(({ verbs, resources }) => {
          const kinds = resources === 'everything' ? t('everything') : resources.join(', ')
          return `${verbs.join(', ')}: ${kinds}`
        })
        .join('; ')}
    </span>
  )
}
