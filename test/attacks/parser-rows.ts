import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { declaredEndpoints } from '../../scripts/contracts.ts'
import type { Row } from './row.ts'
import { pathOf, refused, type Target } from './target.ts'

const NASTY = [
  "'; drop table operation; --",
  '1 or 1=1',
  '%27%20OR%20%271',
  '\u0000',
  '\u0024{7*7}',
  '{{7*7}}',
  '../../../../etc/passwd',
  '<script>alert(1)</script>',
  '\u202egnp.exe',
  'a'.repeat(10_000),
]
const DEPLOY = '/api/v1/environments/dev/applications/parser?dryRun=true'

/** Fails when the server does not answer at once. */
async function alive(target: Target): Promise<void> {
  const began = performance.now()
  const { status } = await target.send('GET', '/healthz')
  assert.equal(status, 200)
  assert.ok(performance.now() - began < 2_000, 'the server was busy with it')
}

async function bombs(target: Target): Promise<string> {
  const headers = { authorization: `Bearer ${target.admin.token}`, 'content-type': 'application/json' }
  const bodies: [string, string, number[]][] = [
    ['10 MB', JSON.stringify({ image: 'a'.repeat(10 * 1024 * 1024) }), [413]],
    ['deep arrays', `{"image":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, [400, 413]],
    ['deep objects', `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`, [400, 413]],
    [
      'many keys',
      JSON.stringify(Object.fromEntries(Array.from({ length: 50_000 }, (_, n) => [`k${n}`, n]))),
      [400, 413],
    ],
    ['half a document', '{"image": "a', [400]],
    ['no document', 'null', [400]],
    ['numbers beyond', '{"image":"a","replicas":1e999}', [400]],
  ]
  for (const [what, body, statuses] of bodies) {
    refused(await target.send('PUT', DEPLOY, { headers, body }), what, ...statuses)
    await alive(target)
  }
  return `${bodies.length} bodies`
}

async function pollution(target: Target): Promise<undefined> {
  const headers = { authorization: `Bearer ${target.admin.token}`, 'content-type': 'application/json' }
  const image = target.cluster.image(1)
  const bodies = [
    `{"image":"${image}","__proto__":{"polluted":"yes"}}`,
    `{"image":"${image}","constructor":{"prototype":{"polluted":"yes"}}}`,
    `{"image":"${image}","variables":[{"name":"A","value":"1","__proto__":{"polluted":"yes"}}]}`,
  ]
  for (const body of bodies) refused(await target.send('PUT', DEPLOY, { headers, body }), body, 400)
  for (const query of [
    'a[__proto__][polluted]=yes',
    '__proto__[polluted]=yes',
    '__proto__.polluted=yes',
    'constructor=x',
  ]) {
    refused(await target.send('GET', `/api/v1/environments?${query}`, { headers }), query, 400)
  }
  const { text } = await target.send('GET', '/api/v1/session', { headers })
  assert.doesNotMatch(text, /polluted/)
  return undefined
}

/** Requests on which two parsers could disagree about where one ends. */
async function desync(target: Target): Promise<string> {
  const host = `Host: 127.0.0.1:${target.server.port}`
  const inner = `GET /api/v1/clusters HTTP/1.1\r\n${host}\r\n\r\n`
  const requests: [string, string][] = [
    [
      'CL.TE',
      `POST /api/v1/session HTTP/1.1\r\n${host}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${inner}`,
    ],
    [
      'two lengths',
      `POST /api/v1/session HTTP/1.1\r\n${host}\r\nContent-Length: 0\r\nContent-Length: 44\r\n\r\n${inner}`,
    ],
    ['bare line feeds', `GET /api/v1/setup HTTP/1.1\n${host}\nX: y\n\n`],
    ['folded header', `GET /api/v1/setup HTTP/1.1\r\n${host}\r\nX: y\r\n Content-Length: 4\r\n\r\n`],
    [
      'space before the colon',
      `POST /api/v1/session HTTP/1.1\r\n${host}\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n${inner}`,
    ],
    [
      'odd encoding',
      `POST /api/v1/session HTTP/1.1\r\n${host}\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${inner}`,
    ],
    ['negative length', `POST /api/v1/session HTTP/1.1\r\n${host}\r\nContent-Length: -1\r\n\r\n${inner}`],
    [
      'bad chunk size',
      `POST /api/v1/session HTTP/1.1\r\n${host}\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\nabcde\r\n0\r\n\r\n${inner}`,
    ],
  ]
  for (const [what, text] of requests) {
    const answer = await target.raw(text)
    assert.match(answer, /^HTTP\/1\.1 4\d\d /, `${what}: ${answer.slice(0, 60)}`)
    assert.equal(answer.split('HTTP/1.1 ').length - 1, 1, `${what} was answered twice`)
  }
  await alive(target)
  return `${requests.length} requests`
}

export const parserRows: Row[] = [
  {
    id: 'A59',
    what: 'paths out of the console folder give no file',
    async run(target) {
      const paths = [
        '/../../package.json',
        '/..%2f..%2fpackage.json',
        '/%2e%2e/%2e%2e/%2e%2e/etc/passwd',
        '/assets/../../../server/src/main.ts',
        '/assets/..%5c..%5cpackage.json',
        '//etc/passwd',
        '/etc/passwd%00.js',
      ]
      for (const path of paths) {
        const answer = await target.raw(
          `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${target.server.port}\r\nConnection: close\r\n\r\n`,
        )
        assert.doesNotMatch(answer, /root:x:0|"workspaces"|createServer\(/, path)
        assert.doesNotMatch(answer, /^HTTP\/1\.1 5/, path)
      }
      return `${paths.length} paths`
    },
  },
  {
    id: 'A71',
    what: 'text that means something to SQL, templates, shells and terminals is refused or found nowhere',
    async run(target) {
      const headers = { authorization: `Bearer ${target.admin.token}` }
      const endpoints = (await declaredEndpoints()).map(({ endpoint }) => endpoint)
      let tried = 0
      for (const endpoint of endpoints.filter(({ method, transport }) => method === 'GET' && transport === 'json')) {
        for (const text of NASTY) {
          const value = encodeURIComponent(text)
          const names = Object.keys(endpoint.query.shape)
          const inQuery = names.map((name) => `${pathOf(endpoint)}?${name}=${value}`)
          const inPath = endpoint.path.includes(':') ? [`/api/v1${endpoint.path.replace(/:\w+/g, value)}`] : []
          for (const path of [...inQuery, ...inPath]) {
            const answer = await target.send('GET', path, { headers })
            assert.ok(answer.status < 500 || answer.status === 504, `${path}: ${answer.status} ${answer.text}`)
            tried++
          }
        }
      }
      const { status } = await target.send('GET', '/api/v1/operations', { headers })
      assert.equal(status, 200)
      return `${tried} requests`
    },
  },
  { id: 'A80', what: 'bodies that are too big, too deep or too many-membered are refused at once', run: bombs },
  {
    id: 'A82',
    what: 'a thousand connections that send nothing or half a request keep nobody else waiting',
    async run(target) {
      const sockets = Array.from({ length: 1_000 }, (_, n) => {
        const socket = connect(target.server.port, '127.0.0.1')
        socket.on('error', () => {})
        if (n % 2 === 0) socket.write('GET /api/v1/setup HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ')
        return socket
      })
      await new Promise((resolve) => setTimeout(resolve, 1_000))
      for (let n = 0; n < 10; n++) await alive(target)
      for (const socket of sockets) socket.destroy()
      return undefined
    },
  },
  {
    id: 'A84',
    what: 'a list cannot be asked for more than a page',
    async run(target) {
      const headers = { authorization: `Bearer ${target.admin.token}` }
      for (const query of [
        'limit=1000000000',
        'limit=-1',
        'limit=0',
        'limit=1.5',
        'limit=abc',
        `continue=${'a'.repeat(2_000)}`,
      ]) {
        refused(await target.send('GET', `/api/v1/operations?${query}`, { headers }), query, 400)
      }
      return undefined
    },
  },
  {
    id: 'A89',
    what: '__proto__ and constructor in bodies and queries are refused and change no prototype',
    run: pollution,
  },
  { id: 'A90', what: 'requests that end in two ways are refused, and the connection closed', run: desync },
  {
    id: 'A91',
    what: 'the same parameter twice, arrays for texts and names in other spellings are refused',
    async run(target) {
      const headers = { authorization: `Bearer ${target.admin.token}` }
      for (const query of ['limit=1&limit=2', 'limit[]=1', 'limit[0]=1']) {
        refused(await target.send('GET', `/api/v1/operations?${query}`, { headers }), query, 400)
      }
      for (const name of ['DEV', 'dev%20', 'd%C3%A9v', '%EF%BD%84ev', 'dev.']) {
        refused(await target.send('GET', `/api/v1/environments/${name}`, { headers }), name, 400)
      }
      const body = { image: ['a'], replicas: '3' }
      refused(await target.send('PUT', DEPLOY, { headers, body }), 'arrays for texts', 400)
      return undefined
    },
  },
]
