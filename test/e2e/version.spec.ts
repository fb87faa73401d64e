import { readFileSync } from 'node:fs'
import AxeBuilder from '@axe-core/playwright'
import type { KubeObject } from '@quarterdeck/kernel'
import { type Cluster, connectCluster } from '@quarterdeck/kube'
import { expect, PASSWORD, test } from './story.ts'

const NAMESPACE = `version-${Date.now().toString(36)}`
let cluster: Cluster

const settings = (colour: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'settings', namespace: NAMESPACE },
  data: { colour, size: 'large' },
})

test.beforeAll(async ({ platform }) => {
  cluster = connectCluster({ name: 'local', kubeconfig: readFileSync(platform.kubeconfigFile, 'utf8') })
  await cluster.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } })
})
test.afterAll(async () => {
  await cluster?.remove({ apiVersion: 'v1', kind: 'Namespace', name: NAMESPACE })
  await cluster?.close()
})

test('what was changed past Quarterdeck is in Changes by itself, and its line leads to what it changed', async ({
  signedIn: page,
  platform,
}) => {
  await cluster.create(settings('red'))
  await page.goto(`${platform.url}/changes?filter=${NAMESPACE}`)
  const table = page.getByRole('table', { name: 'Changes' })
  await expect(table.getByRole('row', { name: `ConfigMap ${NAMESPACE}/settings` })).toHaveCount(1)
  await cluster.apply(settings('green'), { force: true })
  const rows = table.getByRole('row', { name: `ConfigMap ${NAMESPACE}/settings` })
  await expect(rows).toHaveCount(2)
  await expect(rows.first()).toContainText('Changed')
  expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([])
  await rows.first().getByRole('link').click()
  await page.getByRole('button', { name: 'Show version 2' }).click()
  const version = page.getByRole('region', { name: 'Version 2' })
  await expect(version.getByRole('row', { name: /data\.colour/ })).toContainText(/red.*green/s)
  await expect(version.getByRole('row', { name: /data\.size/ })).toHaveCount(0)
})

test('qd tells who changed an object and what it was at a time, and shows a version with its change', async ({
  qd,
  platform,
}) => {
  const place = ['--cluster', 'local', '-n', NAMESPACE]
  const token = await qd(['login', '--server', platform.url, '--user', 'admin', '--password-stdin'], `${PASSWORD}\n`)
  expect(token.status).toBe(0)
  const before = new Date().toISOString()
  await cluster.apply(settings('blue'), { force: true })
  await expect
    .poll(async () => (await qd(['versions', 'configmaps', 'settings', ...place])).stdout)
    .toMatch(/^3 +changed +quarterdeck/m)
  const third = await qd(['versions', 'configmaps', 'settings', '3', ...place])
  expect(third.stderr).toContain('data.colour: "green" → "blue"')
  expect(third.stdout).toContain('colour: blue')
  const then = await qd(['versions', 'configmaps', 'settings', '--at', before, ...place])
  expect(then.stdout).toContain('colour: green')
})
