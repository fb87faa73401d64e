import type { KubeObject } from '@quarterdeck/kernel'
import { expect, test } from 'vitest'
import { CHOSEN, canonicalJson, fieldChanges, MASKED, masked } from './field-change.rules.ts'

const deployment = (image: string, more: object = {}): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'shop', namespace: 'dev', labels: { 'app.kubernetes.io/name': 'shop' } },
  spec: { replicas: 2, template: { spec: { containers: [{ name: 'shop', image, ...more }] } } },
})

test('a changed image is one line that says which container', () => {
  expect(fieldChanges(deployment('hello:1'), deployment('hello:2'))).toEqual([
    { path: 'spec.template.spec.containers[shop].image', before: 'hello:1', after: 'hello:2' },
  ])
})

test('what the API server keeps for itself is left out', () => {
  const before = deployment('hello:1')
  const after: KubeObject = {
    ...deployment('hello:1'),
    metadata: {
      ...before.metadata,
      uid: 'u',
      generation: 4,
      resourceVersion: '9',
      creationTimestamp: '2026-11-21T00:00:00Z',
      managedFields: [{ manager: 'quarterdeck' }],
      annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}' },
    },
    status: { replicas: 2 },
  }
  expect(fieldChanges(before, after)).toEqual([])
})

test('a new object shows what the manifest asks for, not its name', () => {
  const changes = fieldChanges(undefined, deployment('hello:1'))
  expect(changes).toContainEqual({ path: 'spec.replicas', after: 2 })
  expect(changes).toContainEqual({ path: 'metadata.labels[app.kubernetes.io/name]', after: 'shop' })
  expect(changes).toContainEqual({ path: 'spec.template.spec.containers[shop].image', after: 'hello:1' })
  expect(changes.some(({ path }) => path === 'kind' || path === 'metadata.name')).toBe(false)
})

test('variables that come, go and change are told by their names, and moving one is told as order', () => {
  const env = (pairs: [string, string][]) =>
    deployment('hello:1', { env: pairs.map(([name, value]) => ({ name, value })) })
  expect(
    fieldChanges(
      env([
        ['A', '1'],
        ['B', '2'],
      ]),
      env([
        ['A', '3'],
        ['C', '4'],
      ]),
    ),
  ).toEqual([
    { path: 'spec.template.spec.containers[shop].env[A].value', before: '1', after: '3' },
    { path: 'spec.template.spec.containers[shop].env[B].value', before: '2' },
    { path: 'spec.template.spec.containers[shop].env[C].value', after: '4' },
  ])
  expect(
    fieldChanges(
      env([
        ['A', '1'],
        ['B', '2'],
      ]),
      env([
        ['B', '2'],
        ['A', '1'],
      ]),
    ),
  ).toEqual([{ path: 'spec.template.spec.containers[shop].env (order)', before: ['A', 'B'], after: ['B', 'A'] }])
})

test('ports without unique names are told by their numbers', () => {
  const ports = (numbers: number[]) =>
    deployment('hello:1', { ports: numbers.map((containerPort) => ({ containerPort, protocol: 'TCP' })) })
  expect(fieldChanges(ports([80]), ports([80, 443]))).toEqual([
    { path: 'spec.template.spec.containers[shop].ports[443].protocol', after: 'TCP' },
  ])
})

test('a list of plain values is shown whole', () => {
  expect(fieldChanges(deployment('a:1', { args: ['x'] }), deployment('a:1', { args: ['x', 'y'] }))).toEqual([
    { path: 'spec.template.spec.containers[shop].args', before: ['x'], after: ['x', 'y'] },
  ])
})

test('an empty member that comes or goes is shown', () => {
  const volume = (list: object[]): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p' },
    spec: { volumes: list },
  })
  const scratch = { name: 'scratch', emptyDir: {} }
  expect(fieldChanges(volume([]), volume([scratch]))).toEqual([{ path: 'spec.volumes[scratch].emptyDir', after: {} }])
  expect(fieldChanges(volume([scratch]), volume([]))).toEqual([{ path: 'spec.volumes[scratch].emptyDir', before: {} }])
})

test('Secret values are hidden on both sides and their length with them', () => {
  const secret = (data: Record<string, string>): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 's' },
    data,
  })
  const text = JSON.stringify(fieldChanges(secret({ a: 'b2xk', gone: 'eA==' }), secret({ a: 'bmV3', come: 'eQ==' })))
  expect(text).toContain('data.a')
  expect(text).toContain('data.gone')
  for (const value of ['b2xk', 'bmV3', 'eA==', 'eQ==']) expect(text).not.toContain(value)
  expect(masked(secret({ a: 'b2xk' })).data).toEqual({ a: MASKED })
})

test('a port that the cluster chooses anew in each dry run is not told as a number', () => {
  const service = (port: object): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 's' },
    spec: { ports: [{ name: 'http', ...port }] },
  })
  expect(fieldChanges(service({ port: 80 }), service({ port: 80, nodePort: 31234 }))).toEqual([
    { path: 'spec.ports[http].nodePort', after: CHOSEN },
  ])
})

test('canonical JSON does not depend on the order of members', () => {
  expect(canonicalJson({ b: [1, { d: 1, c: 2 }], a: undefined })).toBe('{"b":[1,{"c":2,"d":1}]}')
})
