import { expect, test } from 'vitest'
import { guardOf } from './guard.rules.ts'

const guarded = { table: 'audit_event', may: [], refuses: true }
const sealed = { ...guarded, table: 'audit_seal' }

test('[TEN-16] a role that may only append keeps the trail by privilege', () => {
  expect(guardOf([guarded, sealed], undefined)).toEqual({ appendOnly: 'privilege' })
})

test('[TEN-16] a table that may be changed is kept by its trigger, and why is said', () => {
  const broad = { ...sealed, may: ['update', 'own'] }
  expect(guardOf([guarded, broad], 'It acts as the owner.')).toEqual({
    appendOnly: 'trigger',
    remark: 'It acts as the owner.',
  })
  expect(guardOf([guarded, broad], undefined).remark).toBe(`The server's role may update, own audit_seal.`)
})

test('[TEN-16] a trigger that is switched off is told, whatever else keeps the trail', () => {
  const off = { ...guarded, refuses: false }
  const remark = 'The trigger that refuses changes is gone or switched off: audit_event.'
  expect(guardOf([off, sealed], undefined)).toEqual({ appendOnly: 'privilege', remark })
  expect(guardOf([{ ...off, may: ['delete'] }, sealed], 'Why.')).toEqual({ appendOnly: 'no', remark: `${remark} Why.` })
})
