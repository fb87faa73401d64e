import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { listOf, make, makePod, namespace, platform, until, url, withMirror } from '../../../test/platform/mirrored.ts'
import { startQd } from '../../../test/platform/qd.ts'
import { listObjects } from './object.contract.ts'

const home = mkdtempSync(join(tmpdir(), 'qd-acts-'))
const NODE = `acts-${Math.random().toString(36).slice(2, 8)}`

withMirror()
beforeAll(async () => {
  await make('ConfigMap', 'rigging', { data: { colour: 'red' } })
  const labels = { app: 'web' }
  const template = { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'web:1' }] } }
  await make('Deployment', 'web', { spec: { replicas: 1, selector: { matchLabels: labels }, template } }, 'apps/v1')
  await platform.cluster.create({ apiVersion: 'v1', kind: 'Node', metadata: { name: NODE } })
  await makePod('alone')
  await listOf(1, 'configmaps')
  await listOf(1, 'deployments')
  await listOf(1, 'pods')
  const nodes = () => platform.client(listObjects, { params: { resource: 'nodes' }, query: { filter: `name=${NODE}` } })
  await until(async () => (await nodes()).total === 2)
})
afterAll(async () => {
  await platform.cluster.remove({ apiVersion: 'v1', kind: 'Node', name: NODE })
  rmSync(home, { recursive: true })
})

async function qd(args: string[], input = '') {
  const { child, said, ended } = startQd(args, { home, server: url, token: 'tester' })
  child.stdin.end(input)
  return { status: await ended, ...said }
}
const here = () => ['--cluster', 'test', '-n', namespace]
const ConfigMap = { apiVersion: 'v1', kind: 'ConfigMap' }
const Deployment = { apiVersion: 'apps/v1', kind: 'Deployment' }
const live = (kind: { apiVersion: string; kind: string }, name: string) =>
  platform.cluster.get({ ...kind, namespace, name })
const isCordoned = async () =>
  (await platform.cluster.get({ apiVersion: 'v1', kind: 'Node', name: NODE }))?.spec.unschedulable

test('[EXT-07] qd edit takes the edited object from a file or stdin, and says what is wrong with it', async () => {
  const yaml = (colour: string) =>
    `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: rigging\ndata:\n  colour: ${colour}\n  count: "2"\n`
  const file = join(home, 'rigging.yaml')
  writeFileSync(file, yaml('blue'))
  const plan = await qd(['edit', 'cm', 'rigging', ...here(), '-f', file, '--dry-run'])
  expect([plan.status, plan.out]).toEqual([
    0,
    expect.stringMatching(/ConfigMap rigging +update +data.colour +red +blue/),
  ])
  expect((await live(ConfigMap, 'rigging'))?.data).toEqual({ colour: 'red' })
  expect((await qd(['edit', 'cm', 'rigging', ...here(), '-f', '-'], yaml('green'))).status).toBe(0)
  await platform.settle()
  expect((await live(ConfigMap, 'rigging'))?.data).toEqual({ colour: 'green', count: '2' })
  const wrong = await qd(['edit', 'cm', 'rigging', ...here(), '-f', '-'], 'kind: ConfigMap')
  expect([wrong.status, wrong.err]).toEqual([1, expect.stringContaining('metadata is missing')])
  const nobody = await qd(['edit', 'cm', 'rigging', ...here()])
  expect([nobody.status, nobody.err]).toEqual([2, expect.stringContaining('There is no terminal to edit in')])
})

test('[CON-24] qd scale and qd restart change workloads as they stand', async () => {
  const scaled = await qd(['scale', 'deploy', 'web', '--replicas', '4', ...here()])
  expect([scaled.status, scaled.out]).toEqual([0, expect.stringContaining(`Scale Deployment ${namespace}/web to 4`)])
  await platform.settle()
  expect((await live(Deployment, 'web'))?.spec.replicas).toBe(4)
  expect((await qd(['restart', 'deploy', 'web', ...here()])).status).toBe(0)
  await platform.settle()
  const { annotations } = (await live(Deployment, 'web'))?.spec.template.metadata ?? {}
  expect(annotations['quarterdeck.dev/restart-time']).toMatch(/^20/)
  expect((await qd(['scale', 'deploy', 'web', '--replicas', 'many', ...here()])).status).toBe(2)
  const cm = await qd(['scale', 'cm', 'rigging', '--replicas', '1', ...here()])
  expect([cm.status, cm.err]).toEqual([1, expect.stringContaining('cannot be scaled')])
})

test('[CLU-19] qd cordon, uncordon, drain and evict', async () => {
  const at = ['--cluster', 'test']
  expect((await qd(['cordon', NODE, ...at])).status).toBe(0)
  await platform.settle()
  expect(await isCordoned()).toBe(true)
  expect((await qd(['uncordon', NODE, ...at])).status).toBe(0)
  await platform.settle()
  expect(await isCordoned()).toBeUndefined()
  expect((await qd(['drain', NODE, ...at])).status).toBe(2)
  expect((await qd(['drain', NODE, ...at, '--yes'])).status).toBe(0)
  await platform.settle()
  expect(await isCordoned()).toBe(true)
  const kept = await qd(['evict', 'alone', ...here(), '--yes'])
  expect([kept.status, kept.err]).toEqual([1, expect.stringContaining('would be lost')])
  expect((await qd(['evict', 'alone', ...here(), '--lost', '--yes'])).status).toBe(0)
  await platform.settle()
  expect(await live({ apiVersion: 'v1', kind: 'Pod' }, 'alone')).toBeUndefined()
})
