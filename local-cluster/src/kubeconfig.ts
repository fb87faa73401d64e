import { chmodSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { stringify } from 'yaml'
import type { Endpoint } from './kube-request.ts'

/** A kubeconfig with everything inside, so that it can be copied elsewhere. `name` is cluster, user and context. */
export function kubeconfigOf({ url, authority, certificate, key }: Endpoint, name: string): string {
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server: url, 'certificate-authority-data': base64(authority) } }],
    users: [{ name, user: { 'client-certificate-data': base64(certificate), 'client-key-data': base64(key) } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    'current-context': name,
  })
}

/** Writes a file at once or not at all. `mode` defaults to what only the owner can read. */
export function writeWhole(file: string, text: string | Buffer, mode = 0o600): void {
  mkdirSync(dirname(file), { recursive: true })
  const draft = `${file}.${process.pid}.draft`
  writeFileSync(draft, text, { mode })
  chmodSync(draft, mode)
  renameSync(draft, file)
}
