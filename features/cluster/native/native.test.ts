import { expect, test } from 'vitest'
import { askedFor, isOpened, isRecorded } from './native.rules.ts'

const asked = (line: string) => {
  const [method = '', url = ''] = line.split(' ')
  const [path = '', query = ''] = url.split('?')
  const found = askedFor(method, path, query)
  return found && `${found.verb} ${found.group}/${found.resource} in ${found.namespace || 'all'}`
}

test.each([
  ['GET /api/v1/namespaces/dev/pods', 'list /pods in dev'],
  ['GET /api/v1/namespaces/dev/pods?watch=true', 'watch /pods in dev'],
  ['GET /api/v1/namespaces/dev/pods/shop?watch=1', 'watch /pods in dev'],
  ['GET /api/v1/pods', 'list /pods in all'],
  ['GET /api/v1/namespaces/dev/pods/shop/log?follow=true', 'get /pods/log in dev'],
  ['POST /api/v1/namespaces/dev/pods/shop/exec?command=sh', 'create /pods/exec in dev'],
  ['GET /api/v1/namespaces/dev/pods/shop/proxy/a/b', 'get /pods/proxy in dev'],
  ['DELETE /apis/apps/v1/namespaces/dev/deployments', 'deletecollection apps/deployments in dev'],
  ['PATCH /apis/apps/v1/namespaces/dev/deployments/shop/scale', 'patch apps/deployments/scale in dev'],
  ['PUT /api/v1/namespaces/dev/finalize', 'update /namespaces/finalize in dev'],
  ['GET /api/v1/namespaces/dev', 'get /namespaces in dev'],
  ['GET /api/v1/namespaces', 'list /namespaces in all'],
  ['GET /apis/apps/v1', undefined],
  ['GET /version', undefined],
])('%s asks for %s', (line, expected) => {
  expect(asked(line)).toBe(expected)
})

const opened = (line: string, permissions: string[]) => {
  const [method = '', url = ''] = line.split(' ')
  const [path = '', query = ''] = url.split('?')
  return isOpened(askedFor(method, path, query), method, permissions)
}

test('[A15] a token is held to what it carries, whatever its owner may', () => {
  const looks = ['cluster.native', 'object.list', 'object.get']
  expect(opened('GET /api/v1/namespaces/dev/pods', looks)).toBe(true)
  expect(opened('GET /version', looks)).toBe(true)
  for (const line of [
    'GET /api/v1/namespaces/dev/secrets',
    'GET /api/v1/namespaces/dev/pods/shop/exec?command=sh',
    'POST /api/v1/namespaces/dev/pods/shop/exec?command=sh',
    'POST /api/v1/namespaces/dev/pods/shop/portforward',
    'GET /api/v1/namespaces/dev/pods/shop/log',
    'PATCH /api/v1/namespaces/dev/pods/shop/ephemeralcontainers',
    'GET /api/v1/namespaces/dev/services/shop/proxy/',
    'DELETE /api/v1/namespaces/dev/pods/shop',
    'POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
    'POST /version',
  ]) {
    expect(opened(line, looks), line).toBe(false)
  }
  expect(opened('POST /api/v1/namespaces/dev/pods/shop/exec?command=sh', ['container.exec'])).toBe(true)
})

test('what reads values of Secrets or logs is recorded, too', () => {
  const recorded = (path: string) => isRecorded('GET', path, askedFor('GET', path, ''))
  expect(recorded('/api/v1/namespaces/dev/secrets')).toBe(true)
  expect(recorded('/api/v1/namespaces/dev/pods/shop/log')).toBe(true)
  expect(recorded('/api/v1/namespaces/dev/pods')).toBe(false)
})

test('asking what one may do oneself changes nothing and is not recorded; asking for others is', () => {
  const recorded = (path: string) => isRecorded('POST', path, askedFor('POST', path, ''))
  expect(recorded('/apis/authorization.k8s.io/v1/selfsubjectrulesreviews')).toBe(false)
  expect(recorded('/apis/authentication.k8s.io/v1/selfsubjectreviews')).toBe(false)
  expect(recorded('/apis/authorization.k8s.io/v1/subjectaccessreviews')).toBe(true)
  expect(recorded('/apis/authorization.k8s.io.example/v1/selfsubjectrulesreviews')).toBe(true)
})
