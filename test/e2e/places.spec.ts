import { expect, PASSWORD, test } from './story.ts'

const RUN = Date.now().toString(36)
const TENANT = `tenant-${RUN}`
const PROJECT = `project-${RUN}`
const ENVIRONMENT = `places-${RUN}`

test('[TEN-08] [TEN-18] a tenant, a project in it and an environment within their quotas are made on the pages', async ({
  signedIn: page,
  platform,
}) => {
  const dialog = page.getByRole('dialog')
  await page.goto(`${platform.url}/tenants`)
  await page.getByRole('button', { name: 'Create a tenant' }).click()
  await dialog.getByLabel('Name', { exact: true }).fill(TENANT)
  await dialog.getByText('Quota', { exact: true }).click()
  await dialog.getByLabel('CPU requests').fill('much')
  await expect(dialog.getByRole('alert')).toContainText('An amount such as')
  await dialog.getByLabel('CPU requests').fill('2')
  await dialog.getByRole('button', { name: 'Create', exact: true }).click()
  await expect(page.getByRole('heading', { name: TENANT })).toBeVisible()

  await page.getByRole('link', { name: 'Create a project' }).click()
  await dialog.getByLabel('Name', { exact: true }).fill(PROJECT)
  await dialog.getByRole('button', { name: 'Create', exact: true }).click()
  await expect(page.getByRole('heading', { name: PROJECT })).toBeVisible()

  await page.getByRole('link', { name: 'Create an environment' }).click()
  await dialog.getByLabel('Name', { exact: true }).fill(ENVIRONMENT)
  await dialog.getByLabel('Stage').selectOption('test')
  await expect(dialog.getByTestId('plan')).toContainText(`environment ${ENVIRONMENT} has to say how much`)
  await dialog.getByText('Quota', { exact: true }).click()
  await dialog.getByLabel('CPU requests').fill('3')
  await expect(dialog.getByTestId('plan')).toContainText('its projects would hold 3 cores')
  await dialog.getByLabel('CPU requests').fill('1500m')
  await expect(dialog.getByTestId('plan')).toContainText('ResourceQuota quarterdeck')
  for (const made of ['NetworkPolicy quarterdeck-isolation', 'RoleBinding quarterdeck-executor']) {
    await expect(dialog.getByTestId('plan')).toContainText(made)
  }
  await dialog.locator('footer .primary').click()
  await page.waitForURL(/\/operations\//)
  await expect(page.getByRole('main')).toContainText(/Succeeded\s*\d/, { timeout: 60_000 })

  await page.goto(`${platform.url}/tenants/${TENANT}`)
  await expect(page.getByRole('row', { name: /CPU requests/ })).toContainText(/1.5 cores\s*500 m\s*2 cores/)
  await page.getByRole('button', { name: 'Delete' }).click()
  await dialog.getByRole('button', { name: 'Delete' }).click()
  await expect(dialog).toContainText(`still holds project ${PROJECT}`)
})

test('[TEN-11] [TEN-09] the environment to work in is chosen by its project, with its stage beside it', async ({
  signedIn: page,
  platform,
}) => {
  await page.goto(platform.url)
  const banner = page.getByRole('banner')
  await banner.getByRole('button').first().click()
  const menu = page.getByRole('menu')
  await expect(menu).toContainText(PROJECT)
  const item = menu.getByRole('menuitem', { name: new RegExp(ENVIRONMENT) })
  await expect(item).toContainText('TEST')
  await item.focus()
  await page.keyboard.press('Enter')
  await expect(banner).toContainText(ENVIRONMENT)
  await expect(banner).toContainText('TEST')
})

test('qd makes, changes and shows places, and the pages show what it did', async ({ qd, signedIn: page, platform }) => {
  const say = async (status: number, ...args: string[]) => {
    const answer = await qd(args)
    expect([args.join(' '), answer.status, answer.status === status ? '' : answer.stderr]).toEqual([
      args.join(' '),
      status,
      '',
    ])
    return answer
  }
  const login = ['login', '--server', platform.url, '--user', 'admin', '--password-stdin']
  expect((await qd(login, `${PASSWORD}\n`)).status).toBe(0)
  expect((await say(0, 'tenant', 'list')).stdout).toMatch(new RegExp(`${TENANT} .*cpuRequest 1.5 cores of 2 cores`))
  await say(2, 'project', 'update', PROJECT, '--quota', 'cpu=1')
  await say(0, 'project', 'update', PROJECT, '--quota', 'cpuRequest=2', '--title', 'Places')
  const refused = await say(1, 'env', 'update', ENVIRONMENT, '--quota', 'cpuRequest=4')
  expect(refused.stderr).toContain('2 cores too much')
  await say(0, 'env', 'update', ENVIRONMENT, '--isolation', 'project', '--limits', 'most.cpu=1', '--wait')
  const shown = JSON.parse((await say(0, 'env', 'get', ENVIRONMENT, '-o', 'json')).stdout)
  expect(shown).toMatchObject({ isolation: 'project', limits: { most: { cpu: '1' } }, project: PROJECT, outdated: [] })
  await page.goto(`${platform.url}/environments/${ENVIRONMENT}`)
  await expect(page.getByRole('main')).toContainText('project: those of the same project as well')
  await expect(page.getByRole('main')).toContainText(/CPU at most\s*1/)
  await say(0, 'env', 'delete', ENVIRONMENT, '--yes', '--wait')
  await say(0, 'project', 'delete', PROJECT, '--yes')
  await say(0, 'tenant', 'delete', TENANT, '--yes')
  await say(1, 'tenant', 'get', TENANT)
})
