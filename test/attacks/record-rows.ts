import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { checkAuditTrail, exportAudit, listAudit } from '../../features/tenancy/audit/audit.contract.ts'
import { deleteAuditSink, listAuditSinks, saveAuditSink } from '../../features/tenancy/audit/sink.contract.ts'
import { anotherPeer } from './peer.ts'
import type { Row } from './row.ts'
import type { Target } from './target.ts'

const MARK = 'a75forged'
// Each would be a line, a record, a field or a command of its own wherever it is not encoded.
const VALUES = [
  `${MARK}\r\n{"level":60,"msg":"${MARK}"}`,
  `${MARK}\n<165>1 2026-01-01T00:00:00Z host app - - - ${MARK}`,
  `${MARK}\u001b[2J\u001b]0;${MARK}\u0007`,
  `${MARK}","outcome":"succeeded","actor":"nobody","x":"`,
  `${MARK}\u0000${MARK}`,
  `${MARK}\u2028${MARK}\u2029`,
  `${MARK}\u202e${MARK}`,
  `${MARK} x="y"] ] [origin ip="10.0.0.1"]`,
  `${MARK}\u009b31m\u0085`,
]
/** Control characters, within a line. */
const RAW = /\p{Cc}/u

/** Receives syslog as RFC 6587 frames it, by octet counting. */
async function syslogServer() {
  let received = Buffer.alloc(0)
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (piece: Buffer) => {
      received = Buffer.concat([received, piece])
    })
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return {
    url: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    messages(): string[] {
      const found: string[] = []
      for (let at = 0; at < received.length; ) {
        const space = received.indexOf(0x20, at)
        const length = Number(received.subarray(at, space).toString('latin1'))
        assert.ok(Number.isInteger(length) && length > 0, `no frame begins at ${at}: ${received.subarray(at, at + 80)}`)
        found.push(received.subarray(space + 1, space + 1 + length).toString('utf8'))
        at = space + 1 + length
      }
      return found
    },
    close: () => server.close(),
  }
}

/** Says each value wherever something is taken down of who asks and what for. */
async function say(target: Target): Promise<number> {
  const { server, admin } = target
  const authorization = `Bearer ${admin.token}`
  const json = { 'content-type': 'application/json', origin: server.url }
  let said = 0
  for (const value of VALUES) {
    const from = anotherPeer()
    const agent = encodeURI(value)
    const post = async (path: string, body: object, headers: Record<string, string> = {}) => {
      said++
      const sent = { method: 'POST', headers: { ...json, 'user-agent': agent, ...headers }, body: JSON.stringify(body) }
      const { status } = await from(`${server.url}/api/v1${path}`, sent)
      assert.ok(status < 500, `${path}: ${status}`)
    }
    await post('/session', { user: value, password: value })
    await post('/session', { user: 'admin', password: value, provider: value })
    await post('/device-login', { machine: value })
    await post('/grant-requests', { role: 'viewer', environment: 'dev', reason: value }, { authorization })
    await post('/users', { name: value, title: value }, { authorization })
    await post('/tokens', { name: value }, { authorization })
    const deployed = `${server.url}/api/v1/environments/dev/applications/a75?reason=${encodeURIComponent(value)}`
    const { status } = await from(deployed, {
      method: 'PUT',
      headers: { ...json, authorization, 'user-agent': agent },
      body: JSON.stringify({ image: target.cluster.image(1), exposure: 'none' }),
    })
    assert.ok(status < 500, `deploying: ${status}`)
    // As bytes: what no client of HTTP would send.
    const head = `GET /api/v1/session HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nAuthorization: ${authorization}\r\n`
    await target.raw(Buffer.from(`${head}User-Agent: ${value}\xff\xfe\r\nConnection: close\r\n\r\n`, 'latin1'), 500)
    said += 2
  }
  const long = 'a'.repeat(1_048_576)
  await target.raw(
    `GET /api/v1/setup HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: ${long}\r\nConnection: close\r\n\r\n`,
    500,
  )
  return said + 1
}

async function forgedRecords(target: Target): Promise<string> {
  const { admin, server } = target
  const [last] = (await admin(listAudit, { query: { limit: 1 } })).items
  const syslog = await syslogServer()
  const params = { sink: 'a75' }
  await admin(saveAuditSink, { params, body: { kind: 'syslog', url: syslog.url } })
  const logged = server.log().length
  try {
    const said = await say(target)
    for (let tries = 0; tries < 100; tries++) {
      const sink = (await admin(listAuditSinks)).items.find(({ name }) => name === 'a75')
      if (sink && sink.sent > (last?.number ?? 0) && sink.waiting <= 1) break
      await sleep(100)
    }
    // The log: a line is a record, and what was said stands in it as text.
    for (const line of server.log().slice(logged).split('\n').filter(Boolean)) {
      assert.doesNotMatch(line, RAW, `the log holds a control character: ${JSON.stringify(line.slice(0, 200))}`)
      assert.ok(!line.startsWith(MARK), 'a line of the log was forged')
      if (line.startsWith('{')) assert.ok(!JSON.stringify(JSON.parse(line)).startsWith('{"level":60,"msg":"a75'), line)
    }
    // The export: a line is a record, and none is missing.
    const answer = await target.send('GET', `/api/v1${exportAudit.path}`, {
      headers: { authorization: `Bearer ${admin.token}` },
    })
    const lines = answer.text.split('\n').filter((line) => line !== '')
    const numbers = lines.map((line) => {
      assert.doesNotMatch(line, RAW, line)
      return (JSON.parse(line) as { number: number }).number
    })
    assert.deepEqual(
      numbers,
      numbers.map((_, at) => (numbers[0] ?? 0) + at),
      'records are missing, twice or forged',
    )
    // Syslog: a frame is a record with our head, in one line.
    const messages = syslog.messages()
    assert.ok(messages.length > 0, 'nothing came by syslog')
    for (const message of messages) {
      assert.match(message, /^<\d{1,3}>1 \d{4}-\d\d-\d\dT[\d:.]+Z \S+ quarterdeck /, message.slice(0, 120))
      assert.doesNotMatch(message, RAW, message)
    }
    const { intact, records } = await admin(checkAuditTrail)
    assert.ok(intact, 'the chain is broken')
    assert.ok(records > (last?.number ?? 0))
    return `${said} requests, ${numbers.length} records exported, ${messages.length} sent`
  } finally {
    await admin(deleteAuditSink, { params })
    syslog.close()
  }
}

export const recordRows: Row[] = [
  {
    id: 'A75',
    what: 'nothing that is said forges a line of the log, a record of the audit trail, a field or a syslog message',
    run: forgedRecords,
  },
]
