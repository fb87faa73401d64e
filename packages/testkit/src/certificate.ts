import { createAuthority, issueCertificate, type KeyedCertificate } from '../../../local-cluster/src/x509.ts'

/** A certificate authority of one's own, for tests of TLS. PEM texts. */
export interface TestAuthority {
  readonly certificate: string
  /** `names`: DNS names and IPv4 addresses of a server. `days` below 0: already expired (no less than -0.04). */
  issue(subject: { commonName: string; names?: string[]; days?: number }): KeyedCertificate
}

/** Makes an authority that nobody else knows. */
export function createTestAuthority(commonName = 'test-authority'): TestAuthority {
  const authority = createAuthority(commonName, 10)
  return {
    certificate: authority.certificate,
    issue: ({ days = 1, ...subject }) => issueCertificate(authority, commonName, subject, days),
  }
}
