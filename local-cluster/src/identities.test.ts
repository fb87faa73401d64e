import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ensureIdentities } from './identities.ts'
import { issueCertificate } from './x509.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'qd-pki-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('a second look changes nothing', () => {
  const first = ensureIdentities(folder, ['127.0.0.1'], 'node-1')
  expect(ensureIdentities(folder, ['127.0.0.1'], 'node-1').revision).toBe(first.revision)
})

test('[CLU-26] a certificate that ends soon is issued anew by the same authority', () => {
  const first = ensureIdentities(folder, ['127.0.0.1'], 'node-1')
  const read = (name: string) => readFileSync(first.file(name), 'utf8')
  const authority = { certificate: read('ca.crt'), key: read('ca.key') }
  const old = issueCertificate(
    authority,
    'quarterdeck-local-cluster',
    { commonName: 'quarterdeck-admin', organizations: ['system:masters'] },
    30,
  )
  writeFileSync(first.file('admin.crt'), old.certificate)
  writeFileSync(first.file('admin.key'), old.key)
  const second = ensureIdentities(folder, ['127.0.0.1'], 'node-1')
  const renewed = new X509Certificate(read('admin.crt'))
  expect(renewed.validToDate.getTime()).toBeGreaterThan(new X509Certificate(old.certificate).validToDate.getTime())
  expect(renewed.verify(new X509Certificate(authority.certificate).publicKey)).toBe(true)
  expect(second.revision).not.toBe(first.revision)
})

test('a certificate whose key was not written any more is issued anew', () => {
  const first = ensureIdentities(folder, ['127.0.0.1'], 'node-1')
  writeFileSync(first.file('etcd.key'), readFileSync(first.file('admin.key')))
  expect(ensureIdentities(folder, ['127.0.0.1'], 'node-1').revision).not.toBe(first.revision)
})

test('another address of the API server leads to a new certificate', () => {
  ensureIdentities(folder, ['127.0.0.1'], 'node-1')
  const { file } = ensureIdentities(folder, ['127.0.0.1', '10.1.2.3'], 'node-1')
  expect(new X509Certificate(readFileSync(file('kube-apiserver.crt'))).subjectAltName).toContain('10.1.2.3')
})
