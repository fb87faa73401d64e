import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto'
import { isIPv4 } from 'node:net'

/** A certificate and its private key, both PEM. */
export interface KeyedCertificate {
  certificate: string
  key: string
}

/** What a certificate says about its holder. */
export interface CertificateSubject {
  commonName: string
  /** Kubernetes reads organizations as groups. */
  organizations?: string[]
  /** DNS names and IPv4 addresses the certificate serves; empty for a client. */
  names?: string[]
}

// Just enough of ASN.1 DER (ITU-T X.690) to write certificates; reading is left to node:crypto.
function der(tag: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  if (body.length < 128) return Buffer.concat([Buffer.from([tag, body.length]), body])
  const length = Buffer.from(
    body.length.toString(16).padStart(body.length > 0xffff ? 6 : body.length > 0xff ? 4 : 2, '0'),
    'hex',
  )
  return Buffer.concat([Buffer.from([tag, 0x80 | length.length]), length, body])
}

const sequence = (...parts: Buffer[]) => der(0x30, ...parts)
const octets = (...parts: Buffer[]) => der(0x04, ...parts)
const bits = (body: Buffer, unused = 0) => der(0x03, Buffer.from([unused]), body)
const boolean = (value: boolean) => der(0x01, Buffer.from([value ? 0xff : 0]))
const utf8 = (text: string) => der(0x0c, Buffer.from(text))
const time = (date: Date) => der(0x18, Buffer.from(`${date.toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`))

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const bytes = [first * 40 + second]
  for (const arc of rest) {
    const group = [arc & 0x7f]
    for (let left = arc >> 7; left > 0; left >>= 7) group.unshift((left & 0x7f) | 0x80)
    bytes.push(...group)
  }
  return der(0x06, Buffer.from(bytes))
}

const ECDSA_WITH_SHA256 = sequence(oid('1.2.840.10045.4.3.2'))

// RFC 5280 §4.2: id, critical, value.
const extension = (id: string, critical: boolean, value: Buffer) =>
  sequence(oid(id), ...(critical ? [boolean(true)] : []), octets(value))

const nameOf = ({ commonName, organizations = [] }: CertificateSubject) =>
  sequence(
    ...organizations.map((organization) => der(0x31, sequence(oid('2.5.4.10'), utf8(organization)))),
    der(0x31, sequence(oid('2.5.4.3'), utf8(commonName))),
  )

const alternativeName = (name: string) =>
  isIPv4(name) ? der(0x87, Buffer.from(name.split('.').map(Number))) : der(0x82, Buffer.from(name))

const keyIdentifier = (publicKey: Buffer) => createHash('sha1').update(publicKey).digest()

function authorityExtensions(): Buffer[] {
  return [
    extension('2.5.29.19', true, sequence(boolean(true))),
    // keyCertSign, cRLSign, digitalSignature
    extension('2.5.29.15', true, bits(Buffer.from([0x86]), 1)),
  ]
}

function leafExtensions(names: string[]): Buffer[] {
  const usages = ['1.3.6.1.5.5.7.3.2', ...(names.length ? ['1.3.6.1.5.5.7.3.1'] : [])]
  return [
    extension('2.5.29.19', true, sequence()),
    extension('2.5.29.15', true, bits(Buffer.from([0xa0]), 5)),
    extension('2.5.29.37', false, sequence(...usages.map(oid))),
    ...(names.length ? [extension('2.5.29.17', false, sequence(...names.map(alternativeName)))] : []),
  ]
}

interface Signer {
  subject: Buffer
  key: KeyObject
  publicKey: Buffer
}

function write(subject: Buffer, publicKey: Buffer, extensions: Buffer[], signer: Signer, days: number): string {
  const now = Date.now()
  const serial = randomBytes(16)
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, serial),
    ECDSA_WITH_SHA256,
    signer.subject,
    // An hour back, for clocks that are not quite the same.
    sequence(time(new Date(now - 3_600_000)), time(new Date(now + days * 86_400_000))),
    subject,
    publicKey,
    der(
      0xa3,
      sequence(
        ...extensions,
        extension('2.5.29.14', false, octets(keyIdentifier(publicKey))),
        extension('2.5.29.35', false, sequence(der(0x80, keyIdentifier(signer.publicKey)))),
      ),
    ),
  )
  const certificate = sequence(body, ECDSA_WITH_SHA256, bits(sign('sha256', body, signer.key)))
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}

const newKey = () => generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
const spki = (key: KeyObject) => key.export({ type: 'spki', format: 'der' })
const pem = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' }).toString()

/** Makes a certificate authority (ECDSA P-256) that is valid for `days`. */
export function createAuthority(commonName: string, days = 3650): KeyedCertificate {
  const { publicKey, privateKey } = newKey()
  const subject = nameOf({ commonName })
  const signer = { subject, key: privateKey, publicKey: spki(publicKey) }
  return { certificate: write(subject, spki(publicKey), authorityExtensions(), signer, days), key: pem(privateKey) }
}

/** Issues a certificate valid for `days`; `authorityName` is the common name the authority was made with. */
export function issueCertificate(
  authority: KeyedCertificate,
  authorityName: string,
  subject: CertificateSubject,
  days = 365,
): KeyedCertificate {
  const { publicKey, privateKey } = newKey()
  const authorityKey = createPrivateKey(authority.key)
  const signer = {
    subject: nameOf({ commonName: authorityName }),
    key: authorityKey,
    publicKey: spki(createPublicKey(authority.key)),
  }
  const certificate = write(nameOf(subject), spki(publicKey), leafExtensions(subject.names ?? []), signer, days)
  return { certificate, key: pem(privateKey) }
}

/** A PEM key pair to sign and check service account tokens with. */
export function createSigningKey(): { privateKey: string; publicKey: string } {
  const { publicKey, privateKey } = newKey()
  return { privateKey: pem(privateKey), publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString() }
}
