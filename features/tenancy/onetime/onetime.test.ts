import { endpoint, type Subject } from '@quarterdeck/kernel'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { Code, type OneTimeRule } from './onetime.contract.ts'
import { grouped, type OneTimeFacts, stepUp, unknownNames, waitSeconds } from './onetime.rules.ts'

const NOW = Date.parse('2026-11-21T12:00:00Z')
const ago = (minutes: number) => new Date(NOW - minutes * 60_000).toISOString()
const of = (id: string, method: 'GET' | 'POST', change = false) =>
  endpoint({ id, method, path: '/x', permission: 'application.list', summary: id, response: z.null(), change })
const read = of('read', 'GET')
const write = of('write', 'POST', true)
const rule = (some: Partial<OneTimeRule>): OneTimeRule => ({
  roles: [],
  stages: [],
  acts: 'everything',
  maxAgeMinutes: 10,
  ...some,
})
const facts = (...rules: OneTimeRule[]): OneTimeFacts => ({
  accounts: new Map([
    ['li', { kind: 'user', enrolled: true, roles: new Set(['developer']) }],
    ['wang', { kind: 'user', enrolled: false, roles: new Set(['viewer']) }],
    ['robot', { kind: 'machine', enrolled: false, roles: new Set(['developer']) }],
  ]),
  stages: new Map([
    ['shop-prod', 'prod'],
    ['shop-dev', 'dev'],
  ]),
  roles: new Set(['developer', 'viewer']),
  rules,
})
const who = (id: string, some: Partial<Subject> = {}): Subject => ({
  id,
  name: id,
  kind: 'user',
  permissions: ['*'],
  ...some,
})
const verified = (minutes: number): Partial<Subject> => ({ verifyTime: ago(minutes) })
const asked = (
  some: OneTimeFacts,
  subject: Subject,
  act: Partial<Parameters<typeof stepUp>[2]> = {},
): Record<string, unknown> | undefined =>
  stepUp(some, subject, { endpoint: read, permission: 'application.list', scope: {}, ...act }, NOW)?.body

test('[TEN-03] whoever is enrolled needs a code in every session, whatever its age; a token was made in one', () => {
  expect(asked(facts(), who('li'))).toMatchObject({ status: 403, enrolled: true })
  expect(asked(facts(), who('li', verified(600)))).toBeUndefined()
  expect(asked(facts(), who('li', { kind: 'token' }))).toBeUndefined()
  expect(asked(facts(), who('wang'))).toBeUndefined()
})

test('[TEN-03] a rule asks for a code that is not too old, and says how to enrol to whoever has none', () => {
  const some = facts(rule({ maxAgeMinutes: 10 }))
  expect(asked(some, who('li', verified(10)))).toBeUndefined()
  expect(asked(some, who('li', verified(11)))).toMatchObject({ maxAgeMinutes: 10, enrolled: true })
  expect(asked(some, who('li', { kind: 'token' }))).toMatchObject({ maxAgeMinutes: 10 })
  expect(asked(some, who('wang'))).toMatchObject({ enrolled: false, detail: expect.stringContaining('enrol') })
  // A code of the future is one of a clock that was set back.
  expect(asked(some, who('li', verified(-11)))).toMatchObject({ maxAgeMinutes: 10 })
})

test('[TEN-03] rules look at roles, at stages and at acts, and all that a rule says has to hold', () => {
  const old = verified(60)
  const ofRole = facts(rule({ roles: ['developer'] }))
  expect(asked(ofRole, who('li', old))).toBeDefined()
  expect(asked(ofRole, who('wang'))).toBeUndefined()
  const inProd = facts(rule({ stages: ['prod'], acts: 'changes' }))
  expect(asked(inProd, who('li', old), { endpoint: write, scope: { environment: 'shop-prod' } })).toBeDefined()
  expect(asked(inProd, who('li', old), { endpoint: read, scope: { environment: 'shop-prod' } })).toBeUndefined()
  expect(asked(inProd, who('li', old), { endpoint: write, scope: { environment: 'shop-dev' } })).toBeUndefined()
  expect(asked(inProd, who('li', old), { endpoint: write })).toBeUndefined()
  const shell = { permission: 'container.exec', scope: { environment: 'shop-prod' } } as const
  expect(asked(inProd, who('li', old), shell)).toBeDefined()
  const acts = facts(rule({ acts: ['container.exec'], roles: ['developer'], stages: ['prod'] }))
  expect(asked(acts, who('li', old), shell)).toBeDefined()
  expect(asked(acts, who('li', old), { ...shell, scope: { environment: 'shop-dev' } })).toBeUndefined()
  expect(asked(acts, who('wang'), shell)).toBeUndefined()
})

test('[TEN-03] the strictest of the rules that hold says how old a code may be', () => {
  const some = facts(rule({ maxAgeMinutes: 30 }), rule({ maxAgeMinutes: 5 }), rule({ maxAgeMinutes: 240 }))
  expect(asked(some, who('li', verified(60)))).toMatchObject({ maxAgeMinutes: 5 })
})

test('machine accounts and the platform itself give no codes; who or what is not known yet is taken to be meant', () => {
  const some = facts(rule({ roles: ['developer'], stages: ['prod'] }))
  const act = { endpoint: write, scope: { environment: 'made-this-moment' } }
  expect(asked(some, who('robot', { kind: 'token' }), act)).toBeUndefined()
  expect(asked(some, { name: 'quarterdeck', kind: 'user', permissions: ['*'] }, act)).toBeUndefined()
  expect(asked(some, who('new'), act)).toBeDefined()
})

test('[A39] five wrong codes are free, then one in thirty seconds, and after a hundred one an hour', () => {
  const now = '2026-11-21T12:00:00.000Z'
  const before = (seconds: number) => new Date(Date.parse(now) - seconds * 1_000).toISOString()
  expect(waitSeconds(4, before(0), now)).toBe(0)
  expect(waitSeconds(5, before(0), now)).toBe(30)
  expect(waitSeconds(5, before(29.5), now)).toBe(1)
  expect(waitSeconds(5, before(30), now)).toBe(0)
  expect(waitSeconds(100, before(60), now)).toBe(3_540)
  expect(waitSeconds(5, before(-3_600), now)).toBe(30)
})

test('codes are taken as people type them', () => {
  expect(Code.parse('123 456')).toBe('123456')
  expect(Code.parse('abcd-efgh-2345-mnop')).toBe('ABCDEFGH2345MNOP')
  expect(grouped('ABCDEFGH2345MNOP')).toBe('ABCD-EFGH-2345-MNOP')
  for (const wrong of ['', '12345', '1234567', 'ABCD', '١٢٣٤٥٦']) expect(Code.safeParse(wrong).success).toBe(false)
})

test('a rule that names what there is not says where', () => {
  const rules = [rule({ roles: ['developer', 'ghost'], acts: ['container.exec', 'boat.sail'] })]
  expect(unknownNames(rules, { roles: new Set(['developer']), permissions: ['container.exec'] })).toEqual([
    { pointer: '/body/rules/0/roles/1', detail: 'There is no role ghost; qd role list shows them' },
    { pointer: '/body/rules/0/acts/1', detail: 'There is no permission boat.sail' },
  ])
})
