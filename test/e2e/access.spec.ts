import type { Page } from '@playwright/test'
import { expect, signIn, test } from './story.ts'

const NAME = `p${Date.now().toString(36)}`
const USER = `${NAME}.wei`
const PASSWORD = 'the harbour of wei at dawn'

/** A user who chose a password, signed in on a page of their own; the page of the administrator invites. */
async function newcomer(admin: Page, page: Page, url: string): Promise<void> {
  const invited = await admin.request.post(`${url}/api/v1/users`, { headers: { origin: url }, data: { name: USER } })
  const { link } = (await invited.json()) as { link: { url: string } }
  const chosen = await page.request.post(`${url}/api/v1/password-link`, {
    headers: { origin: url },
    data: { token: link.url.split('#')[1], password: PASSWORD },
  })
  expect(chosen.ok()).toBe(true)
}

test.describe.configure({ mode: 'serial' })

test('[TEN-07] a role is cloned and narrowed, and somebody is given it in three steps, seeing first what it opens', async ({
  signedIn: page,
  platform,
}) => {
  await page.request.post(`${platform.url}/api/v1/users`, { headers: { origin: platform.url }, data: { name: NAME } })
  await page.goto(`${platform.url}/roles`)
  await page.getByRole('button', { name: 'More acts: tester' }).click()
  await page.getByRole('menuitem', { name: 'Clone' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('textbox', { name: 'Name' }).fill(`${NAME}-logs`)
  await dialog.getByLabel('application.deploy').uncheck()
  await dialog.getByRole('button', { name: 'Make the role' }).click()
  await expect(dialog).toBeHidden()
  await expect(page.getByRole('table', { name: 'Roles' })).toContainText(`${NAME}-logs`)
  await page.goto(`${platform.url}/access`)
  await page.getByRole('button', { name: 'Give access' }).click()
  await dialog.getByLabel('User or machine account').fill(NAME)
  await page.keyboard.press('Enter')
  await dialog.getByLabel('Role').selectOption(`${NAME}-logs`)
  await dialog.getByRole('button', { name: 'Next' }).click()
  await dialog.getByLabel('Where').selectOption('project:default')
  await dialog.getByLabel('For how long').selectOption({ label: '7 days' })
  await dialog.getByLabel('Reason').fill('Reads logs')
  await page.keyboard.press('Enter')
  await expect(dialog.getByTestId('grant-effect')).toContainText('1 person would get something new')
  await expect(dialog.getByTestId('grant-effect')).toContainText('Read logs')
  await dialog.getByRole('button', { name: 'Give access' }).click()
  await expect(dialog).toContainText(`${NAME} has ${NAME}-logs now.`)
  await dialog.getByRole('button', { name: 'Done' }).click()
  const row = page.getByRole('row').filter({ hasText: NAME })
  await expect(row).toContainText('Project default')
  await expect(row).toContainText('Reads logs')
  await row.getByRole('button', { name: /^More acts/ }).click()
  await page.getByRole('menuitem', { name: 'What can they do here' }).click()
  await expect(page.getByRole('table', { name: 'What can they do here' })).toContainText('container.logs')
  await expect(page.getByRole('main')).toContainText(`Project default: role ${NAME}-logs`)
})

test('[SLF-03] a denial asks for what is missing, filled in; the administrator approves, and it opens', async ({
  signedIn: page,
  platform,
  browser,
}) => {
  const context = await browser.newContext({ locale: 'en-GB' })
  const theirs = await context.newPage()
  await newcomer(page, theirs, platform.url)
  await theirs.goto(`${platform.url}/roles`)
  await expect(theirs.getByRole('alert')).toContainText('You do not have role.list')
  await theirs.getByRole('link', { name: 'Request access' }).click()
  const ask = theirs.getByRole('dialog')
  await expect(ask.getByLabel('What is needed')).toHaveValue('role.list')
  await expect(ask.getByLabel('Where')).toHaveValue('platform')
  await expect(ask).toContainText('Asks for role auditor')
  await ask.getByLabel('Reason').fill('Reviews roles this week')
  await theirs.keyboard.press('Enter')
  await expect(ask).toBeHidden()
  await expect(theirs.getByRole('table')).toContainText('Open')
  await page.goto(`${platform.url}/requests`)
  const row = page.getByRole('row').filter({ hasText: USER })
  await expect(row).toContainText('Reviews roles this week')
  await row.getByRole('button', { name: 'Approve' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Approve' }).click()
  await expect(page.getByRole('dialog')).toBeHidden()
  await theirs.goto(`${platform.url}/roles`)
  await expect(theirs.getByRole('table', { name: 'Roles', exact: true })).toContainText('administrator')
  await context.close()
})

test('qd can says through what and ends with 0, or what is missing and ends with 1', async ({ platform, qd, page }) => {
  await signIn(page, platform.url)
  const made = await page.request.post(`${platform.url}/api/v1/tokens`, {
    headers: { origin: platform.url },
    data: { name: `e2e-${NAME}` },
  })
  const { secret } = (await made.json()) as { secret: string }
  process.env.QUARTERDECK_TOKEN = secret
  try {
    const yes = await qd(['can', NAME, 'container.logs', '--project', 'default'])
    expect([yes.status, yes.stdout]).toEqual([
      0,
      expect.stringContaining(`through role ${NAME}-logs in project default`),
    ])
    const no = await qd(['can', NAME, 'container.exec', '--project', 'default'])
    expect([no.status, no.stdout]).toEqual([1, expect.stringContaining('admin can grant it')])
    const listed = await qd(['grant', 'list', '--user', NAME, '-o', 'json'])
    const grant = (JSON.parse(listed.stdout) as { items: { id: string }[] }).items[0]?.id ?? ''
    expect((await qd(['grant', 'extend', grant, '--for', '8h'])).status).toBe(0)
    expect((await qd(['grant', 'take', grant, '--yes'])).status).toBe(0)
    expect((await qd(['can', NAME, 'container.logs', '--project', 'default'])).status).toBe(1)
    const dry = await qd(['grant', 'give', 'viewer', '--user', NAME, '--platform', '--dry-run'])
    expect([dry.status, dry.stdout]).toEqual([0, expect.stringContaining('object.list')])
    const asked = await qd(['request', 'create', '--permission', 'cluster.list', '--platform', '--reason', 'x'])
    expect([asked.status, asked.stderr]).toEqual([1, expect.stringContaining('already')])
    const wrong = await qd(['grant', 'give', 'viewer', '--user', NAME])
    expect([wrong.status, wrong.stderr]).toEqual([1, expect.stringContaining('Name one place')])
  } finally {
    delete process.env.QUARTERDECK_TOKEN
  }
})
