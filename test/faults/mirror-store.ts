import { cpSync, renameSync, rmSync } from 'node:fs'
import { request } from 'node:https'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { OwnCluster } from '@quarterdeck/testkit'

/** etcd forgets what was before the revision. */
export function compactStore({ plane }: OwnCluster, revision: number): Promise<void> {
  const { url, authority, certificate, key } = plane.etcd
  const body = JSON.stringify({ revision: String(revision), physical: true })
  return new Promise((resolve, reject) => {
    const options = { method: 'POST', ca: authority, cert: certificate, key }
    const sent = request(`${url}/v3/kv/compaction`, options, (answer) => {
      answer.resume()
      answer.on('end', () =>
        answer.statusCode === 200 ? resolve() : reject(new Error(`compaction: ${answer.statusCode}`)),
      )
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

const PAUSE_SECONDS = 1.5

/** etcd's folder while it does not run. */
async function whileStopped({ plane }: OwnCluster, act: (folder: string) => void): Promise<void> {
  const folder = join(dirname(plane.kubeconfigFile), 'etcd')
  const back = plane.restart('etcd', { kill: true, pauseSeconds: PAUSE_SECONDS })
  await sleep((PAUSE_SECONDS * 1000) / 2)
  try {
    act(folder)
  } finally {
    await back
  }
}

/** Keeps a copy of the store as it is now. */
export const saveStore = (own: OwnCluster): Promise<void> =>
  whileStopped(own, (folder) => cpSync(folder, `${folder}-saved`, { recursive: true }))

/** Puts the copy in place of the store, and starts the API server anew, as one does after a restore. */
export async function putStoreBack(own: OwnCluster): Promise<void> {
  await whileStopped(own, (folder) => {
    rmSync(folder, { recursive: true })
    renameSync(`${folder}-saved`, folder)
  })
  await own.plane.restart('kube-apiserver', { kill: true })
}
