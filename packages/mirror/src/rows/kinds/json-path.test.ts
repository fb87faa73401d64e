import { expect, test } from 'vitest'
import { jsonPath } from './json-path.ts'

const OBJECT = {
  metadata: { annotations: { 'example.org/owner': 'blue' }, labels: { a: '1' } },
  spec: { replicas: 3, off: false, nothing: null, list: [[1, 2], [3]], 'two words': 'x' },
  status: {
    conditions: [
      { type: 'Ready', status: 'True', weight: 2 },
      { type: 'Synced', status: 'False', weight: 5 },
      { type: 'Odd' },
    ],
    hosts: ['a', 'b', 'c'],
  },
}

test.each([
  ['.spec.replicas', [3]],
  ['{.spec.replicas}', [3]],
  ['$.spec.replicas', [3]],
  ['.spec.off', [false]],
  ['.spec.nothing', [null]],
  ['.spec.missing', []],
  ['.spec.missing.deeper', []],
  ['.spec.replicas.deeper', []],
  ["['spec']['two words']", ['x']],
  ['.spec["two words"]', ['x']],
  ['.metadata.annotations.example\\.org/owner', ['blue']],
  ["['metadata']['annotations']['example.org/owner']", ['blue']],
  ['.status.hosts[0]', ['a']],
  ['.status.hosts[-1]', ['c']],
  ['.status.hosts[9]', []],
  ['.status.hosts[1:]', ['b', 'c']],
  ['.status.hosts[:2]', ['a', 'b']],
  ['.status.hosts[*]', ['a', 'b', 'c']],
  ['.status.hosts', [['a', 'b', 'c']]],
  ['.spec.list[0]', [[1, 2]]],
  ['.spec.list[0][1]', [2]],
  ['.metadata.labels.*', ['1']],
  ['.status.conditions[?(@.type=="Ready")].status', ['True']],
  [".status.conditions[?(@.type=='Ready')].status", ['True']],
  ['.status.conditions[?( @.type == "Synced" )].status', ['False']],
  ['.status.conditions[?(@.type!="Ready")].type', ['Synced', 'Odd']],
  ['.status.conditions[?(@.weight>2)].type', ['Synced']],
  ['.status.conditions[?(@.weight)].type', ['Ready', 'Synced']],
  ['.status.conditions[?(@.type=="None")].status', []],
  ['..weight', [2, 5]],
  ['.constructor', []],
  ['.spec.__proto__', []],
])('%s', (path, expected) => {
  expect(jsonPath(path)?.(OBJECT)).toEqual(expected)
})

test.each(['.a[', '.a[?(@.b', '.a b', '.a[?(length(@.b)>1)]', 'a..'])('%s is not understood', (path) => {
  expect(jsonPath(path)).toBeUndefined()
})
