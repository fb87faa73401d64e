import { isProblem } from '@quarterdeck/kernel'
import { expect, test } from 'vitest'
import { readDocuments } from './document.routes.ts'
import { judgeDocument } from './manifest.rules.ts'

const refusal = (yaml: string): string => {
  try {
    readDocuments(yaml)
  } catch (error) {
    if (isProblem(error)) return error.body.detail ?? ''
    throw error
  }
  return 'accepted'
}

test('[APP-23] documents are numbered as they are written, empty ones left out', () => {
  expect(readDocuments('a: 1\n---\n---\n# nothing\n---\nb: 2\n')).toEqual([
    { number: 1, value: { a: 1 } },
    { number: 4, value: { b: 2 } },
  ])
})

test('[APP-23] numbers with a leading zero are octal, as kubectl reads them; text stays text', () => {
  expect(readDocuments('mode: 0644\nquoted: "0644"\non: yes\nversion: 1.20')[0]?.value).toEqual({
    mode: 420,
    quoted: '0644',
    on: 'yes',
    version: 1.2,
  })
})

test.each([
  ['a tag that makes objects', 'a: !!js/function "function(){}"', 'tag'],
  ['a harmless tag', 'a: !!str 1', 'tag'],
  ['a key twice', 'a: 1\nb: 2\na: 3', 'the key a is there twice'],
  ['a prototype', '__proto__: { admin: true }', '__proto__'],
  ['a map as key', '? { a: 1 }\n: 2', 'key is not text'],
  ['a syntax error', 'a: [1', 'Document 1'],
  ['a tab', 'a:\n\tb: 1', 'Document 1'],
  ['nothing', '# only a comment', 'no object'],
  ['a hundred and one documents', '---\na: 1\n'.repeat(101), 'more than 100 documents'],
  ['depth in flow', `a: ${'['.repeat(5_000)}${']'.repeat(5_000)}`, 'deeper'],
  ['depth without an end', '['.repeat(500_000), 'deeper'],
  ['depth in blocks', `a:\n  ${'- '.repeat(200)}x`, 'deeper'],
  ['depth in blocks without an end', '- '.repeat(400_000), ''],
])('[APP-23] YAML with %s is refused with document and cure', (_, yaml, part) => {
  const said = refusal(yaml)
  expect(said).not.toBe('accepted')
  expect(said).toContain(part)
})

test('[APP-23] an alias of what it stands in is refused: that would have no end', () => {
  expect(refusal('data: &a { b: *a }')).toMatch(/\*a stands within what it names/)
  expect(refusal('list: &l\n  - x\n  - [y, *l]')).toMatch(/\*l stands within/)
  expect(readDocuments('one: &a { b: c }\ntwo: *a')[0]?.value).toEqual({ one: { b: 'c' }, two: { b: 'c' } })
})

test('[APP-23] aliases that multiply are refused', () => {
  const lines = ['a: &a [x, x, x, x, x, x, x, x, x, x]']
  for (let i = 0; i < 9; i++) {
    const [one, next] = [String.fromCharCode(97 + i), String.fromCharCode(98 + i)]
    lines.push(`${next}: &${next} [${Array(10).fill(`*${one}`).join(', ')}]`)
  }
  expect(refusal(lines.join('\n'))).toMatch(/alias/i)
})

test('[APP-23] more keys or words than anybody needs are refused before anything is built of them', () => {
  const keys = Array.from({ length: 120_000 }, (_, i) => `k${i}: `)
  expect(refusal(keys.join('\n'))).toContain('lines')
  expect(refusal(`{ ${keys.join(', ')} }`)).toContain('values')
})

const config = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' } }
const judged = (value: unknown, scope: 'namespaced' | 'cluster' | undefined = 'namespaced') => {
  const result = judgeDocument({ number: 2, value }, scope, 'dev')
  return 'blocker' in result ? result.blocker.detail : result.object
}

test('[APP-23] what cannot be is told with its document, its name and the cure', () => {
  expect(judged({ ...config, metadata: { name: 'settings', namespace: 'kube-system' } })).toMatch(
    /^Document 2 \(ConfigMap settings\): its namespace is kube-system.*Leave the namespace out/,
  )
  expect(judged({ ...config, kind: 'ClusterRole' }, 'cluster')).toContain('belongs to the whole cluster')
  expect(judgeDocument({ number: 1, value: { ...config, kind: 'Konfig' } }, undefined, 'dev')).toMatchObject({
    blocker: { detail: expect.stringContaining('the cluster has no Konfig of v1') },
  })
  expect(judged({ ...config, kind: 'Secret' })).toContain('Secrets are not taken from YAML')
  expect(judged({ apiVersion: 'v1', kind: 'List', metadata: { name: 'x' }, items: [] })).toContain('items as documents')
  expect(judged({ apiVersion: 'v1', kind: 'ConfigMap', metadata: {} })).toContain('metadata.name')
  expect(judged('just text')).toContain('An object has apiVersion')
})

test('[APP-23] what kubectl get -o yaml prints can be pasted: what the cluster wrote is left out', () => {
  const printed = {
    ...config,
    metadata: {
      name: 'settings',
      namespace: 'dev',
      uid: 'u',
      resourceVersion: '1',
      managedFields: [],
      labels: { a: 'b' },
    },
    status: {},
    data: { a: 'b' },
  }
  expect(judged(printed)).toEqual({
    ...config,
    metadata: { name: 'settings', namespace: 'dev', labels: { a: 'b' } },
    data: { a: 'b' },
  })
})
