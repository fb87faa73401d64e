import { expect, test } from 'vitest'
import { newestFirst, portsOf, tagsToLookAt, timeOf, toImageConfig } from './image.rules.ts'

const digest = `sha256:${'a'.repeat(64)}`

test('an image that says nothing of itself gives an empty configuration', () => {
  const configuration = { architecture: 'amd64', os: 'linux' }
  expect(toImageConfig('r/a:1', { digest, sizeBytes: 5, configuration })).toEqual({
    image: 'r/a:1',
    digest,
    architecture: 'amd64',
    os: 'linux',
    sizeBytes: 5,
    ports: [],
    user: '',
    volumes: [],
    entrypoint: [],
    command: [],
    environment: [],
    labels: {},
  })
})

test('ports are read in every notation that builders write, and nonsense is left out', () => {
  expect(portsOf('8080')).toEqual([{ port: 8080, protocol: 'TCP' }])
  expect(portsOf('53/udp')).toEqual([{ port: 53, protocol: 'UDP' }])
  expect(portsOf('9000-9002/TCP').map(({ port }) => port)).toEqual([9000, 9001, 9002])
  expect(portsOf('1-65535')).toHaveLength(50)
  for (const nonsense of ['', 'http', '80/icmp', '99999', '-1', '8080/tcp/x', '0'])
    expect(portsOf(nonsense)).toEqual([])
})

test('a time of creation is an instant in UTC, and the year 1 of reproducible builds is none', () => {
  expect(timeOf('2026-01-02T03:04:05.123456789+02:00')).toBe('2026-01-02T01:04:05.123Z')
  for (const none of ['0001-01-01T00:00:00Z', '1970-01-01T00:00:00Z', 'yesterday', '', null, undefined]) {
    expect(timeOf(none)).toBeUndefined()
  }
})

test('a health check of NONE is none', () => {
  const config = { ExposedPorts: [], Volumes: [], User: '', Env: ['A=b=c', 'B'], Entrypoint: [], Cmd: [], Labels: {} }
  const described = (Test: string[]) =>
    toImageConfig('a', {
      digest,
      sizeBytes: 0,
      configuration: { architecture: '', os: '', config: { ...config, Healthcheck: { Test } } },
    })
  expect(described(['CMD', 'check']).healthcheck).toEqual(['CMD', 'check'])
  expect(described(['NONE']).healthcheck).toBeUndefined()
  expect(described([]).environment).toEqual([
    { name: 'A', value: 'b=c' },
    { name: 'B', value: '' },
  ])
})

test('of very many tags the highest names are looked at, latest among them', () => {
  const tags = Array.from({ length: 1_000 }, (_, index) => `1.${index}`)
  const chosen = tagsToLookAt([...tags, 'latest'])
  expect(chosen.slice(0, 3)).toEqual(['latest', '1.999', '1.998'])
  expect(chosen).toHaveLength(200)
})

test('tags are listed newest first, those without a time last by name', () => {
  const tag = (name: string, createTime?: string) => ({
    image: name,
    tag: name,
    digest,
    ...(createTime ? { createTime } : {}),
  })
  const sorted = newestFirst([tag('2'), tag('a', '2025-01-01T00:00:00Z'), tag('10'), tag('b', '2026-01-01T00:00:00Z')])
  expect(sorted.map(({ tag: name }) => name)).toEqual(['b', 'a', '10', '2'])
})
