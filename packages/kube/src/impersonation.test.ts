import { clusterForbidden, isProblem } from '@quarterdeck/kernel'
import { expect, test } from 'vitest'
import { identityHeaders } from './impersonation.ts'

const jane = { user: 'quarterdeck:user:jane', uid: '1', groups: ['quarterdeck:group:shop'] }

function refusal(make: () => unknown): unknown {
  try {
    return make()
  } catch (error) {
    return error
  }
}

test.each([
  ['a user of the cluster itself', 'system:admin'],
  ['a name without its prefix', 'jane'],
  ['a prefix alone', 'quarterdeck:'],
  ['nothing', ''],
  ['a line break', 'quarterdeck:user:jane\r\nImpersonate-Group: system:masters'],
  ['a line feed', 'quarterdeck:user:jane\nx: y'],
  ['a zero byte', 'quarterdeck:user:jane\0'],
  ['a control character of the upper half', 'quarterdeck:user:jane\u0085'],
  ['a space behind', 'quarterdeck:user:jane '],
  ['a change of the direction of writing', 'quarterdeck:user:\u202ejane'],
  ['a character without width', 'quarterdeck:user:ja\u200bne'],
  ['half a character', 'quarterdeck:user:\ud800'],
  ['too many characters', `quarterdeck:user:${'a'.repeat(500)}`],
])('[EXT-05] %s is sent neither as user nor as group', (_, name) => {
  expect(
    isProblem(
      refusal(() => identityHeaders({ ...jane, user: name })),
      clusterForbidden,
    ),
  ).toBe(true)
  expect(
    isProblem(
      refusal(() => identityHeaders({ ...jane, groups: [name] })),
      clusterForbidden,
    ),
  ).toBe(true)
})

test('[EXT-05] an id that is missing is refused, since the API server would take it for none', () => {
  expect(
    isProblem(
      refusal(() => identityHeaders({ ...jane, uid: '' })),
      clusterForbidden,
    ),
  ).toBe(true)
})

test('[EXT-05] commas and colons are part of a name', () => {
  const groups = ['quarterdeck:group:a, quarterdeck:group:b', 'quarterdeck:group:system:masters']
  expect(identityHeaders({ ...jane, groups })['impersonate-group']).toEqual(groups)
})
