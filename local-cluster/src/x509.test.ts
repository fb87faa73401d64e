import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { createServer, request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { createAuthority, issueCertificate } from './x509.ts'

test('a certificate is accepted by TLS for the names it was issued for and shows its holder', async () => {
  const authority = createAuthority('test authority')
  const server = issueCertificate(authority, 'test authority', {
    commonName: 'server',
    names: ['127.0.0.1', 'localhost'],
  })
  const client = issueCertificate(authority, 'test authority', { commonName: 'ann', organizations: ['dev', 'ops'] })
  const listener = createServer(
    {
      cert: server.certificate,
      key: server.key,
      ca: authority.certificate,
      requestCert: true,
      rejectUnauthorized: true,
    },
    (incoming, response) => {
      const { subject } = (
        incoming.socket as unknown as { getPeerCertificate(): { subject: object } }
      ).getPeerCertificate()
      response.end(JSON.stringify(subject))
    },
  ).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  try {
    const outgoing = request({
      host: '127.0.0.1',
      port: (listener.address() as AddressInfo).port,
      ca: authority.certificate,
      cert: client.certificate,
      key: client.key,
      agent: false,
    }).end()
    const [incoming] = await once(outgoing, 'response')
    const body = Buffer.concat(await incoming.toArray()).toString()
    expect(JSON.parse(body)).toMatchObject({ CN: 'ann', O: ['dev', 'ops'] })
  } finally {
    listener.close()
  }
})

test('a certificate of another authority does not verify', () => {
  const mine = createAuthority('same name')
  const other = createAuthority('same name')
  const issued = new X509Certificate(issueCertificate(other, 'same name', { commonName: 'x' }).certificate)
  expect(issued.verify(new X509Certificate(other.certificate).publicKey)).toBe(true)
  expect(issued.verify(new X509Certificate(mine.certificate).publicKey)).toBe(false)
})
