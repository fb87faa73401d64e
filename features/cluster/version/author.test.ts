import { expect, test } from 'vitest'
import { type Authorship, authorsOf, type Written } from './author.rules.ts'

const minute = (count: number) => new Date(Date.parse('2026-11-21T12:00:00Z') + count * 60_000).toISOString()
const write = (user: string, from: number, to: number, rest: Partial<Authorship> = {}): Authorship => ({
  ...{ user, operation: `operation of ${user}`, act: 'write' },
  ...{ since: minute(from), until: minute(to) },
  ...rest,
})
const native = (user: string, at: number, act: Authorship['act'] = 'write'): Authorship => ({
  ...{ user, act, since: minute(at), until: minute(at) },
})
const authorOf = (one: Written, known: Authorship[]) => authorsOf([one], known).get(one.number)
const version = (at: number, rest: object = {}) => ({
  ...{ number: 1, change: 'changed' as const, manager: 'quarterdeck', time: minute(at), managedTime: minute(at) },
  ...rest,
})

test('a version belongs to the operation that was under way when it was written', () => {
  const known = [write('lin', 5, 6), write('ada', 1, 2)]
  expect(authorOf(version(1.5), known)).toEqual({ user: 'ada', operation: 'operation of ada' })
  expect(authorOf(version(5), known)).toEqual({ user: 'lin', operation: 'operation of lin' })
  expect(authorOf(version(3), known)).toBeUndefined()
})

test('what others than operations wrote meanwhile belongs to none of them', () => {
  expect(authorOf(version(1.5, { manager: 'kubectl-edit' }), [write('ada', 1, 2)])).toBeUndefined()
  expect(authorOf(version(1.5, { manager: 'quarterdeck-edit' }), [write('ada', 1, 2)])?.user).toBe('ada')
})

test("a request through the cluster's own API belongs to who sent it, and a creation only to a new object", () => {
  const edited = version(3, { manager: 'kubectl-edit' })
  expect(authorOf(edited, [native('ada', 3)])).toEqual({ user: 'ada' })
  expect(authorOf(edited, [native('ada', 3, 'create')])).toBeUndefined()
  expect(authorOf({ ...edited, change: 'added' }, [native('ada', 3, 'create')])?.user).toBe('ada')
  expect(authorOf(edited, [native('ada', 4)])).toBeUndefined()
})

test('a request is of one version, the last that it can have made', () => {
  const edited = { manager: 'kubectl-edit' }
  const before = version(2.98, { ...edited, change: 'added' })
  const after = version(3, { ...edited, number: 2 })
  const sent = { ...native('ada', 3), since: minute(2.9) }
  expect([...authorsOf([after, before], [sent])]).toEqual([[2, { user: 'ada' }]])
  expect([...authorsOf([before], [sent])]).toEqual([[1, { user: 'ada' }]])
})

test('a deletion is of who deleted, not of who wrote', () => {
  const gone = version(2.05, { change: 'deleted', manager: '', managedTime: undefined })
  expect(authorOf(gone, [write('ada', 1, 2), write('lin', 1, 2, { act: 'delete' })])?.user).toBe('lin')
  expect(authorOf(version(1.5), [write('lin', 1, 2, { act: 'delete' })])).toBeUndefined()
})

test('where several people may have, nobody is named; nor for what was merely found', () => {
  expect(authorOf(version(1.5), [write('ada', 1, 2), write('lin', 1, 2)])).toBeUndefined()
  expect(authorOf(version(1.5, { change: 'listed' }), [write('ada', 1, 2)])).toBeUndefined()
  expect(authorOf(version(1.5, { managedTime: undefined }), [write('ada', 1, 2)])).toBeUndefined()
})
