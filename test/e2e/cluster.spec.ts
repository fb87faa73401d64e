import { readFileSync } from 'node:fs'
import { expect, test } from './story.ts'

const NAME = `x${Date.now().toString(36)}`

test('[CLU-11] [CLU-12] [CLU-13] a cluster shows its control plane, its nodes with capacity, and the pods on them', async ({
  signedIn: page,
  platform,
}) => {
  await page.goto(`${platform.url}/clusters`)
  await page.getByRole('main').getByRole('link').first().click()
  const main = page.getByRole('main')
  await expect(main).toContainText('Ready')
  await expect(main).toContainText(/etcd/)
  await expect(main).toContainText(/v1\.\d+\.\d+/)
  const node = page.getByRole('button', { name: /^Details of / }).first()
  await node.click()
  await expect(page.getByRole('dialog')).toContainText(/CPU|Pods/i)
})

test('[CLU-25] a cluster is registered by its kubeconfig and forgotten again; a wrong one is said at its field', async ({
  signedIn: page,
  platform,
}) => {
  await page.goto(`${platform.url}/clusters?register=true`)
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Name').fill(NAME)
  await dialog.getByLabel('Kubeconfig').fill('this: is: none')
  await dialog.getByRole('button', { name: 'Register a cluster' }).click()
  await expect(dialog).toContainText(/kubeconfig cannot be used|not YAML/i)
  await dialog.getByLabel('Kubeconfig').fill(readFileSync(platform.kubeconfigFile, 'utf8'))
  await dialog.getByRole('button', { name: 'Register a cluster' }).click()
  await expect(dialog).toBeHidden({ timeout: 30_000 })
  await page.goto(`${platform.url}/clusters`)
  await expect(page.getByRole('main')).toContainText(NAME)
  const removed = await page.request.delete(`${platform.url}/api/v1/clusters/${NAME}`, {
    headers: { origin: platform.url },
  })
  expect(removed.ok()).toBe(true)
})

test('an environment is made with a stage that is always visible, and deleted with its plan', async ({
  signedIn: page,
  platform,
}) => {
  await page.goto(`${platform.url}/environments?create=true`)
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Name').fill(NAME)
  await dialog.getByLabel('Stage').selectOption('pre')
  await expect(dialog.getByTestId('plan')).toContainText(/Namespace/)
  await dialog.locator('footer .primary').click()
  await page.waitForURL(/\/operations\//)
  await expect(page.getByRole('main')).toContainText(/Succeeded\s*\d/, { timeout: 60_000 })
  await page.goto(`${platform.url}/applications?environment=${NAME}`)
  await expect(page.getByRole('banner')).toContainText('PRE')
  await page.goto(`${platform.url}/environments`)
  await page.getByRole('button', { name: `More acts: ${NAME}` }).click()
  await page.getByRole('menuitem', { name: 'Delete' }).click()
  await expect(dialog.getByTestId('plan')).toContainText(/delete\s*Namespace/)
  await dialog.getByRole('textbox', { name: /^Type / }).fill(NAME)
  await dialog.locator('footer .danger').click()
  await page.waitForURL(/\/operations\//)
  await expect(page.getByRole('main')).toContainText(/Succeeded\s*\d/, { timeout: 90_000 })
})

test('a token is shown once, works, and ends when it is revoked', async ({ signedIn: page, platform }) => {
  await page.goto(`${platform.url}/tokens`)
  await page.getByRole('button', { name: 'Create a token' }).first().click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Name').fill(NAME)
  await dialog.locator('footer .primary').click()
  const secret = await page.getByTestId('token-secret').locator('code').innerText()
  const ask = () => fetch(`${platform.url}/api/v1/session`, { headers: { authorization: `Bearer ${secret}` } })
  expect((await ask()).status).toBe(200)
  await page.goto(`${platform.url}/tokens`)
  await page.getByRole('button', { name: `Revoke ${NAME}` }).click()
  const confirm = page.getByRole('dialog')
  if (await confirm.isVisible()) await confirm.locator('footer .danger, footer .primary').click()
  await expect.poll(async () => (await ask()).status).toBe(401)
})
