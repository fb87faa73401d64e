import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { createServer, type Socket } from 'node:net'
import { createProvider, deleteProvider, updateProvider } from '../../features/tenancy/provider/provider.contract.ts'
import { createSession, getSession } from '../../features/tenancy/session/session.contract.ts'
import { listUsers } from '../../features/tenancy/user/user.contract.ts'
import { directoryPossible, startDirectory, type TestDirectory } from '../../packages/testkit/src/directory.ts'
import { browserOf } from './identity-provider.ts'
import { NotPossible, type Row } from './row.ts'
import { problemOf, type Target } from './target.ts'

const SECRET = 'reads people'
const PASSWORD = 'password of li'
const entry = (dn: string, lines: string) => `dn: ${dn}dc=example,dc=com\nchangetype: add\n${lines}\n`
const PEOPLE = [
  entry('', 'objectClass: dcObject\nobjectClass: organization\no: Example\ndc: example'),
  entry('ou=people,', 'objectClass: organizationalUnit\nou: people'),
  entry('ou=groups,', 'objectClass: organizationalUnit\nou: groups'),
  entry('cn=reader,', `objectClass: person\ncn: reader\nsn: reader\nuserPassword: ${SECRET}`),
  entry('uid=li,ou=people,', `objectClass: inetOrgPerson\nuid: li\ncn: Li\nsn: li\nuserPassword: ${PASSWORD}`),
  // Could be found by what is typed, if what is typed were a filter.
  entry('uid=boss,ou=people,', `objectClass: inetOrgPerson\nuid: boss\ncn: Boss\nsn: boss\nuserPassword: ${PASSWORD}`),
  entry('cn=staff,ou=groups,', 'objectClass: groupOfNames\ncn: staff\nmember: uid=li,ou=people,dc=example,dc=com'),
].join('\n')

const TYPED = [
  '*',
  'l*',
  'li*',
  '*)(uid=*))(|(uid=*',
  'li)(uid=boss',
  'boss)(|(uid=*',
  'li))(|(objectClass=*',
  'li\\2a',
  '\\6c\\69',
  '\\00',
  'li\u0000',
  'li\u0000)(uid=boss',
  'uid=li,ou=people,dc=example,dc=com',
  'li,ou=people',
  '\u217c\u2170',
]

/** Something that listens and is not a directory. */
async function listening(take: (socket: Socket) => void) {
  const server = createServer(take)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return { port: (server.address() as AddressInfo).port, close: () => server.close() }
}

/** ExtendedResponse, protocolError: a server that refuses to raise the connection to TLS. */
const NO_TLS = [0x30, 0x0c, 0x02, 0x01, 0x00, 0x78, 0x07, 0x0a, 0x01, 0x02, 0x04, 0x00, 0x04, 0x00]

async function inject(target: Target, directory: TestDirectory): Promise<string> {
  const { admin } = target
  directory.ldif(PEOPLE)
  const settings = {
    kind: 'ldap' as const,
    url: directory.tlsUrl,
    authorities: directory.authority as string | undefined,
    bindDn: 'cn=reader,dc=example,dc=com',
    baseDn: 'ou=people,dc=example,dc=com',
    groupBaseDn: 'ou=groups,dc=example,dc=com',
  }
  const params = { provider: 'a38' }
  const change = (some: Partial<typeof settings>) =>
    admin(updateProvider, { params, body: { title: 'A38', settings: { ...settings, ...some }, secret: SECRET } })
  const signIn = (user: string, password = PASSWORD) =>
    problemOf(browserOf(target)(createSession, { body: { user, password, provider: 'a38' } }))
  const refusals = ['wrong-password', 'invalid-input', 'sign-in-refused']
  await admin(createProvider, { body: { name: 'a38', title: 'A38', settings, secret: SECRET } })
  try {
    for (const typed of TYPED) {
      const refusal = await signIn(typed)
      assert.ok(refusals.includes(refusal ?? ''), `${JSON.stringify(typed)}: ${refusal}`)
    }
    for (const password of ['', '\u0000', PASSWORD.slice(1)]) {
      assert.ok(refusals.includes((await signIn('li', password)) ?? ''), `password ${JSON.stringify(password)}`)
    }
    const { items } = await admin(listUsers, { query: { source: 'a38', limit: 200 } })
    assert.deepEqual(items, [], 'somebody got in')

    const heard: Buffer[] = []
    const plain = await listening((socket) => {
      socket.on('error', () => {})
      socket.on('data', (piece: Buffer) => {
        heard.push(piece)
        socket.write(Buffer.from(NO_TLS.map((byte, at) => (at === 4 ? (piece[4] ?? 1) : byte))))
      })
    })
    await change({ url: `ldap://127.0.0.1:${plain.port}` })
    assert.equal(await signIn('li'), 'provider-unavailable', 'without TLS')
    plain.close()
    assert.ok(heard.length > 0)
    assert.doesNotMatch(
      Buffer.concat(heard).toString('latin1'),
      /reader|reads people|password|li@/,
      'said in the clear',
    )
    for (const [what, some] of [
      ['ldaps with the certificate of nobody', { authorities: undefined }],
      ['StartTLS with the certificate of nobody', { authorities: undefined, url: directory.url }],
    ] as const) {
      await change(some)
      assert.equal(await signIn('li'), 'provider-unavailable', what)
    }

    const asked: number[] = []
    const other = await listening((socket) => {
      asked.push(1)
      socket.destroy()
    })
    const reference = `objectClass: referral\nobjectClass: extensibleObject\nou: elsewhere\nref: ldap://127.0.0.1:${other.port}/`
    directory.ldif(entry('ou=elsewhere,ou=people,', reference))
    await change({})
    assert.equal(await signIn('nobody'), 'wrong-password')
    const client = browserOf(target)
    await client(createSession, { body: { user: 'li', password: PASSWORD, provider: 'a38' } })
    assert.deepEqual((await client(getSession)).groups, ['staff'], 'whoever is honest gets in')
    other.close()
    assert.deepEqual(asked, [], 'a reference was followed')
  } finally {
    await admin(deleteProvider, { params })
  }
  return `${TYPED.length} names, 3 passwords, 3 ways without TLS, 1 reference`
}

export const ldapRows: Row[] = [
  {
    id: 'A38',
    what: 'what is typed is no filter, an empty password none, nothing is said without TLS, no reference is followed',
    async run(target) {
      if (!directoryPossible()) throw new NotPossible('it takes slapd: apt-get install slapd ldap-utils')
      const directory = await startDirectory()
      try {
        return await inject(target, directory)
      } finally {
        await directory.close()
      }
    },
  },
]
