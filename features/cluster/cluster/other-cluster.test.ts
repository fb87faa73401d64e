import { expect, test } from 'vitest'
import { notTheSame } from './other-cluster.rules.ts'

const known = { name: 'prod', server: 'https://old', uid: 'a' }
const asked = {
  server: 'https://new',
  uid: 'b' as string | undefined,
  otherCluster: false,
  named: [] as string[],
  environments: ['shop-dev', 'shop-prod'],
}

test('[A07] the same cluster, and one that has never said which it is, are taken', () => {
  expect(notTheSame(known, { ...asked, uid: 'a' })).toBeUndefined()
  expect(notTheSame({ ...known, uid: null }, asked)).toBeUndefined()
  expect(notTheSame(known, { ...asked, uid: undefined, server: known.server })).toBeUndefined()
})

test('[A07] another one, and one that does not say which it is, take a word', () => {
  expect(notTheSame(known, asked)).toContain('leads to another cluster than the one that is registered as prod')
  expect(notTheSame(known, { ...asked, uid: undefined })).toContain('does not say whether it leads to the cluster')
  expect(notTheSame(known, { ...asked, environments: [] })).toContain('--other-cluster')
  expect(notTheSame(known, { ...asked, environments: [], otherCluster: true })).toBeUndefined()
})

test('[A07] environments come to be on another cluster only when each of them is named', () => {
  const confirmed = { ...asked, otherCluster: true }
  expect(notTheSame(known, confirmed)).toContain('--environments shop-dev,shop-prod')
  expect(notTheSame(known, { ...confirmed, named: ['shop-dev'] })).toContain('1 environments would come')
  expect(notTheSame(known, { ...confirmed, named: ['shop-dev', 'shop-prod', 'x'] })).toContain('x: no such')
  expect(notTheSame(known, { ...confirmed, named: ['shop-prod', 'shop-dev'] })).toBeUndefined()
})
