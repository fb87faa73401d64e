import type { KubeObject } from '@quarterdeck/kernel'
import { describe, expect, test } from 'vitest'
import { dice, randomAct, randomAsker, randomWorld } from '../../../test/platform/random-rbac.ts'
import { Bindings } from './bindings.rules.ts'
import { type Act, type Asker, type PolicyRule, ruleAllows } from './rbac.rules.ts'

const pods = { group: '', resource: 'pods' }
const list = { ...pods, verb: 'list', namespace: 'shop' }
const rule = (rest: Partial<PolicyRule>): PolicyRule => ({
  verbs: ['list'],
  apiGroups: [''],
  resources: ['pods'],
  ...rest,
})

describe('a rule', () => {
  test.each<[string, Partial<PolicyRule>, Act, boolean]>([
    ['opens the verb, group and resource it names', {}, list, true],
    ['opens no other verb', {}, { ...list, verb: 'watch' }, false],
    ['opens no other group', { apiGroups: ['apps'] }, list, false],
    [
      'with a star for all resources opens subresources too',
      { resources: ['*'] },
      { ...list, subresource: 'log' },
      true,
    ],
    ['for a resource opens none of its subresources', {}, { ...list, subresource: 'log' }, false],
    ['for a subresource does not open the resource', { resources: ['pods/log'] }, list, false],
    ['for a subresource of everything', { resources: ['*/log'] }, { ...list, subresource: 'log' }, true],
    [
      'for a subresource of everything opens no other',
      { resources: ['*/log'] },
      { ...list, subresource: 'exec' },
      false,
    ],
    ['with names opens these', { verbs: ['get'], resourceNames: ['web'] }, { ...list, verb: 'get', name: 'web' }, true],
    [
      'with names opens no others',
      { verbs: ['get'], resourceNames: ['web'] },
      { ...list, verb: 'get', name: 'db' },
      false,
    ],
    ['with names opens no list', { resourceNames: ['web'] }, list, false],
    ['without groups opens nothing', { apiGroups: [] }, list, false],
    ['for a path opens it', { nonResourceURLs: ['/healthz'] }, { verb: 'list', path: '/healthz' }, true],
    ['for paths that begin so', { nonResourceURLs: ['/logs/*'] }, { verb: 'list', path: '/logs/a/b' }, true],
    [
      'for a path that begins so does not open the beginning',
      { nonResourceURLs: ['/logs/*'] },
      { verb: 'list', path: '/logs' },
      false,
    ],
    ['for resources opens no path', { resources: ['*'] }, { verb: 'list', path: '/logs' }, false],
  ])('%s', (_, rest, act, allowed) => {
    expect(ruleAllows(rule(rest), act)).toBe(allowed)
  })
})

const api = 'rbac.authorization.k8s.io/v1'
const role = (name: string, namespace: string, ...rules: PolicyRule[]): KubeObject => ({
  apiVersion: api,
  kind: namespace === '' ? 'ClusterRole' : 'Role',
  metadata: { name, ...(namespace === '' ? {} : { namespace }) },
  rules,
})
const binding = (name: string, namespace: string, kind: string, to: string, ...subjects: object[]): KubeObject => ({
  apiVersion: api,
  kind: namespace === '' ? 'ClusterRoleBinding' : 'RoleBinding',
  metadata: { name, ...(namespace === '' ? {} : { namespace }) },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name: to },
  subjects,
})
const li: Asker = { user: 'li', groups: ['devs', 'system:authenticated'] }

describe('bindings', () => {
  test('count in their namespace, those of the cluster everywhere; a cluster role may be bound in one namespace', () => {
    const bindings = new Bindings()
    bindings.put('ClusterRole', role('view', '', rule({})))
    bindings.put('RoleBinding', binding('b', 'shop', 'ClusterRole', 'view', { kind: 'Group', name: 'devs' }))
    const may = (namespace: string) => bindings.allows(li, { ...list, namespace })
    expect([may('shop'), may('bank'), may('')]).toEqual([true, false, false])
    bindings.put('ClusterRoleBinding', binding('b', '', 'ClusterRole', 'view', { kind: 'User', name: 'li' }))
    expect([may('shop'), may('bank'), may('')]).toEqual([true, true, true])
    bindings.remove('ClusterRoleBinding', { name: 'b' })
    bindings.remove('ClusterRole', { name: 'view' })
    expect(may('shop')).toBe(false)
  })

  test('name service accounts of their own namespace unless they say another', () => {
    const bindings = new Bindings()
    bindings.put('Role', role('view', 'shop', rule({})))
    bindings.put('RoleBinding', binding('b', 'shop', 'Role', 'view', { kind: 'ServiceAccount', name: 'ci' }))
    const as = (home: string) => ({ user: `system:serviceaccount:${home}:ci`, groups: [] })
    expect([bindings.allows(as('shop'), list), bindings.allows(as('bank'), list)]).toEqual([true, false])
    const bank = { kind: 'ServiceAccount', name: 'ci', namespace: 'bank' }
    bindings.put('RoleBinding', binding('b', 'shop', 'Role', 'view', bank))
    expect([bindings.allows(as('shop'), list), bindings.allows(as('bank'), list)]).toEqual([false, true])
  })

  test('that change touch the decisions about those they name, and no others', () => {
    const bindings = new Bindings()
    const other = { user: 'wang', groups: ['ops'] }
    bindings.put('Role', role('view', 'shop', rule({})))
    bindings.put('RoleBinding', binding('b', 'shop', 'Role', 'view', { kind: 'Group', name: 'devs' }))
    const before = [bindings.revisionOf(li), bindings.revisionOf(other)]
    bindings.put('Role', role('view', 'shop', rule({ verbs: ['get'] })))
    expect(bindings.revisionOf(li)).not.toBe(before[0])
    expect(bindings.revisionOf(other)).toBe(before[1])
    const changed = bindings.revision
    bindings.put('Role', role('view', 'shop', rule({ verbs: ['get'] })))
    expect(bindings.revision).toBe(changed)
  })
})

test('[TEN-07] what may be listed, worked out at once, is what each single decision says, in 400 random worlds', () => {
  for (let seed = 1; seed <= 400; seed++) {
    const next = dice(seed)
    const bindings = new Bindings()
    const world = randomWorld(next)
    for (const object of world) bindings.put(object.kind as 'Role', object)
    // Some of them go again, and the same came twice.
    for (const object of world) if (next(4) === 0) bindings.remove(object.kind as 'Role', object.metadata)
    const asker = randomAsker(next)
    const listed = bindings.listedBy(asker)
    for (let count = 0; count < 60; count++) {
      const act = randomAct(next)
      if ('path' in act || act.subresource) continue
      const { group, resource, namespace = '' } = act
      const name = group === '' ? resource : `${resource}.${group}`
      const at = listed.everywhere.has(name) || (listed.namespaces.get(namespace)?.has(name) ?? false)
      const wanted = bindings.allows(asker, { verb: 'list', group, resource, namespace })
      expect({ seed, name, namespace, allowed: at }).toEqual({ seed, name, namespace, allowed: wanted })
    }
  }
})
