import type { Permission, Subject } from '@quarterdeck/kernel'
import { expect, test } from 'vitest'
import { Decisions } from './authority.rules.ts'
import type { FactChange } from './fact.rules.ts'

const ALL: Permission[] = ['application.list', 'application.deploy', 'operation.undo', 'grant.create']
const NOW = Date.parse('2026-11-21T12:00:00Z')
const li: Subject = { id: 'li', name: 'li', kind: 'user', permissions: ['*'] }

interface Granted {
  holder: string
  place: string
  permissions: string[]
  expireMs?: number
}

/** Two projects of one tenant with an environment each; li is in a group, wang is not. */
function decide(granted: Granted[], more: FactChange[] = []): Decisions {
  const decisions = new Decisions(ALL)
  const user = (id: string, groups: string[]): FactChange => ({
    kind: 'account',
    id,
    fact: { name: id, identity: `quarterdeck:user:${id}`, kind: 'user', disabled: false, groups },
  })
  const environment = (id: string, name: string, parent: string): FactChange => ({
    kind: 'environment',
    id,
    fact: { name, parent, cluster: 'one', namespace: name },
  })
  decisions.facts.take([
    user('li', ['g']),
    user('wang', []),
    { kind: 'group', id: 'g', fact: { name: 'retail-devs' } },
    { kind: 'tenant', id: 't', fact: { name: 'retail' } },
    { kind: 'project', id: 'p', fact: { name: 'shop', parent: 't' } },
    { kind: 'project', id: 'p2', fact: { name: 'bank', parent: 't' } },
    environment('e', 'shop-dev', 'p'),
    environment('e2', 'bank-dev', 'p2'),
    ...granted.flatMap(({ holder, place, permissions, expireMs = null }, index): FactChange[] => [
      { kind: 'role', id: `r${index}`, fact: { name: `role-${index}`, permissions } },
      { kind: 'grant', id: `g${index}`, fact: { role: `r${index}`, holder, place, expireMs } },
    ]),
  ])
  decisions.facts.take(more)
  decisions.forget()
  return decisions
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
  const fact = { name: 'li', identity: 'x', kind: 'user' as const, disabled: true, groups: [] }
  const disabled: FactChange[] = [{ kind: 'account', id: 'li', fact }]
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

test('who could grant is found without asking everybody, and only users are named', () => {
  const many = Array.from({ length: 5_000 }, (_, index): FactChange => {
    const fact = { name: `u${index}`, identity: `i${index}`, kind: 'user' as const, disabled: false, groups: ['g'] }
    return { kind: 'account', id: `u${index}`, fact }
  })
  const robot = { name: 'robot', identity: 'robot', kind: 'machine' as const, disabled: false, groups: [] }
  const decisions = decide(
    [
      { holder: 'g', place: 'p', permissions: ['grant.create'] },
      { holder: 'robot', place: 'e', permissions: ['*'] },
      { holder: 'wang', place: 't', permissions: ['operation.undo'] },
      { holder: 'wang', place: 'p', permissions: ['grant.create'] },
    ],
    [{ kind: 'account', id: 'robot', fact: robot }, ...many],
  )
  expect(decisions.grantors('grant.create', { environment: 'shop-dev' }, NOW, 3)).toEqual(['li', 'u0', 'u1'])
})

test('[TEN-07] a permission that is held at the place and the right to grant further up go together', () => {
  const decisions = decide([
    { holder: 'wang', place: 'e', permissions: ['operation.undo'] },
    { holder: 'wang', place: 'p', permissions: ['grant.create'] },
  ])
  expect(decisions.grantors('operation.undo', { environment: 'shop-dev' }, NOW, 3)).toEqual(['wang'])
  expect(decisions.grantors('operation.undo', { project: 'shop' }, NOW, 3)).toEqual([])
})

test('facts are taken over one by one: what has changed counts, what has gone does not', () => {
  const decisions = decide([{ holder: 'g', place: 'p', permissions: ['application.list'] }])
  const scope = { environment: 'shop-dev' }
  const take = (change: FactChange) => {
    expect(decisions.facts.take([change])).toBe(true)
    expect(decisions.facts.take([change])).toBe(false)
    decisions.forget()
  }
  expect(decisions.environmentsWith(li, 'application.list', NOW)).toEqual(new Set(['shop-dev']))
  take({
    kind: 'environment',
    id: 'e',
    fact: { name: 'shop-dev', parent: 'p2', cluster: 'one', namespace: 'shop-dev' },
  })
  expect(may(decisions, 'application.list', scope)).toBe(false)
  take({ kind: 'environment', id: 'e', fact: { name: 'shop-dev', parent: 'p', cluster: 'two', namespace: 'shop-dev' } })
  expect(may(decisions, 'application.list', scope)).toBe(true)
  expect(decisions.permissionsAt(li, { cluster: 'one', namespace: 'shop-dev' }, NOW).size).toBe(0)
  expect(decisions.permissionsAt(li, { cluster: 'two', namespace: 'shop-dev' }, NOW).size).toBe(1)
  take({ kind: 'role', id: 'r0', fact: { name: 'role-0', permissions: ['operation.undo'] } })
  expect([may(decisions, 'application.list', scope), may(decisions, 'operation.undo', scope)]).toEqual([false, true])
  take({ kind: 'grant', id: 'g0' })
  expect(may(decisions, 'operation.undo', scope)).toBe(false)
  expect(decisions.somewhere(li, 'operation.undo', NOW)).toBe(false)
})

test('[A18] a place that is made again under the same name is another place', () => {
  const decisions = decide([{ holder: 'li', place: 'e', permissions: ['*'] }])
  decisions.facts.take([
    { kind: 'environment', id: 'e' },
    { kind: 'environment', id: 'e3', fact: { name: 'shop-dev', parent: 'p', cluster: 'one', namespace: 'shop-dev' } },
  ])
  decisions.forget()
  expect(may(decisions, 'operation.undo', { environment: 'shop-dev' })).toBe(false)
})

test('[A16] what somebody has been granted beyond what one may oneself is found, in groups too', () => {
  const decisions = decide([
    { holder: 'wang', place: 'p', permissions: ['application.list', 'application.deploy'] },
    { holder: 'g', place: 'e', permissions: ['application.list'] },
    { holder: 'li', place: 'e2', permissions: ['application.list'], expireMs: NOW },
  ])
  const wang = { ...li, id: 'wang', name: 'wang' }
  expect(decisions.exceeds(wang, 'li', NOW)).toBeUndefined()
  expect(decisions.exceeds(wang, 'li', NOW - 1)).toEqual({ permission: 'application.list', place: 'e2' })
  expect(decisions.exceeds(li, 'wang', NOW)).toEqual({ permission: 'application.list', place: 'p' })
  const token: Subject = { ...wang, kind: 'token', within: { environment: 'bank-dev' } }
  expect(decisions.exceeds(token, 'g', NOW)).toEqual({ permission: 'application.list', place: 'e' })
  const all = decide([
    { holder: 'wang', place: '', permissions: ALL },
    { holder: 'li', place: '', permissions: ['*'] },
  ])
  expect(all.exceeds(wang, 'li', NOW)).toEqual({ permission: '*', place: '' })
})

test('environments of a place are those within it, whatever was made, moved or deleted since', () => {
  const decisions = decide([{ holder: 'li', place: 'p', permissions: ['application.list'] }])
  expect(decisions.environmentsIn({ tenant: 'retail' })).toEqual(['shop-dev', 'bank-dev'])
  expect(decisions.environmentsIn({})).toHaveLength(2)
  expect(decisions.environmentsIn({ environment: 'shop-dev' })).toEqual(['shop-dev'])
  expect(decisions.environmentsIn({ project: 'nowhere' })).toEqual([])
  const fact = { name: 'shop-prod', parent: 'p', cluster: 'one', namespace: 'shop-prod' }
  decisions.facts.take([{ kind: 'environment', id: 'e9', fact }])
  decisions.forget()
  expect(decisions.environmentsWith(li, 'application.list', NOW)).toEqual(new Set(['shop-dev', 'shop-prod']))
  decisions.facts.take([{ kind: 'environment', id: 'e' }])
  decisions.forget()
  expect(decisions.environmentsWith(li, 'application.list', NOW)).toEqual(new Set(['shop-prod']))
})
