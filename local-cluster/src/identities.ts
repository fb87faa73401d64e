import { createHash, createPrivateKey, X509Certificate } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Endpoint } from './kube-request.ts'
import { writeWhole } from './kubeconfig.ts'
import { type CertificateSubject, createAuthority, createSigningKey, issueCertificate } from './x509.ts'

/** Certificates of one cluster, as files in its `pki` folder. */
export interface Identities {
  /** Path of `<name>.crt`, `<name>.key` and the like. */
  file(name: string): string
  /** Changes when any certificate has been issued anew. */
  revision: string
  /** A way to `url` as one of the clients. */
  endpoint(client: string, url: string): Endpoint
}

const AUTHORITY_NAME = 'quarterdeck-local-cluster'
const REQUEST_HEADER_AUTHORITY_NAME = 'quarterdeck-local-cluster-request-header'
/** Certificates are issued anew by the next start when they are valid for less than this. */
const RENEW_BEFORE_DAYS = 60

/** Who has a certificate in every cluster. */
function subjectsOf(names: string[], nodeName: string): Record<string, CertificateSubject> {
  return {
    'kube-apiserver': { commonName: 'kube-apiserver', names },
    'kube-apiserver-kubelet-client': { commonName: 'kube-apiserver-kubelet-client', organizations: ['system:masters'] },
    etcd: { commonName: 'etcd', names: ['127.0.0.1', 'localhost'] },
    admin: { commonName: 'quarterdeck-admin', organizations: ['system:masters'] },
    'kube-controller-manager': { commonName: 'system:kube-controller-manager' },
    'kube-scheduler': { commonName: 'system:kube-scheduler' },
    'kube-proxy': { commonName: 'system:kube-proxy' },
    kubelet: { commonName: `system:node:${nodeName}`, organizations: ['system:nodes'], names: [nodeName, ...names] },
    'metrics-server': { commonName: 'metrics-server', names: ['metrics-server.kube-system.svc'] },
    kwok: { commonName: 'kwok', organizations: ['system:masters'] },
  }
}

/**
 * Makes the certificates that are missing, were issued for other names, or end soon. `names` are all the DNS names and
 * addresses of the API server and the node. The authority stays for ten years, so a renewal disturbs nobody.
 */
export function ensureIdentities(folder: string, names: string[], nodeName: string): Identities {
  const file = (name: string) => join(folder, name)
  const read = (name: string) => readFileSync(file(name), 'utf8')
  const authorityOf = (name: string, commonName: string) => {
    if (!existsSync(file(`${name}.crt`)) || !existsSync(file(`${name}.key`))) {
      const made = createAuthority(commonName)
      writeWhole(file(`${name}.key`), made.key)
      writeWhole(file(`${name}.crt`), made.certificate, 0o644)
    }
    return { certificate: read(`${name}.crt`), key: read(`${name}.key`) }
  }
  const ensure = (
    name: string,
    subject: CertificateSubject,
    authority: ReturnType<typeof authorityOf>,
    issuer: string,
  ) => {
    if (isGood(file(`${name}.crt`), file(`${name}.key`), subject, authority.certificate)) return
    const issued = issueCertificate(authority, issuer, subject)
    writeWhole(file(`${name}.key`), issued.key)
    writeWhole(file(`${name}.crt`), issued.certificate, 0o644)
  }
  const authority = authorityOf('ca', AUTHORITY_NAME)
  for (const [name, subject] of Object.entries(subjectsOf(names, nodeName)))
    ensure(name, subject, authority, AUTHORITY_NAME)
  const requestHeader = authorityOf('front-proxy-ca', REQUEST_HEADER_AUTHORITY_NAME)
  ensure('front-proxy-client', { commonName: 'front-proxy-client' }, requestHeader, REQUEST_HEADER_AUTHORITY_NAME)
  if (!existsSync(file('sa.key')) || !existsSync(file('sa.pub'))) {
    const signing = createSigningKey()
    writeWhole(file('sa.key'), signing.privateKey)
    writeWhole(file('sa.pub'), signing.publicKey, 0o644)
  }
  const issued = [...Object.keys(subjectsOf(names, nodeName)), 'front-proxy-client', 'ca'].map((name) =>
    read(`${name}.crt`),
  )
  return {
    file,
    revision: createHash('sha256').update(issued.join('')).digest('hex').slice(0, 16),
    endpoint: (client, url) => ({
      url,
      authority: authority.certificate,
      certificate: read(`${client}.crt`),
      key: read(`${client}.key`),
    }),
  }
}

function isGood(certificateFile: string, keyFile: string, subject: CertificateSubject, authority: string): boolean {
  if (!existsSync(certificateFile) || !existsSync(keyFile)) return false
  const certificate = new X509Certificate(readFileSync(certificateFile))
  const daysLeft = (certificate.validToDate.getTime() - Date.now()) / 86_400_000
  const listed = new Set(certificate.subjectAltName?.split(', ').map((name) => name.replace(/^(DNS|IP Address):/, '')))
  return (
    daysLeft > RENEW_BEFORE_DAYS &&
    // A kill between writing the two leaves a pair that does not match.
    certificate.checkPrivateKey(createPrivateKey(readFileSync(keyFile))) &&
    certificate.verify(new X509Certificate(authority).publicKey) &&
    (subject.names ?? []).every((name) => listed.has(name))
  )
}
