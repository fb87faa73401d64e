import type { Json } from '@quarterdeck/kernel'
import { expect, test } from 'vitest'
import { afterSteps, stepsBetween } from './version.rules.ts'

test('the steps between two values lead from the one to the other', () => {
  const from = { spec: { replicas: 1, list: [1, 2, 3], same: { a: null } }, old: true }
  const to = { spec: { replicas: 3, list: [1, 5], same: { a: null }, more: [{ x: 1 }] } }
  const steps = stepsBetween(from, to)
  expect(afterSteps(from, steps)).toEqual(to)
  expect(steps).toEqual([
    { path: ['old'] },
    { path: ['spec', 'replicas'], value: 3 },
    { path: ['spec', 'list'], length: 2 },
    { path: ['spec', 'list', 1], value: 5 },
    { path: ['spec', 'more'], value: [{ x: 1 }] },
  ])
})

test('values that are the same need no step, whatever the order of members', () => {
  expect(stepsBetween({ a: 1, b: { c: [], d: 'x' } }, { b: { d: 'x', c: [] }, a: 1 })).toEqual([])
})

test('members named like parts of a prototype are members like any other', () => {
  const from = JSON.parse('{"a":1}') as Json
  const to = JSON.parse('{"a":1,"__proto__":{"x":1},"constructor":"y"}') as Json
  const back = afterSteps(from, stepsBetween(from, to))
  expect(JSON.stringify(back)).toBe(JSON.stringify(to))
  expect(({} as { x?: number }).x).toBeUndefined()
})

test('steps that belong to another value are refused', () => {
  expect(() => afterSteps({ a: 1 }, [{ path: ['b', 'c'], value: 1 }])).toThrow('nothing at b')
})

test('any two values are reached from each other, both ways', () => {
  const random = seeded(20261121)
  for (let round = 0; round < 2_000; round++) {
    const from = tree(random, 4)
    const to = random() < 0.5 ? tree(random, 4) : changed(random, from)
    expect(afterSteps(from, stepsBetween(from, to))).toEqual(to)
    expect(afterSteps(to, stepsBetween(to, from))).toEqual(from)
  }
})

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let value = Math.imul(state ^ (state >>> 15), 1 | state)
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32
  }
}

function tree(random: () => number, depth: number): Json {
  const kind = Math.floor(random() * (depth === 0 ? 4 : 6))
  if (kind === 0) return null
  if (kind === 1) return random() < 0.5
  if (kind === 2) return Math.floor(random() * 5)
  if (kind === 3) return 'abc'.slice(Math.floor(random() * 3))
  const members = Array.from({ length: Math.floor(random() * 4) }, () => tree(random, depth - 1))
  return kind === 4 ? members : Object.fromEntries(members.map((member, index) => ['klmn'[index] ?? 'z', member]))
}

function changed(random: () => number, value: Json): Json {
  if (random() < 0.2) return tree(random, 2)
  if (Array.isArray(value)) return value.map((member) => changed(random, member))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(() => random() > 0.2)
      .map(([key, member]) => [key, changed(random, member)]),
  )
}
