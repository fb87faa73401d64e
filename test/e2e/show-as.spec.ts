import { spawn } from 'node:child_process'
import { delimiter, join } from 'node:path'
import type { Locator, Page } from '@playwright/test'
import { obtain } from '@quarterdeck/local-cluster'
import { root } from '../../scripts/stage.ts'
import { expect, test } from './story.ts'

const NAME = `replay-${Date.now().toString(36)}`

/** What one tab of "show as" holds. */
async function shown(panel: Page | Locator, way: 'qd' | 'curl' | 'yaml'): Promise<string> {
  const tab = panel.getByRole('tab', { name: way === 'yaml' ? 'YAML' : way, exact: true })
  if (!(await tab.isVisible())) await panel.getByText('Show as').first().click()
  await tab.click()
  return panel.getByTestId(`show-as-${way}`).locator('pre').innerText()
}

/** Pastes a text into a shell, as its reader would. */
function paste(text: string, environment: Record<string, string>): Promise<{ status: number; said: string }> {
  const { promise, resolve } = Promise.withResolvers<{ status: number; said: string }>()
  const path = join(root, 'node_modules/.bin') + delimiter + (process.env.PATH ?? '')
  const child = spawn('sh', ['-c', text], { cwd: root, env: { ...process.env, ...environment, PATH: path } })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      said += chunk
    })
  }
  child.on('close', (status) => resolve({ status: status ?? 1, said }))
  return promise
}

test('[EXT-02] what "show as" shows does the same: qd deploys, curl scales, YAML applies', async ({
  signedIn: page,
  platform,
}) => {
  const answer = await page.request.post(`${platform.url}/api/v1/tokens`, {
    headers: { origin: platform.url },
    data: { name: NAME },
  })
  const { secret } = (await answer.json()) as { secret: string }
  const environment = {
    QUARTERDECK_SERVER: platform.url,
    QUARTERDECK_TOKEN: secret,
    XDG_CONFIG_HOME: '.tmp/e2e-replay',
  }
  const application = async () => {
    const got = await page.request.get(`${platform.url}/api/v1/environments/dev/applications/${NAME}`)
    return (await got.json()) as { state: string; replicas: number; image: string }
  }

  await test.step('the qd command of a deploy', async () => {
    await page.goto(`${platform.url}/deploy`)
    await page.getByLabel('Image reference').fill(`${platform.registry}/hello:1`)
    await page.getByRole('button', { name: 'Use this image' }).click()
    await page.getByRole('textbox', { name: 'Name', exact: true }).first().fill(NAME)
    await page.getByRole('button', { name: 'Show the plan' }).click()
    await expect(page.getByTestId('plan')).toBeVisible()
    const text = await shown(page, 'qd')
    expect(text).toContain(`${platform.registry}/hello:1`)
    const { status, said } = await paste(text, environment)
    expect(status, said).toBe(0)
    await expect.poll(async () => (await application()).state, { timeout: 60_000 }).toBe('Healthy')
  })

  await test.step('the curl call of a scale', async () => {
    await page.goto(`${platform.url}/environments/dev/applications/${NAME}/overview`)
    await page.getByRole('button', { name: 'Scale' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('spinbutton').fill('2')
    await expect(dialog.getByTestId('plan')).toContainText('replicas')
    const { status, said } = await paste(await shown(dialog, 'curl'), environment)
    expect(status, said).toBe(0)
    await expect.poll(async () => (await application()).replicas, { timeout: 60_000 }).toBe(2)
    await page.keyboard.press('Escape')
  })

  await test.step('the YAML of a new image', async () => {
    await page.goto(`${platform.url}/environments/dev/applications/${NAME}/overview`)
    await page.getByRole('button', { name: 'Deploy new image' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.locator('select').selectOption({ label: '2' })
    await expect(dialog.getByTestId('plan')).toContainText('hello:2')
    const yaml = await shown(dialog, 'yaml')
    const kubectl = (await obtain(['kubernetes'])).executable('kubectl')
    const apply = `'${kubectl}' --kubeconfig '${platform.kubeconfigFile}' apply --server-side --field-manager quarterdeck -f - <<'EOF'\n${yaml}\nEOF`
    const { status, said } = await paste(apply, environment)
    expect(status, said).toBe(0)
    await expect.poll(async () => (await application()).image, { timeout: 60_000 }).toContain('hello:2')
  })

  const deleted = await page.request.delete(`${platform.url}/api/v1/environments/dev/applications/${NAME}`, {
    headers: { origin: platform.url },
  })
  expect(deleted.status()).toBe(202)
})
