import { expect, test } from 'vitest'
import type { AuditRecord } from './audit.contract.ts'
import { openSealer } from './seal.reconciler.ts'
import { isSealDue } from './seal.rules.ts'
import { framed } from './send.routes.ts'
import { syslogMessage } from './syslog.rules.ts'

const statement = { sequence: 7, hash: 'ab'.repeat(32), time: '2026-11-21T00:00:00.000Z' }

test('[TEN-16] a seal is ours only as it was signed, with the key that it was signed with', () => {
  const sealer = openSealer(new Uint8Array(32).fill(1))
  const seal = sealer.seal(statement)
  expect(sealer.isOurs(seal)).toBe(true)
  expect(openSealer(new Uint8Array(32).fill(1)).isOurs(seal)).toBe(true)
  expect(openSealer(new Uint8Array(32).fill(2)).isOurs(seal)).toBe(false)
  for (const other of [{ sequence: 8 }, { hash: 'ac'.repeat(32) }, { time: '2026-11-22T00:00:00.000Z' }]) {
    expect(sealer.isOurs({ ...seal, ...other })).toBe(false)
  }
})

test('a seal is due when a day has begun since the last one', () => {
  expect(isSealDue(undefined, '2026-11-21T12:00:00.000Z')).toBe(true)
  expect(isSealDue({ time: '2026-11-21T00:00:01.000Z' }, '2026-11-21T23:59:59.000Z')).toBe(false)
  expect(isSealDue({ time: '2026-11-21T23:59:59.000Z' }, '2026-11-22T00:00:00.000Z')).toBe(true)
})

const record: AuditRecord = {
  number: 12,
  time: '2026-11-21T10:00:00.000Z',
  actor: 'ann',
  act: 'application.deploy',
  what: 'one/dev/application/shop',
  outcome: 'succeeded',
  detail: 'Deploy shop',
  hash: 'cd'.repeat(32),
}

test('[TEN-16] a record is one RFC 5424 message with its fields as structured data', () => {
  expect(syslogMessage(record, 'deck.example.org')).toBe(
    `<109>1 2026-11-21T10:00:00.000Z deck.example.org quarterdeck - application.deploy [audit@32473 number="12" actor="ann" act="application.deploy" what="one/dev/application/shop" outcome="succeeded" hash="${'cd'.repeat(32)}"] \uFEFFDeploy shop`,
  )
  expect(syslogMessage({ ...record, outcome: 'failed' }, '')).toMatch(/^<108>1 \S+ - /)
})

test('[TEN-16] what somebody puts into a name or a reason stays within its field and its line', () => {
  const message = syslogMessage(
    { ...record, actor: 'eve"] forged', what: 'back\\slash', detail: 'first\n<109>1 second\u0000\u2028' },
    'a b\nc',
  )
  expect(message.split('\n')).toHaveLength(1)
  expect(message).toContain('actor="eve\\"\\] forged"')
  expect(message).toContain('what="back\\\\slash"')
  expect(message).toContain('first\\u000a<109>1 second\\u0000\\u2028')
  expect(message).toMatch(/^<109>1 \S+ a_b_c quarterdeck/)
})

test('a frame says how many bytes follow, not how many characters', () => {
  expect(framed('部署')).toBe('6 部署')
})
