import { expect, test } from 'vitest'
import { generate } from '../generator/generate.ts'
import { randomOf } from '../generator/random.ts'
import { shapeOf } from '../generator/shape.ts'
import { answerOf, facetOf, requireSame } from './answers.ts'
import type { Fact } from './facts.ts'
import { podFacts } from './pod-facts.ts'
import { searchTotals } from './search.ts'
import { searchedText } from './searched-text.ts'

const pods = (count: number): Fact[] =>
  [...generate(shapeOf(count))]
    .filter(({ object }) => object.kind === 'Pod')
    .map(({ object }) => ({
      resource: 'pods',
      namespace: object.metadata.namespace ?? '',
      name: object.metadata.name,
      uid: object.metadata.uid,
      revision: '1',
      created: Date.parse(object.metadata.creationTimestamp) / 1000,
      labels: object.metadata.labels ?? {},
      text: searchedText('pods', object),
      pod: podFacts(object),
    }))

test('the same shape gives the same cluster, byte for byte, with exactly as many pods as asked for', () => {
  const once = JSON.stringify([...generate(shapeOf(1_000))])
  expect(JSON.stringify([...generate(shapeOf(1_000))])).toBe(once)
  expect(JSON.stringify([...generate(shapeOf(1_000, { seed: 7 }))])).not.toBe(once)
  expect(pods(1_000)).toHaveLength(1_000)
})

test('keys, uids and names of a generated cluster occur once', () => {
  const all = [...generate(shapeOf(3_000, { heavy: true }))]
  expect(new Set(all.map(({ key }) => key)).size).toBe(all.length)
  expect(new Set(all.map(({ object }) => object.metadata.uid)).size).toBe(all.length)
})

test('heavy pods have three to five containers and six to fourteen kilobytes', () => {
  for (const { object } of generate(shapeOf(500, { heavy: true }))) {
    if (object.kind !== 'Pod') continue
    const { containers } = object.spec as { containers: unknown[] }
    expect([3, 4, 5]).toContain(containers.length)
  }
  const sizes = [...generate(shapeOf(500, { heavy: true }))]
    .filter(({ object }) => object.kind === 'Pod')
    .map(({ object }) => JSON.stringify(object).length)
  expect(sizes.reduce((a, b) => a + b) / sizes.length).toBeGreaterThan(8_000)
})

test('a page of the oracle is in order, complete and within what was asked for', () => {
  const all = pods(2_000)
  const question = {
    label: ['tier', 'front'],
    sort: { field: 'restarts', descending: true },
    offset: 0,
    limit: 10_000,
  } as const
  const { total, keys } = answerOf(all, question)
  const of = new Map(all.map((fact) => [`${fact.namespace}/${fact.name}`, fact]))
  const found = keys.map((key) => of.get(key))
  expect(total).toBe(all.filter(({ labels }) => labels.tier === 'front').length)
  for (const [n, fact] of found.entries()) {
    expect(fact?.labels.tier).toBe('front')
    const previous = found[n - 1]
    if (previous && fact) expect(previous.pod?.restarts).toBeGreaterThanOrEqual(fact.pod?.restarts ?? 0)
  }
  expect(answerOf(all, { ...question, offset: 50, limit: 50 }).keys).toEqual(keys.slice(50, 100))
})

test('facets count every pod once', () => {
  const all = pods(2_000)
  const counts = facetOf(all, {}, 'status')
  expect(counts.reduce((sum, { count }) => sum + count, 0)).toBe(2_000)
  expect(counts[0]?.value).toBe('Running')
})

test('an answer with another total, another order or a row too few is refused', () => {
  const right = { total: 3, keys: ['a/1', 'a/2', 'a/3'] }
  expect(() => requireSame('page', { total: 3, keys: ['a/1', 'a/2', 'a/3'] }, right)).not.toThrow()
  expect(() => requireSame('page', { total: 4, keys: right.keys }, right)).toThrow('total 4, right is 3')
  expect(() => requireSame('page', { total: 3, keys: ['a/1', 'a/3', 'a/2'] }, right)).toThrow('row 1 is a/3')
  expect(() => requireSame('page', { total: 3, keys: ['a/1', 'a/2'] }, right)).toThrow('row 2')
})

test('two generators of one seed say the same, of two seeds not', () => {
  const words = (seed: number) => {
    const random = randomOf(seed)
    return Array.from({ length: 50 }, () => random.letters(5))
  }
  expect(words(1)).toEqual(words(1))
  expect(words(1)).not.toEqual(words(2))
})

test('a search finds what is in names, labels, images and addresses, all words of it', () => {
  const all = pods(1_000)
  const one = all.find(({ pod }) => pod?.address !== '') as Fact
  expect(searchTotals(all, one.name.toUpperCase()).get('pods')).toBe(1)
  expect(searchTotals(all, `${one.name} ${one.pod?.images[0]}`).get('pods')).toBe(1)
  expect(searchTotals(all, `${one.name} nothing-like-this`).size).toBe(0)
  expect(searchTotals(all, one.name, ['elsewhere']).size).toBe(0)
  expect(searchTotals(all, 'tier=').get('pods')).toBe(1_000)
})
