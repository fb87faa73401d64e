import { storeUnavailable } from '@quarterdeck/kernel'
import { expect, test } from 'vitest'
import {
  AmbiguousCommitError,
  isConnectionFailure,
  isUnavailable,
  StoreError,
  sqlState,
  unavailable,
} from './errors.ts'

const fromServer = (code: string, severity = 'ERROR') =>
  Object.assign(new Error('said by the server'), { code, severity })
const fromSocket = (code: string, syscall: string) => Object.assign(new Error(code), { code, syscall })

test.each([
  ['the server is being stopped', fromServer('57P01', 'FATAL')],
  ['the server is starting', fromServer('57P03', 'FATAL')],
  ['there are too many sessions', fromServer('53300', 'FATAL')],
  ['the disk is full', fromServer('53100')],
  ['a statement took too long', fromServer('57014')],
  ['nothing listens', fromSocket('ECONNREFUSED', 'connect')],
  ['the socket is not there', fromSocket('ENOENT', 'connect')],
  ['the connection was cut', new Error('Connection terminated unexpectedly')],
  ['the server does not answer', new Error('Query read timeout')],
  ['the store is not open', new StoreError('failed', 'no', 'wait')],
  ['the commit is in doubt', new AmbiguousCommitError(new Error('cut'))],
  ['it was said so already', storeUnavailable({ detail: 'later' })],
])('the store is unavailable when %s', (_when, error) => {
  expect(isUnavailable(error)).toBe(true)
})

test.each([
  ['a row is there already', fromServer('23505')],
  ['a table is not there', fromServer('42P01')],
  ['a file of ours is missing', fromSocket('ENOENT', 'open')],
  [
    'a cluster refuses a connection',
    Object.assign(new Error('fetch failed'), { cause: fromSocket('ECONNREFUSED', 'connect') }),
  ],
  ['something else went wrong', new TypeError('x is not a function')],
])('the store is not to blame when %s', (_when, error) => {
  expect(isUnavailable(error)).toBe(false)
})

test('only what ends the session counts as a lost connection', () => {
  expect(isConnectionFailure(fromServer('23505'))).toBe(false)
  expect(isConnectionFailure(fromServer('53100'))).toBe(false)
  expect(isConnectionFailure(fromServer('57P01', 'FATAL'))).toBe(true)
})

test('the state of the server is still seen behind the problem that is made of it', () => {
  expect(sqlState(unavailable(fromServer('53100')))).toBe('53100')
  expect(sqlState(fromSocket('ENOENT', 'open'))).toBeUndefined()
})
