import { type Mirror, openMirror } from '@quarterdeck/mirror'
import { hint } from '@quarterdeck/reconcile'
import { type Platform, startPlatform } from '@quarterdeck/testkit'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { until } from '../../../test/platform/mirrored.ts'
import { deleteCluster, findKubeconfig, listClusterRows, saveCluster } from '../cluster/cluster.store.ts'
import { followClusters } from './follow-clusters.routes.ts'

let platform: Platform
let mirror: Mirror
let stop: () => Promise<void>
let hints: boolean
let warnings: string[]
beforeEach(async () => {
  platform = await startPlatform()
  mirror = openMirror({ log: { info: () => undefined, warn: () => undefined } })
  hints = true
  warnings = []
})
afterEach(async () => {
  await stop()
  await mirror.close()
  await platform.close()
})

function follow(resyncSeconds?: number): void {
  const { db, store, keyFile } = platform
  const warn = (_: object, message: string) => void warnings.push(message)
  stop = followClusters({
    mirror,
    registered: async () => (await listClusterRows(db)).map(({ name }) => name),
    load: (name) => findKubeconfig(db, keyFile, name),
    listen: (channel, fn) =>
      store.listen(channel, (payload) => (hints || payload === undefined ? fn(payload) : undefined)),
    log: { info: () => undefined, warn, error: warn },
    ...(resyncSeconds === undefined ? {} : { resyncSeconds }),
  })
}
async function register(name: string, kubeconfig = platform.kubeconfig): Promise<void> {
  const { db, keyFile } = platform
  const row = { name, title: name, origin: 'kubeconfig' as const, simulated: false, server: 'https://x', kubeconfig }
  await saveCluster(db, keyFile, row, { replace: true })
  await hint(db, 'cluster', name)
}
const mirrored = () => mirror.clusters().map(({ cluster }) => cluster)
const isLive = (name: string) => mirror.clusters().some(({ cluster, state }) => cluster === name && state === 'live')

test('[CLU-04] [SCL-04] clusters that are registered before and after the start are mirrored, removed ones forgotten', async () => {
  await register('first')
  follow()
  await until(() => isLive('first'))
  await register('second')
  await until(() => isLive('second'))
  await deleteCluster(platform.db, 'first')
  await hint(platform.db, 'cluster', 'first')
  await until(() => !mirrored().includes('first'))
  expect(mirrored()).toEqual(['second'])
})

test('a new kubeconfig is taken up, and a cluster that cannot be read keeps no other from being read', async () => {
  const nowhere = platform.kubeconfig.replace(/server: .*/, 'server: https://127.0.0.1:1')
  await register('moved', nowhere)
  follow()
  await register('other')
  await until(() => isLive('other'))
  expect(isLive('moved')).toBe(false)
  await register('moved')
  await until(() => isLive('moved'))
})

test('a registration that cannot be opened is logged and skipped', async () => {
  await register('broken', 'this is no kubeconfig')
  await register('good')
  follow()
  await until(() => isLive('good'))
  expect(isLive('broken')).toBe(false)
})

test('a lost hint is made up for', async () => {
  follow(0.05)
  await register('first')
  await until(() => isLive('first'))
  hints = false
  await register('second')
  await deleteCluster(platform.db, 'first')
  await until(() => isLive('second') && !mirrored().includes('first'))
})
