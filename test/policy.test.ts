import { globSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { knownPermissions, PERMISSIONS } from '../features/tenancy/role/permission.contract.ts'
import { declaredEndpoints } from '../scripts/contracts.ts'

const endpoints = (await declaredEndpoints()).map(({ endpoint }) => endpoint)

/** What anybody may ask who has not signed in. An endpoint comes onto this list only by somebody's decision. */
const OPEN = [
  'administrator.create',
  'device-login.finish',
  'device-login.start',
  'password-link.find',
  'password.choose',
  'session.create',
  'setup.get',
  'sign-in.begin',
  'sign-in.finish',
  'sign-in.list',
  'sign-in.log-out',
]

test('[TEN-06] every endpoint asks for a permission that there is, for oneself, or is open on purpose', () => {
  const known = new Set<string>([...knownPermissions, 'self', 'anonymous'])
  expect(endpoints.filter(({ permission }) => !known.has(permission)).map(({ id }) => id)).toEqual([])
  const open = endpoints.filter(({ permission }) => permission === 'anonymous').map(({ id }) => id)
  expect(open.sort()).toEqual(OPEN)
})

test('every permission opens something: an endpoint, a part of one, or something at the Kubernetes API', () => {
  const asked = new Set<string>(endpoints.map(({ permission }) => permission))
  const handlers = globSync('features/*/*/*.routes.ts').map((file) => readFileSync(file, 'utf8'))
  const isRequired = (permission: string) => handlers.some((text) => text.includes(`require('${permission}'`))
  const idle = knownPermissions.filter((one) => !asked.has(one) && !('native' in PERMISSIONS[one]) && !isRequired(one))
  expect(idle).toEqual([])
})

test('an endpoint that counts anywhere names no place in its path, one that counts at its path names at most one kind', () => {
  const places = ['environment', 'project', 'tenant']
  const wrong = endpoints.filter(({ path, reach }) => {
    const named = places.filter((place) => path.includes(`:${place}`))
    return reach === 'anywhere' ? named.length > 0 && !path.endsWith(`:${named[0]}`) : named.length > 1
  })
  expect(wrong.map(({ id }) => id)).toEqual([])
})
