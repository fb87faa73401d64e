import { invalidInput, isProblem } from '@quarterdeck/kernel'
import { expect, test } from 'vitest'
import { nativePath } from './index.ts'

test.each([
  ['api/v1/namespaces/dev/pods', '/api/v1/namespaces/dev/pods'],
  [
    'apis/rbac.authorization.k8s.io/v1/clusterroles/system:node',
    '/apis/rbac.authorization.k8s.io/v1/clusterroles/system:node',
  ],
  [
    'apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode',
    '/apis/rbac.authorization.k8s.io/v1/clusterroles/system:node',
  ],
  ['api/v1/namespaces/dev/services/web:http/proxy/', '/api/v1/namespaces/dev/services/web:http/proxy/'],
  ['version', '/version'],
])('%s is %s', (sent, path) => {
  expect(nativePath(sent)).toBe(path)
})

test.each([
  '',
  '/api',
  'api//v1',
  '../version',
  'api/./v1',
  'api/%2e%2e/version',
  'api/%2E%2E%2fversion',
  'api/v1%2fpods',
  'api/v1%252fpods',
  'api/v1/a%5cb',
  'api/v1/a\\b',
  'api/v1/a%00',
  'api/v1/a%0d%0aX: y',
  'api/v1/a?b',
  'api/v1/a%3fb',
  'api/v1/a#b',
  'api/v1/%',
  'api/v1/%c0%ae%c0%ae/version',
  'http://elsewhere.example.com/',
  'api/v1/ä',
])('%s leads elsewhere and is refused', (sent) => {
  let thrown: unknown
  try {
    nativePath(sent)
  } catch (error) {
    thrown = error
  }
  expect(isProblem(thrown, invalidInput)).toBe(true)
})
