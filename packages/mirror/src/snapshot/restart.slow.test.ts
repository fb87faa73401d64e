import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Cluster } from '@quarterdeck/kube'
import { type TestCluster, testCluster } from '@quarterdeck/testkit'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { EVERYTHING, type Mirror, type Page, type Row } from '../mirror.ts'
import { openMirror } from '../open-mirror.ts'

let test: TestCluster
let cluster: Cluster
let namespace: string
let snapshotFolder: string
let mirror: Mirror | undefined
const warnings: string[] = []

beforeAll(async () => {
  test = await testCluster()
  cluster = test.cluster
})
afterAll(() => test.close())
beforeEach(async () => {
  warnings.length = 0
  snapshotFolder = mkdtempSync(join(tmpdir(), 'restart-'))
  namespace = await test.namespace('restart')
  for (const name of ['stays', 'goes', 'changes']) await put(name, '1')
})
afterEach(async () => {
  await mirror?.close()
  rmSync(snapshotFolder, { recursive: true })
})

const put = (name: string, version: string) =>
  cluster.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace, labels: { version } } })

function open({ registration = '1', keyByte = 5 } = {}): Mirror {
  const opened = openMirror({
    snapshots: { folder: snapshotFolder, key: new Uint8Array(32).fill(keyByte) },
    log: { info: () => {}, warn: (_, message) => void warnings.push(message) },
  })
  mirror = opened
  opened.watch({ name: 'east', kubeconfig: test.kubeconfig, revision: registration })
  return opened
}
const ours = (from: Mirror): Page =>
  from.list(
    {
      resource: 'configmaps',
      filter: { field: 'namespace', op: '=', values: [namespace] },
      columns: ['name', 'labels'],
    },
    EVERYTHING,
  )
const keysOf = (rows: Row[]) => rows.map(({ uid, revision, values }) => [values[0], uid, revision])
const inCluster = async () => {
  const { items } = await cluster.list({ apiVersion: 'v1', kind: 'ConfigMap', namespace })
  return items
    .map(({ metadata }) => [metadata.name, metadata.uid, metadata.resourceVersion] as unknown[])
    .sort((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1))
}
const stateOf = (from: Mirror) =>
  from.kind('configmaps') ? ours(from).freshness.find((one) => one.cluster === 'east')?.state : undefined
const live = (from: Mirror) => vi.waitFor(() => expect(stateOf(from)).toBe('live'), { timeout: 20_000 })

it('[W8] after a restart lists are there at once, marked as stale, and go on from where they stood', async () => {
  const first = open()
  await live(first)
  const before = ours(first)
  expect(keysOf(before.rows)).toEqual(await inCluster())
  await first.close()
  await cluster.remove({ apiVersion: 'v1', kind: 'ConfigMap', name: 'goes', namespace })
  await put('changes', '2')
  await put('comes', '1')
  const again = open()
  expect(keysOf(ours(again).rows)).toEqual(keysOf(before.rows))
  expect(stateOf(again)).toBe('stale')
  const states = new Set<string | undefined>()
  await vi.waitFor(
    async () => {
      states.add(stateOf(again))
      expect(keysOf(ours(again).rows)).toEqual(await inCluster())
      expect(stateOf(again)).toBe('live')
    },
    { timeout: 20_000, interval: 5 },
  )
  expect([...states].sort()).toEqual(['live', 'stale'])
  expect(warnings).toEqual([])
})

it('a damaged file of the snapshot is read anew from the cluster, and nothing wrong is shown', async () => {
  await live(open())
  await mirror?.close()
  for (const file of readdirSync(snapshotFolder).filter((name) => name.endsWith('.table'))) {
    const bytes = readFileSync(join(snapshotFolder, file))
    const middle = bytes.length >> 1
    bytes[middle] = (bytes[middle] as number) ^ 4
    writeFileSync(join(snapshotFolder, file), bytes)
  }
  const again = open()
  expect(again.kind('configmaps')).toBeUndefined()
  expect(warnings).toContain('A file of the snapshot is passed over: this list is read anew')
  await live(again)
  expect(keysOf(ours(again).rows)).toEqual(await inCluster())
})

it('with another key the lists are read anew from the cluster, and no name stood in the files', async () => {
  await live(open())
  await mirror?.close()
  const files = readdirSync(snapshotFolder)
  expect(files.length).toBeGreaterThan(10)
  for (const file of files) {
    const bytes = readFileSync(join(snapshotFolder, file))
    const found = [namespace, 'changes', 'configmaps', 'kube-system'].filter((text) => bytes.includes(text))
    expect([file, found]).toEqual([file, []])
  }
  const again = open({ keyByte: 6 })
  expect(again.kind('configmaps')).toBeUndefined()
  expect(warnings).toEqual(['The snapshot is passed over: every list is read anew'])
  await live(again)
  expect(keysOf(ours(again).rows)).toEqual(await inCluster())
  await again.close()
  expect(keysOf(ours(open({ keyByte: 6 })).rows)).toEqual(await inCluster())
})
