import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { listOf, make, makePod, namespace, platform, until, url, withMirror } from '../../../test/platform/mirrored.ts'
import { startQd } from '../../../test/platform/qd.ts'

const home = mkdtempSync(join(tmpdir(), 'qd-objects-'))

withMirror()
beforeAll(async () => {
  for (const name of ['web-1', 'web-2']) await makePod(name, { labels: { app: 'web' } })
  await make('ConfigMap', 'sails', { data: { colour: 'red' } })
  await listOf(2, 'pods')
  await listOf(1, 'configmaps')
})
afterAll(() => rmSync(home, { recursive: true }))

const start = (args: string[]) => startQd(args, { home, server: url, token: 'tester' })
async function qd(...args: string[]) {
  const { said, ended } = start(args)
  return { status: await ended, ...said }
}
const here = () => ['--cluster', 'test', '-n', namespace]

test('[SCL-02] qd get lists a kind, filtered and sorted, as a table or as JSON', async () => {
  const table = await qd('get', 'po', ...here(), '--sort', '-name')
  expect(table.status).toBe(0)
  const [heading, ...rows] = table.out.trim().split('\n')
  expect(heading).toMatch(/^NAME +AGE .*STATUS/)
  expect(rows.map((row) => row.split(' ')[0])).toEqual(['web-2', 'web-1'])
  const json = await qd('get', 'pods', ...here(), '--filter', 'name:web-1', '-o', 'json')
  expect(JSON.parse(json.out)).toMatchObject({
    resource: 'pods',
    total: 1,
    freshness: [{ cluster: 'test', state: 'live' }],
  })
  const all = await qd('get', 'pods', '-n', namespace, '--limit', '3')
  expect(all.out).toMatch(/^CLUSTER +NAME/)
  expect(all.err).toContain('3 of 4')
})

test('[EXT-07] qd get with a name prints that object, wherever it is', async () => {
  const yaml = await qd('get', 'configmap', 'sails', ...here())
  expect([yaml.status, yaml.out]).toEqual([0, expect.stringContaining('colour: red')])
  const json = await qd('get', 'cm', 'sails', '--cluster', 'test', '-o', 'json')
  expect(JSON.parse(json.out).data).toEqual({ colour: 'red' })
  const several = await qd('get', 'cm', 'sails')
  expect([several.status, several.err]).toEqual([2, expect.stringMatching(/test mirror-.*; twin mirror-.*--cluster/)])
  expect((await qd('get', 'cm', 'nothing')).err).toContain('There is a cm nothing in no cluster')
})

test('qd says what is wrong with a kind, a filter and a limit', async () => {
  const kind = await qd('get', 'podz')
  expect([kind.status, kind.err]).toEqual([1, expect.stringContaining('No cluster serves a kind podz')])
  const filter = await qd('get', 'pods', '--filter', 'colour:red')
  expect([filter.status, filter.err]).toEqual([1, expect.stringContaining('at character 1')])
  expect((await qd('get', 'pods', '--limit', 'many')).status).toBe(2)
})

test('[SCL-01] [CON-24] qd search finds objects of every kind, qd kinds lists the kinds', async () => {
  const found = await qd('search', `sails ${namespace}`)
  expect(found.out).toMatch(/^KIND +CLUSTER +NAMESPACE +NAME/)
  expect(found.out.match(/^configmaps .*sails$/gm)).toHaveLength(2)
  const kinds = await qd('kinds')
  expect(kinds.out).toMatch(/^deployments\.apps +deploy +Deployment +v1 +yes/m)
  const names = (await qd('kinds', '--names')).out.split('\n')
  expect(names).toEqual(expect.arrayContaining(['pods', 'deployments.apps']))
})

test('qd get --watch shows what changes until it is interrupted', async () => {
  const { child, said, ended } = start(['get', 'secrets', ...here(), '--watch'])
  await make('Secret', 'fresh')
  await until(() => said.out.includes('fresh'))
  await platform.cluster.remove({ apiVersion: 'v1', kind: 'Secret', namespace, name: 'fresh' })
  await until(() => said.err.includes('- fresh'))
  child.kill('SIGINT')
  expect(await ended).toBe(130)
})

test('qd get --watch with a wrong filter ends with what is wrong', async () => {
  const wrong = await qd('get', 'pods', '--watch', '--filter', 'colour:red')
  expect([wrong.status, wrong.err]).toEqual([1, expect.stringContaining('colour')])
})

test('[CON-24] qd delete shows its plan, asks, and deletes', async () => {
  await make('ConfigMap', 'old', {})
  await listOf(1, 'configmaps', { filter: 'name:old' })
  const plan = await qd('delete', 'cm', 'old', ...here(), '--dry-run')
  expect([plan.status, plan.out]).toEqual([0, expect.stringMatching(/ConfigMap old +delete/)])
  expect((await qd('delete', 'cm', 'old', ...here())).status).toBe(2)
  await listOf(1, 'configmaps', { filter: 'name:old' })
  expect((await qd('delete', 'cm', 'old', ...here(), '--yes')).status).toBe(0)
  await platform.settle()
  await listOf(0, 'configmaps', { filter: 'name:old' })
})
