import { ButtonLink, Empty, Failure, Heading, useText } from '@quarterdeck/ui'
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Navigate,
  Outlet,
} from '@tanstack/react-router'
import { lazy, Suspense } from 'react'
import type { ApplicationTab } from './application-page.tsx'
import { useEnvironment } from './environment.ts'
import { Frame } from './frame.tsx'
import { frameTexts } from './texts.ts'

const root = createRootRoute({ component: Outlet, notFoundComponent: NotFound })
const framed = createRoute({ getParentRoute: () => root, id: 'framed', component: Frame })

function NotFound() {
  const t = useText(frameTexts)
  return (
    <main className="lone wide">
      <div className="empty">
        <Heading>{t('notFound')}</Heading>
        <p className="soft">{t('notFoundDetail')}</p>
        <ButtonLink to="/">{t('toHome')}</ButtonLink>
      </div>
    </main>
  )
}

const alone = (path: string, component: ReturnType<typeof lazyRouteComponent>) =>
  createRoute({ getParentRoute: () => root, path, component })
const inFrame = (path: string, component: ReturnType<typeof lazyRouteComponent>) =>
  createRoute({ getParentRoute: () => framed, path, component })

const session = () => import('../../../features/tenancy/session/session.console.tsx')
const choosePassword = () => import('../../../features/tenancy/session/choose-password.console.tsx')
const ApplicationPage = lazy(async () => ({ default: (await import('./application-page.tsx')).ApplicationPage }))
const ApplicationsPage = lazy(async () => ({
  default: (await import('../../../features/application/application/list-applications.console.tsx')).ApplicationsPage,
}))
const operations = () => import('../../../features/delivery/operation/operation.console.tsx')
const OperationPage = lazy(async () => ({ default: (await operations()).OperationPage }))
const UndoDialog = lazy(async () => ({ default: (await operations()).UndoDialog }))
const EnvironmentPage = lazy(async () => ({
  default: (await import('../../../features/tenancy/environment/show-environment.console.tsx')).EnvironmentPage,
}))
const ProjectPage = lazy(async () => ({
  default: (await import('../../../features/tenancy/project/show-project.console.tsx')).ProjectPage,
}))
const TenantPage = lazy(async () => ({
  default: (await import('../../../features/tenancy/tenant/show-tenant.console.tsx')).TenantPage,
}))
const History = lazy(async () => ({
  default: (await import('../../../features/tenancy/audit/history.console.tsx')).History,
}))
const ClusterPage = lazy(async () => ({ default: (await import('./cluster-page.tsx')).ClusterPage }))

const oneOperation = createRoute({
  getParentRoute: () => framed,
  path: '/operations/$operation',
  component: function Operation() {
    const { operation } = oneOperation.useParams()
    const { stageOf } = useEnvironment()
    return <OperationPage key={operation} operation={operation} stageOf={stageOf} />
  },
})
const oneCluster = createRoute({
  getParentRoute: () => framed,
  path: '/clusters/$cluster',
  component: function Cluster() {
    return <ClusterPage cluster={oneCluster.useParams().cluster} />
  },
})
const SignInCallbackPage = lazy(async () => ({
  default: (await import('../../../features/tenancy/provider/sign-in.console.tsx')).SignInCallbackPage,
}))
const signInCallback = createRoute({
  getParentRoute: () => root,
  path: '/sign-in/$provider/callback',
  component: function Callback() {
    return (
      <Suspense fallback={null}>
        <SignInCallbackPage provider={signInCallback.useParams().provider} />
      </Suspense>
    )
  },
})
/** The list stays as it is while the details beside it come and go: one page for all addresses below. */
const explore = createRoute({
  getParentRoute: () => framed,
  path: '/explore',
  component: lazyRouteComponent(() => import('./explore-page.tsx'), 'ExplorePage'),
})
const below = (path: string) => createRoute({ getParentRoute: () => explore, path, component: () => null })
const oneEnvironment = createRoute({
  getParentRoute: () => framed,
  path: '/environments/$environment',
  component: function EnvironmentRoute() {
    const { environment } = oneEnvironment.useParams()
    return (
      <Suspense fallback={null}>
        <EnvironmentPage key={environment} environment={environment} history={<History environment={environment} />} />
      </Suspense>
    )
  },
})
const oneProject = createRoute({
  getParentRoute: () => framed,
  path: '/projects/$project',
  component: function ProjectRoute() {
    const { project } = oneProject.useParams()
    return (
      <Suspense fallback={null}>
        <ProjectPage key={project} project={project} history={<History about={`project ${project}`} />} />
      </Suspense>
    )
  },
})
const oneTenant = createRoute({
  getParentRoute: () => framed,
  path: '/tenants/$tenant',
  component: function TenantRoute() {
    const { tenant } = oneTenant.useParams()
    return (
      <Suspense fallback={null}>
        <TenantPage key={tenant} tenant={tenant} history={<History about={`tenant ${tenant}`} />} />
      </Suspense>
    )
  },
})
const TABS: readonly string[] = ['overview', 'logs', 'terminal', 'history', 'yaml']
const oneApplication = createRoute({
  getParentRoute: () => framed,
  path: '/environments/$environment/applications/$application/$tab',
  component: function Application() {
    const { environment, application, tab } = oneApplication.useParams()
    if (!TABS.includes(tab))
      return <Navigate to={`/environments/${environment}/applications/${application}/overview` as '/'} replace />
    return (
      <ApplicationPage
        key={`${environment}/${application}`}
        environment={environment}
        application={application}
        tab={tab as ApplicationTab}
      />
    )
  },
})
const applications = createRoute({
  getParentRoute: () => framed,
  path: '/applications',
  component: function ApplicationList() {
    const t = useText(frameTexts)
    const { current, loaded } = useEnvironment()
    if (!loaded) return null
    if (!current) {
      return (
        <Empty title={t('chooseEnvironment')} act={<ButtonLink to="/environments">{t('environments')}</ButtonLink>} />
      )
    }
    return (
      <ApplicationsPage
        environment={current.name}
        stage={current.stage}
        undo={(operation, close) => (
          <Suspense fallback={null}>
            <UndoDialog operation={operation} stage={current.stage} close={close} />
          </Suspense>
        )}
      />
    )
  },
})
const tree = root.addChildren([
  alone(
    '/setup',
    lazyRouteComponent(() => import('../../../features/cluster/setup/setup.console.tsx'), 'SetupPage'),
  ),
  alone('/sign-in', lazyRouteComponent(session, 'SignInPage')),
  signInCallback,
  alone('/first', lazyRouteComponent(choosePassword, 'FirstPage')),
  alone('/password', lazyRouteComponent(choosePassword, 'PasswordLinkPage')),
  framed.addChildren([
    inFrame(
      '/',
      lazyRouteComponent(() => import('./home-page.tsx'), 'HomePage'),
    ),
    applications,
    oneApplication,
    inFrame(
      '/deploy/yaml',
      lazyRouteComponent(() => import('./yaml-page.tsx'), 'YamlPage'),
    ),
    inFrame(
      '/deploy',
      lazyRouteComponent(() => import('./deploy-page.tsx'), 'DeployPage'),
    ),
    oneOperation,
    inFrame(
      '/clusters',
      lazyRouteComponent(() => import('../../../features/cluster/cluster/cluster.console.tsx'), 'ClustersPage'),
    ),
    oneCluster,
    explore.addChildren([below('/'), below('/$resource'), below('/$resource/$cluster/$namespace/$name')]),
    inFrame(
      '/changes',
      lazyRouteComponent(() => import('./changes-page.tsx'), 'ChangesPage'),
    ),
    inFrame(
      '/environments',
      lazyRouteComponent(
        () => import('../../../features/tenancy/environment/environment.console.tsx'),
        'EnvironmentsPage',
      ),
    ),
    oneEnvironment,
    inFrame(
      '/projects',
      lazyRouteComponent(() => import('../../../features/tenancy/project/project.console.tsx'), 'ProjectsPage'),
    ),
    oneProject,
    inFrame(
      '/tenants',
      lazyRouteComponent(() => import('../../../features/tenancy/tenant/tenant.console.tsx'), 'TenantsPage'),
    ),
    oneTenant,
    inFrame(
      '/tokens',
      lazyRouteComponent(() => import('../../../features/tenancy/session/tokens.console.tsx'), 'TokensPage'),
    ),
    inFrame(
      '/audit',
      lazyRouteComponent(() => import('../../../features/tenancy/audit/audit.console.tsx'), 'AuditPage'),
    ),
    inFrame(
      '/users',
      lazyRouteComponent(() => import('./users-page.tsx'), 'UsersPage'),
    ),
    inFrame(
      '/groups',
      lazyRouteComponent(() => import('../../../features/tenancy/group/groups.console.tsx'), 'GroupsPage'),
    ),
    inFrame(
      '/device',
      lazyRouteComponent(() => import('../../../features/tenancy/session/device.console.tsx'), 'DevicePage'),
    ),
    inFrame(
      '/access',
      lazyRouteComponent(() => import('../../../features/tenancy/grant/access.console.tsx'), 'AccessPage'),
    ),
    inFrame(
      '/who-can',
      lazyRouteComponent(() => import('../../../features/tenancy/grant/explain.console.tsx'), 'WhoCanPage'),
    ),
    inFrame(
      '/roles',
      lazyRouteComponent(() => import('../../../features/tenancy/role/roles.console.tsx'), 'RolesPage'),
    ),
    inFrame(
      '/requests',
      lazyRouteComponent(() => import('./requests-page.tsx'), 'RequestsPage'),
    ),
    inFrame(
      '/providers',
      lazyRouteComponent(() => import('../../../features/tenancy/provider/provider.console.tsx'), 'ProvidersPage'),
    ),
    inFrame(
      '/one-time-passwords',
      lazyRouteComponent(
        () => import('../../../features/tenancy/onetime/onetime-rules.console.tsx'),
        'OneTimeRulesPage',
      ),
    ),
    inFrame(
      '/version-settings',
      lazyRouteComponent(() => import('../../../features/cluster/version/setting.console.tsx'), 'VersionSettingsPage'),
    ),
    inFrame(
      '/account',
      lazyRouteComponent(() => import('./account-page.tsx'), 'AccountPage'),
    ),
  ]),
])

/** Addresses hold plain strings: `?filter=state:failed`, no JSON. */
export const router = createRouter({
  routeTree: tree,
  defaultPreload: 'intent',
  scrollRestoration: false,
  parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
  stringifySearch: (search) => {
    const text = new URLSearchParams(search as Record<string, string>).toString()
    return text === '' ? '' : `?${text}`
  },
  defaultErrorComponent: ({ error, reset }) => (
    <div className="page">
      <Failure error={error} retry={reset} />
    </div>
  ),
})
