import { createHmac } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { connect as connectTcp, type Socket } from 'node:net'
import { hostname } from 'node:os'
import { connect as connectTls } from 'node:tls'
import { jsonLine } from '@quarterdeck/kernel'
import type { AuditRecord } from './audit.contract.ts'
import type { SinkSettings, Target } from './sink.store.ts'
import { syslogMessage } from './syslog.rules.ts'

const LIMIT_MS = 10_000
const ANSWER_BYTES = 4_096

/** Sends records in order; resolves when the other side has them as far as its protocol can tell. Throws Error with a sentence. */
export async function send({ kind, settings, secret }: Target, records: readonly AuditRecord[]): Promise<void> {
  if (kind === 'webhook') return post(settings, secret, records)
  const messages = records.map((record) => syslogMessage(record, hostname()))
  const url = new URL(settings.url)
  if (url.protocol === 'udp:') return datagrams(url, messages)
  return stream(url, settings.authority, messages.map(framed).join(''))
}

/** JSON lines, signed; anything but a 2xx answer is a failure, and a redirect is not followed. */
async function post(
  { url, authority }: SinkSettings,
  secret: string | undefined,
  records: readonly AuditRecord[],
): Promise<void> {
  const { request } = url.startsWith('https:') ? await import('node:https') : await import('node:http')
  const body = records.map(jsonLine).join('')
  const signature = secret && createHmac('sha256', secret).update(body).digest('hex')
  const headers = {
    'content-type': 'application/x-ndjson',
    'content-length': Buffer.byteLength(body),
    'user-agent': 'quarterdeck',
    ...(signature ? { 'x-quarterdeck-signature': `sha256=${signature}` } : {}),
  }
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const outgoing = request(url, { method: 'POST', headers, signal: AbortSignal.timeout(LIMIT_MS), ca: authority })
  outgoing.once('error', (error) => reject(explained(error)))
  outgoing.once('response', (answer) => {
    let bytes = 0
    answer.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > ANSWER_BYTES) answer.destroy()
    })
    answer.once('close', () => {
      const { statusCode = 0 } = answer
      if (statusCode >= 200 && statusCode < 300) resolve()
      else reject(new Error(`It answers with status ${statusCode}`))
    })
    answer.on('error', () => {})
  })
  outgoing.end(body)
  return promise
}

/** One connection a call: what TCP has acknowledged when it ends has arrived. */
function stream(url: URL, authority: string | undefined, text: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const place = { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port) }
  const secure = url.protocol === 'tls:'
  const socket: Socket = secure
    ? connectTls({ ...place, servername: place.host, ...(authority ? { ca: authority } : {}) })
    : connectTcp(place)
  socket.setTimeout(LIMIT_MS, () => socket.destroy(new Error(`It does not answer within ${LIMIT_MS / 1000} s`)))
  socket.once(secure ? 'secureConnect' : 'connect', () => socket.end(text))
  socket.once('error', (error) => reject(explained(error)))
  socket.once('close', (failed) => (failed ? reject(new Error('It has broken the connection')) : resolve()))
  socket.resume()
  return promise
}

async function datagrams(url: URL, messages: readonly string[]): Promise<void> {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
  try {
    for (const message of messages) {
      await new Promise<void>((resolve, reject) =>
        socket.send(message, Number(url.port), host, (error) => (error ? reject(explained(error)) : resolve())),
      )
    }
  } finally {
    socket.close()
  }
}

const explained = (error: Error): Error =>
  error.name === 'TimeoutError' || error.name === 'AbortError'
    ? new Error(`It does not answer within ${LIMIT_MS / 1000} s`)
    : error

/** RFC 6587 §3.4.1: how many bytes come, then they. */
export const framed = (message: string): string => `${Buffer.byteLength(message)} ${message}`
