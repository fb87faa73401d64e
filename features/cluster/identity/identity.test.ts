import type { KubeObject } from '@quarterdeck/kernel'
import { expect, test } from 'vitest'
import { BUILT_IN_ROLES } from '../../tenancy/role/built-in.contract.ts'
import { isAsWanted, type ProjectedGrant, projection, rulesOf, type Served, type Wanted } from './identity.rules.ts'

const ALL = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']
const at = { namespace: 'quarterdeck-system', name: 'quarterdeck-impersonator' }
const served: Served[] = [
  ['', 'namespaces', false, ALL],
  ['', 'nodes', false, ALL],
  ['', 'nodes/proxy', false, ['create', 'get']],
  ['', 'pods', true, ALL],
  ['', 'pods/ephemeralcontainers', true, ['get', 'patch', 'update']],
  ['', 'pods/eviction', true, ['create']],
  ['', 'pods/exec', true, ['create', 'get']],
  ['', 'pods/log', true, ['get']],
  ['', 'resourcequotas', true, ALL],
  ['', 'secrets', true, ALL],
  ['', 'serviceaccounts/token', true, ['create']],
  ['admissionregistration.k8s.io', 'mutatingwebhookconfigurations', false, ALL],
  ['apps', 'deployments', true, ALL],
  ['apps', 'deployments/scale', true, ['get', 'patch', 'update']],
  ['apps', 'deployments/status', true, ['get', 'patch', 'update']],
  ['authorization.k8s.io', 'localsubjectaccessreviews', true, ['create']],
  ['networking.k8s.io', 'networkpolicies', true, ALL],
  ['rbac.authorization.k8s.io', 'rolebindings', true, ALL],
].map(([group, resource, namespaced, verbs]) => ({ group, resource, namespaced, verbs }) as Served)

const permissionsOf = (name: string) => [...(BUILT_IN_ROLES.find((role) => role.name === name)?.permissions ?? [])]

/** Every single right, as `verb resource.group`. */
const rightsOf = (permissions: readonly string[], wide = false) =>
  rulesOf(permissions, served, { wide }).flatMap(({ apiGroups = [], resources = [], verbs }) =>
    resources.flatMap((resource) =>
      verbs.map((verb) => `${verb} ${resource}${apiGroups[0] ? `.${apiGroups[0]}` : ''}`),
    ),
  )

const grant = (more: Partial<ProjectedGrant> = {}): ProjectedGrant => ({
  id: 'g1',
  role: 'r1',
  roleName: 'developer',
  permissions: permissionsOf('developer'),
  holder: { kind: 'User', name: 'quarterdeck:user:jane' },
  namespaces: ['shop-dev'],
  ...more,
})
const wanted = (more: Partial<Wanted> = {}): Wanted => ({
  installation: '11111111-2222',
  cluster: 'c',
  clusters: ['c'],
  users: [{ name: 'quarterdeck:user:jane', uid: 'u1' }],
  groups: ['quarterdeck:group:shop'],
  namespaces: ['shop-dev'],
  grants: [grant()],
  ...more,
})

test('[TEN-13] a developer gets kinds one by one: no star, no values of Secrets, nothing that says who may what', () => {
  const rights = rightsOf(permissionsOf('developer'))
  expect(JSON.stringify(rulesOf(permissionsOf('developer'), served, { wide: false }))).not.toContain('*')
  expect(rights).toEqual(
    expect.arrayContaining(['create pods', 'patch deployments.apps', 'patch deployments/scale.apps']),
  )
  expect(rights).toEqual(expect.arrayContaining(['get pods/exec', 'create pods/exec', 'create pods/eviction']))
  expect(rights.filter((right) => /secrets|rolebindings|serviceaccounts|status|ephemeral/.test(right))).toEqual([])
})

test('what keeps environments apart is read, but written by the platform alone; so is the namespace itself', () => {
  const rights = rightsOf([...permissionsOf('project-owner'), '*'])
  const about = (resource: string) =>
    rights.filter((right) => right.split(' ')[1] === resource).map((right) => right.split(' ')[0])
  expect(about('resourcequotas')).toEqual(['get', 'list', 'watch'])
  expect(about('networkpolicies.networking.k8s.io')).toEqual(['get', 'list', 'watch'])
  expect(about('namespaces')).toEqual(['get'])
  expect(about('nodes')).toEqual([])
})

test('who looks gets neither exec nor logs, who reads logs gets nothing else', () => {
  expect(rightsOf(permissionsOf('viewer')).filter((right) => /exec|log|create|patch|delete/.test(right))).toEqual([])
  expect(rightsOf(['container.logs'])).toEqual(['get pods/log'])
  expect(rightsOf(['application.deploy', 'grant.create'])).toEqual([])
})

test('platform-wide, object.edit does not reach what rules over all others; an administrator has everything by name', () => {
  const operator = rightsOf(permissionsOf('operator'), true)
  expect(operator).toContain('patch nodes')
  expect(
    operator.filter((right) => /(create|update|patch|delete) (mutating|secrets|rolebindings)/.test(right)),
  ).toEqual([])
  const administrator = rightsOf(['*'], true)
  expect(administrator).toEqual(
    expect.arrayContaining(['update secrets', 'get nodes/proxy', 'patch rolebindings.rbac.authorization.k8s.io']),
  )
  expect(administrator.length).toBe(served.reduce((sum, { verbs }) => sum + verbs.length, 0))
})

test('a grant for environments is a RoleBinding in each, one for everything is a ClusterRoleBinding', () => {
  const grants = [
    grant({ namespaces: ['a', 'b'] }),
    grant({ id: 'g2', namespaces: undefined, holder: { kind: 'Group', name: 'quarterdeck:group:shop' } }),
  ]
  const { roles, bindings } = projection(wanted({ grants }), served, at)
  expect(bindings.map(({ kind, metadata: { namespace = '', name } }) => `${kind} ${namespace} ${name}`)).toEqual([
    'ClusterRoleBinding  quarterdeck:impersonator:c:11111111',
    'RoleBinding shop-dev quarterdeck:executor:c:11111111',
    'RoleBinding a quarterdeck:grant:c:g1',
    'RoleBinding b quarterdeck:grant:c:g1',
    'ClusterRoleBinding  quarterdeck:grant:c:g2',
  ])
  expect(bindings[4]?.subjects).toEqual([
    { kind: 'Group', name: 'quarterdeck:group:shop', apiGroup: 'rbac.authorization.k8s.io' },
  ])
  expect(bindings[2]?.metadata.labels).toMatchObject({ 'quarterdeck.dev/grant': 'g1' })
  expect(roles.map(({ metadata }) => metadata.name)).toEqual([
    'quarterdeck:impersonator:c:11111111',
    'quarterdeck:executor:c:11111111',
    'quarterdeck:role:c:r1',
    'quarterdeck:role:c:r1:wide',
  ])
})

test('a grant that opens nothing natively makes nothing', () => {
  const { roles, bindings } = projection(wanted({ grants: [grant({ permissions: ['audit.list'] })] }), served, at)
  expect([...roles, ...bindings].filter(({ metadata }) => /role:|grant:/.test(metadata.name))).toEqual([])
})

test('[A97] operations may write every kind in namespaces that is served, as it comes and goes, and nothing else', () => {
  const gadgets: Served = { group: 'toys.example.com', resource: 'gadgets', namespaced: true, verbs: ALL }
  const others: Served[] = [
    { ...gadgets, resource: 'gadgets/status' },
    { ...gadgets, resource: 'gadgetclasses', namespaced: false },
    { ...gadgets, group: 'cilium.io', resource: 'ciliumnetworkpolicies' },
    { ...gadgets, group: 'rbac.authorization.k8s.io', resource: 'roles', verbs: [...ALL, 'bind', 'escalate'] },
  ]
  const rightsWith = (kinds: Served[]) => {
    const { roles, bindings } = projection(wanted(), [...served, ...kinds], at)
    const name = 'quarterdeck:executor:c:11111111'
    const bound = bindings.filter(({ roleRef }) => roleRef.name === name)
    expect(bound.map(({ kind, subjects, metadata }) => [kind, metadata.namespace, subjects[0].name])).toEqual([
      ['RoleBinding', 'shop-dev', 'quarterdeck:executor:shop-dev'],
    ])
    const rules: { resources: string[]; verbs: string[] }[] = roles.find((role) => role.metadata.name === name)?.rules
    return rules.flatMap(({ resources, verbs }) => resources.flatMap((one) => verbs.map((verb) => `${verb} ${one}`)))
  }
  const writes = (rights: string[]) => [
    ...new Set(rights.filter((one) => !/^(get|list|watch) /.test(one)).map((one) => one.split(' ')[1])),
  ]
  expect(writes(rightsWith([])).toSorted()).toEqual(['deployments', 'pods'])
  expect(writes(rightsWith([gadgets, ...others])).toSorted()).toEqual(['deployments', 'gadgets', 'pods'])
  const read = rightsWith([gadgets, ...others]).map((one) => one.split(' ')[1])
  for (const withheld of ['secrets', 'roles', 'rolebindings', 'nodes', 'gadgets/status', 'pods/exec']) {
    expect(read).not.toContain(withheld)
  }
  expect(rightsWith([gadgets, ...others]).filter((one) => /escalate|bind |impersonate/.test(one))).toEqual([])
})

test('the impersonator may act as those who exist, by name, and as nobody when there is nobody', () => {
  const rules = projection(wanted(), served, at).roles[0]?.rules
  expect(rules).toEqual([
    {
      apiGroups: [''],
      resources: ['users'],
      resourceNames: ['quarterdeck:executor:shop-dev', 'quarterdeck:user:jane'],
      verbs: ['impersonate'],
    },
    { apiGroups: ['authentication.k8s.io'], resources: ['uids'], resourceNames: ['u1'], verbs: ['impersonate'] },
    { apiGroups: [''], resources: ['groups'], resourceNames: ['quarterdeck:group:shop'], verbs: ['impersonate'] },
  ])
  const alone = projection(wanted({ users: [], groups: [], namespaces: [], grants: [] }), served, at).roles[0]
    ?.rules as {
    resourceNames: string[]
  }[]
  expect(alone.map(({ resourceNames }) => resourceNames)).toEqual([])
})

test('ten thousand users are spread over several roles, none of them lost', () => {
  const users = Array.from({ length: 10_000 }, (_, index) => ({
    name: `quarterdeck:user:u${index}`,
    uid: `id-${index}`,
  }))
  const { roles, bindings } = projection(wanted({ users, grants: [] }), [], at)
  const names = roles.flatMap(({ rules }) => rules.flatMap((rule: { resourceNames: string[] }) => rule.resourceNames))
  expect(new Set(names).size).toBe(20_002)
  expect(bindings.length).toBe(roles.length)
  for (const role of roles) expect(JSON.stringify(role).length).toBeLessThan(1_000_000)
})

test('what somebody else has added, changed or taken away is noticed', () => {
  const role = projection(wanted(), served, at).roles[2] as KubeObject
  const [first, ...others] = role.rules
  expect(isAsWanted({ ...role, metadata: { ...role.metadata, uid: '1' } }, role)).toBe(true)
  expect(isAsWanted({ ...role, rules: others }, role)).toBe(false)
  expect(isAsWanted({ ...role, rules: [...role.rules, { ...first, verbs: ['escalate'] }] }, role)).toBe(false)
  expect(isAsWanted({ ...role, aggregationRule: { clusterRoleSelectors: [] } }, role)).toBe(false)
  expect(isAsWanted({ ...role, metadata: { name: role.metadata.name } }, role)).toBe(false)
})
