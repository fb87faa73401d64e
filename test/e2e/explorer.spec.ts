import { readFileSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import AxeBuilder from '@axe-core/playwright'
import type { Page } from '@playwright/test'
import type { KubeObject } from '@quarterdeck/kernel'
import { type Cluster, connectCluster } from '@quarterdeck/kube'
import { type E2ePlatform, expect, test } from './story.ts'

/** Another one each run, so that stories can be told again to a platform that has heard them. */
const RUN = Date.now().toString(36)
const NAMESPACE = `explore-${RUN}`
const CLUSTER = 'local'

let cluster: Cluster
const object = (apiVersion: string, kind: string, name: string, more: object = {}): KubeObject =>
  ({ apiVersion, kind, metadata: { name, namespace: NAMESPACE }, ...more }) as KubeObject

/** A pod that no node takes, whatever the cluster: its state is the same on real and on simulated nodes. */
const homeless = (name: string, tier: string) => ({
  ...object('v1', 'Pod', name, {
    spec: {
      nodeSelector: { 'explorer.example/nowhere': 'yes' },
      containers: [{ name: 'main', image: 'example.com/none:1', envFrom: [{ secretRef: { name: 'not-there' } }] }],
    },
  }),
  metadata: { name, namespace: NAMESPACE, labels: { tier } },
})

const widgets: KubeObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `widgets.${RUN}.example.com` },
  spec: {
    group: `${RUN}.example.com`,
    scope: 'Namespaced',
    names: { plural: 'widgets', singular: 'widget', kind: 'Widget' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        additionalPrinterColumns: [{ name: 'Colour', type: 'string', jsonPath: '.spec.colour' }],
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: { spec: { type: 'object', properties: { colour: { type: 'string' } } } },
          },
        },
      },
    ],
  },
} as KubeObject

test.beforeAll(async ({ platform }) => {
  cluster = connectCluster({ name: CLUSTER, kubeconfig: readFileSync(platform.kubeconfigFile, 'utf8') })
  await cluster.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } } as KubeObject)
  for (const [name, tier] of [
    ['front-1', 'front'],
    ['front-2', 'front'],
    ['back-1', 'back'],
  ] as const) {
    await cluster.create(homeless(name, tier))
  }
  await cluster.create(object('v1', 'ConfigMap', 'settings', { data: { colour: 'blue' } }))
})
test.afterAll(async () => {
  await cluster.remove({ apiVersion: 'v1', kind: 'Namespace', name: NAMESPACE })
  await cluster.remove({ apiVersion: widgets.apiVersion, kind: widgets.kind, name: widgets.metadata.name })
  await cluster.close()
})

const explore = (page: Page, { url }: E2ePlatform, path: string) => page.goto(`${url}/explore/${path}`)
const filterOf = (page: Page) => page.getByRole('combobox', { name: 'Filter' })
const grid = (page: Page, kind: string) => page.getByRole('grid', { name: kind })
/** Names in the order of the rows. */
const names = (page: Page) => page.getByRole('grid').locator('[data-index] a').allInnerTexts()

test('[SCL-02] a pod is found by a filter that completes itself, sorted by its headings, and the address keeps it all', async ({
  signedIn: page,
  platform,
}) => {
  await explore(page, platform, 'pods')
  await expect(grid(page, 'Pod')).toBeVisible()
  await page.keyboard.press('/')
  await filterOf(page).pressSequentially('names')
  await page
    .getByRole('option', { name: /^namespace/ })
    .first()
    .waitFor()
  await page.keyboard.press('Tab')
  await filterOf(page).pressSequentially(NAMESPACE.slice(0, -1))
  await page.getByRole('option', { name: new RegExp(NAMESPACE) }).waitFor()
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  await page.keyboard.press('Enter')
  await expect(page.getByText('3 objects')).toBeVisible()
  await expect.poll(() => names(page)).toEqual(['back-1', 'front-1', 'front-2'])
  const heading = page.getByRole('columnheader', { name: /^Name(?!s)/ })
  await heading.getByRole('button').click()
  await heading.getByRole('button').click()
  await expect(heading).toHaveAttribute('aria-sort', 'descending')
  await expect.poll(() => names(page)).toEqual(['front-2', 'front-1', 'back-1'])
  await page.reload()
  await expect.poll(() => names(page)).toEqual(['front-2', 'front-1', 'back-1'])
  await expect(filterOf(page)).toHaveValue(`namespace:${NAMESPACE}`)
  await page.goBack()
  await expect.poll(() => names(page)).toEqual(['back-1', 'front-1', 'front-2'])
})

test('a filter that cannot be read is said under it in words, and the rows stay', async ({
  signedIn: page,
  platform,
}) => {
  await explore(page, platform, `pods?filter=ns:${NAMESPACE}`)
  await expect.poll(() => names(page)).toHaveLength(3)
  await filterOf(page).fill(`statsu:Pending ns:${NAMESPACE}`)
  await filterOf(page).press('Enter')
  await expect(page.getByRole('alert')).toContainText('did you mean status')
  await expect.poll(() => names(page)).toHaveLength(3)
})

test('a facet counts the values of what is shown, and a click asks for one', async ({ signedIn: page, platform }) => {
  await explore(page, platform, `pods?filter=ns:${NAMESPACE}`)
  const facets = page.getByRole('navigation', { name: 'Facets' })
  await expect(facets.getByRole('button', { name: /^Pending 3/ })).toBeVisible()
  await facets.getByRole('button', { name: /^Pending/ }).click()
  await expect(filterOf(page)).toHaveValue(`ns:${NAMESPACE} status:Pending`)
  await expect(facets.getByRole('button', { name: /^Pending/ })).toHaveAttribute('aria-pressed', 'true')
})

test('[SCL-02] what changes in the cluster appears without a reload', async ({ signedIn: page, platform }) => {
  await explore(page, platform, `configmaps?filter=ns:${NAMESPACE} name~live`)
  await expect(page.getByText('Nothing matches this filter.')).toBeVisible()
  await cluster.create(object('v1', 'ConfigMap', 'live-one'))
  await expect.poll(() => names(page)).toEqual(['live-one'])
  await expect(page.getByText('1 object', { exact: true })).toBeVisible()
  await cluster.remove({ apiVersion: 'v1', kind: 'ConfigMap', namespace: NAMESPACE, name: 'live-one' })
  await expect(page.getByText('Nothing matches this filter.')).toBeVisible()
})

test('[CLU-19] the details of a pending pod say why, what it names that is missing, its YAML and its events', async ({
  signedIn: page,
  platform,
}) => {
  await explore(page, platform, `pods?filter=ns:${NAMESPACE}`)
  await expect.poll(() => names(page)).toHaveLength(3)
  await page.keyboard.press('j')
  await page.keyboard.press('Enter')
  const pane = page.getByRole('region', { name: 'back-1' })
  await expect(pane).toContainText('Why it is not running')
  await expect(pane).toContainText(/Unschedulable.*nodes are available/s)
  await pane.getByRole('button', { name: 'Related' }).click()
  await expect(pane.getByRole('treeitem').filter({ hasText: 'not-there' })).toContainText('missing')
  await pane.getByRole('button', { name: 'YAML' }).click()
  await expect(pane.getByRole('group', { name: 'YAML' })).toContainText('explorer.example/nowhere')
  await pane.getByRole('button', { name: 'Events' }).click()
  await expect(pane.getByRole('table', { name: 'Events' })).toContainText('FailedScheduling')
  await page.reload()
  await expect(pane.getByRole('table', { name: 'Events' })).toContainText('FailedScheduling')
  await page.locator('body').press('Escape')
  await expect(pane).toBeHidden()
  await expect.poll(() => names(page)).toHaveLength(3)
})

test('[SCL-01] the search over every object of every cluster opens one', async ({ signedIn: page, platform }) => {
  await page.goto(platform.url)
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
  await page.keyboard.press('Control+k')
  await page.getByRole('combobox', { name: /Any object/ }).fill(`front-2 ${NAMESPACE}`)
  const found = page.getByRole('option', { name: /^front-2/ }).first()
  await expect(found).toContainText(`${NAMESPACE} · ${CLUSTER}`)
  await found.click()
  await page.waitForURL(`**/explore/pods/${CLUSTER}/${NAMESPACE}/front-2`)
  await expect(page.getByRole('region', { name: 'front-2' })).toContainText('Pending')
})

test('[EXT-07] a kind that a definition adds is found by its name, with the columns that the definition asks for', async ({
  signedIn: page,
  platform,
}) => {
  await cluster.create(widgets)
  const blue = object(`${RUN}.example.com/v1`, 'Widget', 'blue-one', { spec: { colour: 'blue' } })
  await expect(async () => {
    await cluster.create(blue)
  }).toPass()
  await explore(page, platform, 'pods')
  await page.getByTitle('Kind of object').click()
  await page.getByRole('searchbox', { name: 'Find a kind' }).fill(RUN)
  await expect(page.getByRole('region', { name: 'Custom' }).getByRole('link', { name: /Widget/ })).toBeVisible()
  await page.keyboard.press('Enter')
  await page.waitForURL(`**/explore/widgets.${RUN}.example.com`)
  await expect(grid(page, 'Widget').getByRole('row', { name: /blue-one/ })).toContainText('blue')
  await expect(page.getByRole('columnheader', { name: /^Colour/ })).toBeVisible()
})

test('[CON-24] rows that are picked by keyboard are deleted together, with their plan', async ({
  signedIn: page,
  platform,
}) => {
  for (const name of ['gone-1', 'gone-2', 'gone-3']) await cluster.create(object('v1', 'ConfigMap', name))
  await explore(page, platform, `configmaps?filter=ns:${NAMESPACE} name~gone`)
  await expect.poll(() => names(page)).toEqual(['gone-1', 'gone-2', 'gone-3'])
  await page.keyboard.press('j')
  await page.keyboard.press('x')
  await page.keyboard.press('Shift+ArrowDown')
  const bar = page.getByRole('toolbar')
  await expect(bar).toContainText('2 picked')
  await bar.getByRole('button', { name: 'Delete' }).click()
  const dialog = page.getByRole('dialog')
  await expect(dialog.getByTestId('plan')).toContainText(/delete\s*ConfigMap/)
  await dialog.locator('footer .danger').click()
  await page.waitForURL(/\/operations\//)
  await expect(page.getByRole('main')).toContainText(/Succeeded\s*\d/, { timeout: 60_000 })
  await explore(page, platform, `configmaps?filter=ns:${NAMESPACE} name~gone`)
  await expect.poll(() => names(page)).toEqual(['gone-3'])
})

test('[EXT-07] a custom resource is edited as YAML by keyboard, and undone', async ({ signedIn: page, platform }) => {
  await cluster.create(widgets).catch(() => undefined)
  const resource = `widgets.${RUN}.example.com`
  const Widget = { apiVersion: `${RUN}.example.com/v1`, kind: 'Widget' }
  await expect(async () => {
    await cluster.create(object(Widget.apiVersion, 'Widget', 'red-one', { spec: { colour: 'red' } }))
  }).toPass()
  const colour = async () => (await cluster.get({ ...Widget, namespace: NAMESPACE, name: 'red-one' }))?.spec.colour
  await explore(page, platform, `${resource}/${CLUSTER}/${NAMESPACE}/red-one`)
  const pane = page.getByRole('region', { name: 'red-one' })
  await expect(pane).toContainText('red-one')
  await page.keyboard.press('e')
  const yaml = pane.getByRole('textbox', { name: 'YAML of red-one' })
  await yaml.fill((await yaml.inputValue()).replace('colour: red', 'colour: green'))
  // Somebody else is quicker.
  await cluster.patch({ ...Widget, namespace: NAMESPACE, name: 'red-one' }, { metadata: { labels: { quick: 'yes' } } })
  await yaml.press('Control+Enter')
  await expect(pane).toContainText('Somebody else has changed it')
  await pane.getByRole('button', { name: 'Bring my edit onto the new state' }).click()
  await expect(yaml).toHaveValue(/quick: .*yes[\s\S]*colour: green/)
  await yaml.press('Control+Enter')
  await expect(pane.getByTestId('plan')).toContainText(/spec\.colour.*red.*green/s)
  await expect(pane.getByTestId('plan')).not.toContainText('metadata.labels')
  await pane.getByRole('button', { name: 'Apply the edit' }).click()
  await page.waitForURL(/\/operations\//)
  await expect(page.getByRole('main')).toContainText(/Succeeded\s*\d/, { timeout: 60_000 })
  expect(await colour()).toBe('green')
  await page.getByRole('button', { name: 'Undo' }).first().click()
  await page.getByRole('dialog').locator('footer button').last().click()
  await expect.poll(colour).toBe('red')
})

test('[CON-24] two workloads that are picked are scaled by one key, and a node is cordoned and put back', async ({
  signedIn: page,
  platform,
}) => {
  const wanted = ['scaled-1', 'scaled-2']
  for (const name of wanted) {
    const { spec } = homeless(name, 'scaled') as KubeObject
    const labels = { app: name }
    const template = { metadata: { labels }, spec: { ...spec, restartPolicy: 'Always' } }
    await cluster.create(
      object('apps/v1', 'Deployment', name, { spec: { selector: { matchLabels: labels }, template } }),
    )
  }
  await explore(page, platform, `deployments.apps?filter=ns:${NAMESPACE} name~scaled`)
  await expect.poll(() => names(page)).toEqual(wanted)
  await page.keyboard.press('j')
  await page.keyboard.press('x')
  await page.keyboard.press('Shift+ArrowDown')
  await expect(page.getByRole('toolbar')).toContainText('2 picked')
  await page.keyboard.press('s')
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('textbox', { name: 'Replicas of each' }).fill('0')
  await expect(dialog.getByTestId('plan')).toContainText(/scaled-1[\s\S]*scaled-2/)
  await dialog.locator('footer .primary').click()
  await page.waitForURL(/\/operations\//)
  await expect(page.getByRole('main')).toContainText(/Succeeded\s*\d/, { timeout: 60_000 })
  const { items } = await cluster.list({ apiVersion: 'apps/v1', kind: 'Deployment', namespace: NAMESPACE })
  expect(items.map(({ spec }) => spec.replicas)).toEqual([0, 0])

  const [node] = (await cluster.list({ apiVersion: 'v1', kind: 'Node' })).items
  const name = node?.metadata.name ?? ''
  const isCordoned = async () =>
    (await cluster.get({ apiVersion: 'v1', kind: 'Node', name }))?.spec.unschedulable === true
  await explore(page, platform, `nodes/${CLUSTER}/-/${name}`)
  await expect(page.getByRole('region', { name })).toContainText(name)
  try {
    await page.keyboard.press('c')
    await expect(page.getByRole('dialog').getByTestId('plan')).toContainText('No new pods come to it')
    await page.getByRole('dialog').locator('footer .primary').click()
    await page.waitForURL(/\/operations\//)
    await expect(page.getByRole('main')).toContainText(/Succeeded\s*\d/, { timeout: 60_000 })
    expect(await isCordoned()).toBe(true)
    await page.getByRole('button', { name: 'Undo' }).first().click()
    await page.getByRole('dialog').locator('footer button').last().click()
    await expect.poll(isCordoned).toBe(false)
  } finally {
    await cluster.patch({ apiVersion: 'v1', kind: 'Node', name }, { spec: { unschedulable: null } })
  }
})

test('[CLU-13] a cluster shows which pods are not well and why, and its nodes with the pods on them', async ({
  signedIn: page,
  platform,
}) => {
  await page.goto(`${platform.url}/clusters/${CLUSTER}`)
  const row = page.getByRole('table', { name: 'Pods that are not well' }).getByRole('row', { name: /front-1/ })
  await expect(row).toContainText('Pending')
  await expect(row).toContainText(/FailedScheduling: .*nodes are available/)
  const nodes = page.getByRole('table', { name: 'Nodes' })
  await expect(nodes).toContainText(/free of/)
  const pods = nodes.getByRole('link', { name: /\d+ of \d+/ }).first()
  const count = Number((await pods.innerText()).split(' ')[0])
  await pods.click()
  await page.waitForURL(/\/explore\/pods\?filter=cluster/)
  await expect(page.getByText(`${count} object`).first()).toBeVisible()
})

test('the list, its facets, its kinds and the details of an object are readable for everybody', async ({
  signedIn: page,
  platform,
}) => {
  const check = async () => {
    const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21aa']).analyze()
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)).toEqual([])
  }
  await explore(page, platform, `pods?filter=ns:${NAMESPACE}&sort=-status,name`)
  await expect.poll(() => names(page)).toHaveLength(3)
  await page.keyboard.press('j')
  await page.keyboard.press('x')
  await expect(page.getByRole('toolbar')).toBeVisible()
  await check()
  await page.getByTitle('Kind of object').click()
  await expect(page.getByRole('searchbox', { name: 'Find a kind' })).toBeVisible()
  await check()
  await page.keyboard.press('Escape')
  await page.getByRole('link', { name: 'front-1' }).click()
  await expect(page.getByRole('region', { name: 'front-1' })).toContainText('Why it is not running')
  for (const tab of ['Overview', 'Related']) {
    await page.getByRole('region', { name: 'front-1' }).getByRole('button', { name: tab, exact: true }).click()
    await check()
  }
})

/** Passes connections on until it is cut; then the cluster behind it is out of reach. */
async function wire(port: number): Promise<{ port: number; cut: () => void }> {
  const open = new Set<Socket>()
  const server: Server = createServer((from) => {
    const to = connect(port, '127.0.0.1')
    for (const socket of [from, to]) {
      open.add(socket)
      socket.on('error', () => socket.destroy())
      socket.on('close', () => open.delete(socket))
    }
    from.pipe(to).pipe(from)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    cut: () => {
      server.close()
      for (const socket of open) socket.destroy()
    },
  }
}

test('a cluster that is out of reach is said, since when, and its rows stay', async ({ signedIn: page, platform }) => {
  const kubeconfig = readFileSync(platform.kubeconfigFile, 'utf8')
  const port = Number(/server: https:\/\/127\.0\.0\.1:(\d+)/.exec(kubeconfig)?.[1])
  const far = await wire(port)
  const name = `far-${RUN}`
  const headers = { origin: platform.url }
  const registered = await page.request.put(`${platform.url}/api/v1/clusters/${name}`, {
    headers,
    data: { kubeconfig: kubeconfig.replace(`127.0.0.1:${port}`, `127.0.0.1:${far.port}`) },
  })
  expect(registered.ok(), await registered.text()).toBe(true)
  try {
    await explore(page, platform, `pods?filter=cluster:${name} ns:${NAMESPACE}`)
    await expect.poll(() => names(page), { timeout: 30_000 }).toHaveLength(3)
    await expect(page.getByTitle('How fresh this is')).toHaveText('live')
    far.cut()
    await expect(page.getByText(`${name} has not been heard of for`)).toBeVisible({ timeout: 60_000 })
    await expect.poll(() => names(page)).toHaveLength(3)
    await page.getByTitle('How fresh this is').click()
    await expect(page.getByRole('dialog', { name: 'How fresh this is' })).toContainText(/heard \d+ s ago/)
  } finally {
    far.cut()
    const removed = await page.request.delete(`${platform.url}/api/v1/clusters/${name}`, { headers })
    expect(removed.ok()).toBe(true)
  }
})
