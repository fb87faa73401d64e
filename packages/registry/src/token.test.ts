import { expect, test } from 'vitest'
import { createTokenCache, parseChallenges } from './token.ts'

test('challenges are read whatever their form, and a long one does not take long', () => {
  expect(parseChallenges('Basic realm="a, b", Bearer realm="https://x/t",service=s,scope="repository:a:pull"')).toEqual(
    [
      { scheme: 'basic', parameters: { realm: 'a, b' } },
      { scheme: 'bearer', parameters: { realm: 'https://x/t', service: 's', scope: 'repository:a:pull' } },
    ],
  )
  expect(parseChallenges('Bearer realm="say \\"hi\\""')[0]?.parameters.realm).toBe('say "hi"')
  expect(parseChallenges('')).toEqual([])
  parseChallenges('a="'.repeat(1_000_000))
  parseChallenges(`Bearer realm${' '.repeat(1_000_000)}`)
})

test('a token is used until shortly before it expires', () => {
  let now = 0
  const cache = createTokenCache(() => now)
  cache.set('scope', 'token', 60)
  now = 49_000
  expect(cache.get('scope')).toBe('token')
  now = 51_000
  expect(cache.get('scope')).toBeUndefined()
})
