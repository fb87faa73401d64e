import { clusterUnreachable, type Problem } from '@quarterdeck/kernel'

/** What was being asked when a connection failed. */
export interface Attempt {
  cluster: string
  server: string
  /** True when the request may change the cluster. */
  write: boolean
  timeoutSeconds: number
}

const NOT_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
])
const UNKNOWN_AUTHORITY = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
])
const OTHER_TLS = new Set(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID', 'ERR_TLS_CERT_ALTNAME_INVALID', 'EPROTO'])

/** Innermost error first: undici and AggregateError wrap the one that says why. */
function innermost(error: unknown): NodeJS.ErrnoException & { host?: string; cert?: { subjectaltname?: string } } {
  let current = error as Error & { cause?: unknown; errors?: unknown[] }
  for (let depth = 0; depth < 5; depth++) {
    const next = current.cause ?? current.errors?.[0]
    if (!(next instanceof Error)) break
    current = next as typeof current
  }
  return current as NodeJS.ErrnoException
}

/**
 * A failed connection as clusterUnreachable, saying what to do. `ambiguous: true` marks a write that the API server
 * may have got before the connection failed.
 */
export function transportProblem(error: unknown, attempt: Attempt): Problem {
  const cause = innermost(error)
  const code = cause.code ?? ''
  const before = NOT_SENT.has(code) || UNKNOWN_AUTHORITY.has(code) || OTHER_TLS.has(code) || code.startsWith('ERR_SSL')
  return clusterUnreachable({
    detail: `Cluster ${attempt.cluster}: ${sentence(code, cause, attempt)}`,
    reason: code || 'Unknown',
    ...(attempt.write && !before ? { ambiguous: true } : {}),
  })
}

function sentence(code: string, cause: ReturnType<typeof innermost>, { server, timeoutSeconds }: Attempt): string {
  const { host, hostname } = new URL(server)
  if (UNKNOWN_AUTHORITY.has(code)) {
    return `the certificate of ${host} is signed by an authority that the kubeconfig does not name. Put the cluster's own authority into certificate-authority-data.`
  }
  switch (code) {
    case 'ECONNREFUSED':
      return `nothing listens at ${host}. Check the address, and that the API server runs.`
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the name ${hostname} cannot be looked up. Check the address and the name servers of this machine.`
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return `there is no route to ${host}. Check the network between this machine and the cluster.`
    case 'ETIMEDOUT':
    case 'UND_ERR_CONNECT_TIMEOUT':
      return `${host} does not answer to a connection. Check the address and the firewalls between.`
    case 'CERT_HAS_EXPIRED':
      return `the certificate of ${host} has expired. Renew it on the cluster (kubeadm certs renew apiserver).`
    case 'CERT_NOT_YET_VALID':
      return `the certificate of ${host} is not valid yet. Check the clocks of both machines.`
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `the certificate of ${host} is for other names (${cause.cert?.subjectaltname ?? 'none'}). Use one of them as server, or set tls-server-name.`
    case 'QUIET':
    case 'UND_ERR_HEADERS_TIMEOUT':
    case 'UND_ERR_BODY_TIMEOUT':
      return `${host} did not answer within ${timeoutSeconds} s. It may be overloaded; try again.`
    case 'ECONNRESET':
    case 'EPIPE':
    case 'UND_ERR_SOCKET':
      return `${host} closed the connection before it had answered. Try again.`
  }
  if (code.startsWith('ERR_SSL') || code === 'EPROTO') {
    return `${host} does not speak TLS as expected (${code}). Check the port, and https or http in server.`
  }
  if (code.startsWith('HPE_')) return `what answers at ${host} is not HTTP. Check the port.`
  return `the connection to ${host} failed (${code || cause.message}).`
}
