import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import type { CredentialPlugin, UserFields } from './kubeconfig-shape.ts'
import { FLATTEN, refuse } from './kubeconfig-text.ts'

interface Question {
  ca: string | undefined
  caField: string
  user: UserFields | undefined
  userField: string
  now: Date
  allowPlugin: boolean
}
interface Values {
  ca?: string
  certificate?: string
  key?: string
  token?: string
  plugin?: CredentialPlugin
}

const SOON = 30 * 24 * 3600 * 1000 // 30 days: time enough to renew

/** Checks authority, certificate, key, token and plugin of a kubeconfig. Throws invalidKubeconfig. */
export function checkCredentials(question: Question): { values: Values; warnings: string[] } {
  const warnings: string[] = []
  const values: Values = {}
  if (question.ca !== undefined) {
    values.ca = pemOf(question.ca, question.caField)
    certificateOf(values.ca, question.caField)
  }
  const { user, userField } = question
  if (!user) {
    warnings.push('The context names no user: requests are anonymous.')
    return { values, warnings }
  }
  refuseUnusable(user, userField)
  if (user.token !== undefined) values.token = user.token.trim()
  if (user.exec !== undefined) {
    values.plugin = user.exec
    if (!question.allowPlugin) {
      refuse(
        `${userField}.exec`,
        `runs the command ${user.exec.command} on this server, which only its operator's own file may`,
        'Use a service account token instead (kubectl create token), or start the server with --kubeconfig FILE.',
      )
    }
  }
  const pair = clientCertificate(user, userField, question.now, warnings)
  if (pair) Object.assign(values, pair)
  if (!values.token && !values.plugin && !pair) {
    refuse(
      userField,
      'has neither token nor client certificate',
      'Give a token or client-certificate-data with client-key-data.',
    )
  }
  return { values, warnings }
}

function refuseUnusable(user: UserFields, at: string): void {
  for (const field of ['client-certificate', 'client-key'] as const) {
    if (user[field] && !user[`${field}-data`]) {
      refuse(`${at}.${field}`, `is a path (${user[field]}) that this server does not read`, FLATTEN)
    }
  }
  if (user.tokenFile && !user.token) {
    refuse(
      `${at}.tokenFile`,
      `is a path (${user.tokenFile}) that this server does not read`,
      'Put the token itself into token.',
    )
  }
  if (user.username || user.password) {
    refuse(
      `${at}.username`,
      'is basic authentication, which Kubernetes no longer has',
      'Use a token or a client certificate.',
    )
  }
  if (user['auth-provider'] !== undefined) {
    refuse(`${at}.auth-provider`, 'is no longer part of Kubernetes', 'Use a token, a client certificate or exec.')
  }
  if (user.as) refuse(`${at}.as`, 'impersonates another user', 'Give a kubeconfig of the identity that should act.')
}

function clientCertificate(user: UserFields, at: string, now: Date, warnings: string[]) {
  const certificateText = user['client-certificate-data']
  const keyText = user['client-key-data']
  if (certificateText === undefined && keyText === undefined) return undefined
  if (certificateText === undefined) {
    return refuse(`${at}.client-certificate-data`, 'is missing beside client-key-data', 'Add it.')
  }
  if (keyText === undefined) return refuse(`${at}.client-key-data`, 'is missing beside the certificate', 'Add it.')
  const certificate = pemOf(certificateText, `${at}.client-certificate-data`)
  const key = pemOf(keyText, `${at}.client-key-data`)
  const x509 = certificateOf(certificate, `${at}.client-certificate-data`)
  checkDates(x509, `${at}.client-certificate-data`, now, warnings)
  if (!x509.checkPrivateKey(privateKeyOf(key, `${at}.client-key-data`))) {
    refuse(`${at}.client-key-data`, 'does not belong to the client certificate', 'Take both from the same file.')
  }
  return { certificate, key }
}

function checkDates(x509: X509Certificate, field: string, now: Date, warnings: string[]): void {
  const until = new Date(x509.validTo)
  const from = new Date(x509.validFrom)
  const day = (date: Date) => date.toISOString().replace('.000Z', 'Z')
  if (until < now) {
    refuse(field, `expired on ${day(until)}`, 'Renew it (kubeadm certs renew admin.conf) and send the new kubeconfig.')
  }
  if (from > now) refuse(field, `is valid only from ${day(from)}`, 'Check the clocks of both machines.')
  if (until.getTime() - now.getTime() < SOON) {
    warnings.push(`The client certificate expires on ${day(until)}. Renew it before then.`)
  }
}

function pemOf(data: string, field: string): string {
  const text = Buffer.from(data.replace(/\s+/g, ''), 'base64').toString('utf8')
  if (text.includes('-----BEGIN ')) return text
  const wrong = data.includes('-----BEGIN ') ? 'is PEM, not base64 of PEM' : 'is not base64 of a PEM text'
  return refuse(field, wrong, 'Encode the PEM file with base64 -w0.')
}

function certificateOf(pem: string, field: string): X509Certificate {
  try {
    return new X509Certificate(pem)
  } catch {
    return refuse(field, 'does not hold an X.509 certificate', 'Take it from the cluster again.')
  }
}

function privateKeyOf(pem: string, field: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch {
    return refuse(field, 'does not hold a private key without a passphrase', 'Take it from the cluster again.')
  }
}
