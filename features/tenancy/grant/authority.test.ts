import type { Permission, Subject } from '@quarterdeck/kernel'
import { expect, test } from 'vitest'
import { type AuthorityState, Decisions, type GrantFact } from './authority.rules.ts'

const ALL: Permission[] = ['application.list', 'application.deploy', 'operation.undo', 'grant.create']
const NOW = Date.parse('2026-11-21T12:00:00Z')
const li: Subject = { id: 'li', name: 'li', kind: 'user', permissions: ['*'] }

function decide(grants: GrantFact[], accounts: Partial<AuthorityState>['accounts'] = new Map()): Decisions {
  const state: AuthorityState = {
    accounts: new Map([
      ['li', { name: 'li', identity: 'quarterdeck:user:li', disabled: false, groups: ['g'] }],
      ['wang', { name: 'wang', identity: 'quarterdeck:user:wang', disabled: false, groups: [] }],
      ...accounts,
    ]),
    groups: new Map([['g', { name: 'retail-devs' }]]),
    grants,
    tenants: new Map([['retail', { id: 't' }]]),
    projects: new Map([
      ['shop', { id: 'p', tenant: 't' }],
      ['bank', { id: 'p2', tenant: 't' }],
    ]),
    environments: new Map([
      ['shop-dev', { id: 'e', project: 'p', tenant: 't', cluster: 'one', namespace: 'shop-dev' }],
      ['bank-dev', { id: 'e2', project: 'p2', tenant: 't', cluster: 'one', namespace: 'bank-dev' }],
    ]),
  }
  return new Decisions(state, ALL)
}
const may = (decisions: Decisions, permission: Permission, scope: Parameters<Decisions['may']>[2], subject = li) =>
  decisions.may(subject, permission, scope, NOW)

test('[TEN-07] what is granted at a place counts at every place within it and nowhere else', () => {
  const decisions = decide([{ holder: 'li', place: 'p', permissions: ['application.deploy'] }])
  expect(may(decisions, 'application.deploy', { environment: 'shop-dev' })).toBe(true)
  expect(may(decisions, 'application.deploy', { project: 'shop' })).toBe(true)
  expect(may(decisions, 'application.deploy', { environment: 'bank-dev' })).toBe(false)
  expect(may(decisions, 'application.deploy', { tenant: 'retail' })).toBe(false)
  expect(may(decisions, 'application.deploy', {})).toBe(false)
  expect(may(decisions, 'operation.undo', { environment: 'shop-dev' })).toBe(false)
  expect(decisions.somewhere(li, 'application.deploy', NOW)).toBe(true)
  expect(decisions.somewhere(li, 'operation.undo', NOW)).toBe(false)
})

test('a grant to a group counts for its members only', () => {
  const decisions = decide([{ holder: 'g', place: '', permissions: ['*'] }])
  expect(may(decisions, 'operation.undo', { environment: 'bank-dev' })).toBe(true)
  expect(may(decisions, 'operation.undo', {}, { ...li, id: 'wang', name: 'wang' })).toBe(false)
})

test('a grant counts until its time and not at it', () => {
  const decisions = decide([{ holder: 'li', place: '', permissions: ['*'], expireMs: NOW + 1 }])
  expect(may(decisions, 'operation.undo', {})).toBe(true)
  expect(decisions.may(li, 'operation.undo', {}, NOW + 1)).toBe(false)
  expect(decisions.nextExpiry(NOW)).toBe(NOW + 1)
})

test('whoever is disabled or unknown may nothing; a name alone is nobody', () => {
  const disabled = new Map([['li', { name: 'li', identity: 'x', disabled: true, groups: [] }]])
  const grants = [{ holder: 'li', place: '', permissions: ['*'] }]
  expect(may(decide(grants, disabled), 'operation.undo', {})).toBe(false)
  const { id: _, ...nameless } = li
  expect(may(decide(grants), 'operation.undo', {}, nameless)).toBe(false)
  expect(decide(grants).identityOf(nameless)).toBeUndefined()
})

test('a token reaches no further than what it carries and where it counts', () => {
  const decisions = decide([{ holder: 'li', place: '', permissions: ['*'] }])
  const token: Subject = { ...li, kind: 'token', permissions: ['application.list'], within: { project: 'shop' } }
  expect(may(decisions, 'application.list', { environment: 'shop-dev' }, token)).toBe(true)
  expect(may(decisions, 'application.list', { environment: 'bank-dev' }, token)).toBe(false)
  expect(may(decisions, 'application.list', {}, token)).toBe(false)
  expect(may(decisions, 'operation.undo', { environment: 'shop-dev' }, token)).toBe(false)
  expect(decisions.environmentsWith(token, 'application.list', NOW)).toEqual(new Set(['shop-dev']))
  expect(decisions.somewhere(token, 'application.list', NOW)).toBe(true)
})

test('an unknown place lies only within the platform', () => {
  const decisions = decide([{ holder: 'li', place: 't', permissions: ['*'] }])
  expect(may(decisions, 'application.list', { environment: 'nowhere' })).toBe(false)
  expect(decisions.isWithin({ environment: 'nowhere' }, { tenant: 'retail' })).toBe(false)
  expect(decisions.isWithin({ environment: 'nowhere' }, {})).toBe(true)
  expect(decisions.isWithin({ environment: 'shop-dev' }, { tenant: 'retail' })).toBe(true)
  expect(decisions.isWithin({ project: 'nowhere' }, { project: 'nowhere-else' })).toBe(false)
})

test('a namespace has the permissions of its environment, one without an environment those of the platform', () => {
  const decisions = decide([{ holder: 'li', place: 'e', permissions: ['application.list'] }])
  expect(decisions.permissionsAt(li, { cluster: 'one', namespace: 'shop-dev' }, NOW)).toEqual(
    new Set(['application.list']),
  )
  expect(decisions.permissionsAt(li, { cluster: 'one', namespace: 'kube-system' }, NOW).size).toBe(0)
  expect(decisions.permissionsAt(li, { cluster: 'two', namespace: 'shop-dev' }, NOW).size).toBe(0)
})

test('those who could grant are those who may grant and have it themselves, the nearest first', () => {
  const decisions = decide([
    { holder: 'wang', place: '', permissions: ['*'] },
    { holder: 'li', place: 'p', permissions: ['grant.create', 'operation.undo'] },
  ])
  expect(decisions.grantors('operation.undo', { environment: 'shop-dev' }, NOW, 3)).toEqual(['li', 'wang'])
  expect(decisions.grantors('application.deploy', { environment: 'shop-dev' }, NOW, 3)).toEqual(['wang'])
})
