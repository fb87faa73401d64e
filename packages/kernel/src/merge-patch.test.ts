import { expect, test } from 'vitest'
import { inverseMergePatch, mergePatchOf, sameJson, thenMergePatch, withMergePatch } from './merge-patch.ts'

const before = { spec: { replicas: 2, template: { labels: { app: 'web' } }, ports: [80, 81] }, data: { a: '1' } }
const after = { spec: { replicas: 3, template: { labels: { app: 'web', tier: 'x' } }, ports: [80] }, more: true }

test('the patch between two states makes one of the other, and its inverse goes back', () => {
  const patch = mergePatchOf(before, after)
  expect(patch).toEqual({
    spec: { replicas: 3, template: { labels: { tier: 'x' } }, ports: [80] },
    data: null,
    more: true,
  })
  expect(withMergePatch(before, patch)).toEqual(after)
  expect(withMergePatch(after, inverseMergePatch(patch, before))).toEqual(before)
  expect(mergePatchOf(before, before)).toEqual({})
})

test('a member that becomes null goes, one that was null and stays away is no change', () => {
  expect(mergePatchOf({ a: 1, b: null }, { a: null })).toEqual({ a: null })
  expect(withMergePatch({ a: 1 }, { a: null, b: { c: null, d: 1 } })).toEqual({ b: { d: 1 } })
})

test('an object takes the place of a list and the other way round', () => {
  for (const [one, other] of [
    [{ a: [1] }, { a: { b: 1 } }],
    [{ a: { b: 1 } }, { a: 'text' }],
  ] as const) {
    const patch = mergePatchOf({ ...one } as never, { ...other } as never)
    expect(withMergePatch({ ...one } as never, patch)).toEqual(other)
  }
})

test('two patches become one, the later has the last word', () => {
  const first = { a: { x: 1, y: 1 }, b: 1 }
  const second = { a: { y: null }, c: [1] }
  const target = { a: { z: 1, y: 2 }, d: 1 }
  expect(withMergePatch(target, thenMergePatch(first, second))).toEqual(
    withMergePatch(withMergePatch(target, first), second),
  )
})

test('equal values are equal whatever the order of their members', () => {
  expect(sameJson({ a: 1, b: [{ c: 1, d: 2 }] }, { b: [{ d: 2, c: 1 }], a: 1 })).toBe(true)
  expect(sameJson({ a: 1 }, { a: 1, b: 2 })).toBe(false)
  expect(sameJson([1], { 0: 1 })).toBe(false)
  expect(sameJson(null, undefined)).toBe(false)
})
