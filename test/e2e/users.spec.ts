import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../scripts/stage.ts'
import { expect, test } from './story.ts'

const NAME = `u${Date.now().toString(36)}`

test('[TEN-07] somebody is invited, chooses a password by the link, and is disabled', async ({
  signedIn: page,
  platform,
  browser,
}) => {
  await page.goto(`${platform.url}/users`)
  await page.getByRole('button', { name: 'Invite a user' }).first().click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Name', { exact: true }).fill(NAME)
  await dialog.getByLabel('Full name').fill('王芳')
  await dialog.getByLabel('E-mail address').fill('wang')
  await page.keyboard.press('Tab')
  await expect(dialog.getByRole('alert')).toContainText('An e-mail address')
  await dialog.getByLabel('E-mail address').fill('wang@example.com')
  await dialog.getByRole('button', { name: 'Invite a user' }).click()
  const link = (await page.getByTestId('password-link').locator('code').textContent()) ?? ''
  expect(link).toContain(`${platform.url}/password#`)
  await page.getByRole('button', { name: 'I have passed it on' }).click()

  const context = await browser.newContext()
  const guest = await context.newPage()
  await guest.goto(link)
  await expect(guest.getByRole('heading')).toContainText('Welcome, 王芳')
  await guest.getByLabel('New password').fill(NAME)
  await guest.getByLabel('The same again').fill(NAME)
  await guest.getByRole('button', { name: 'Set it and sign in' }).click()
  await expect(guest.getByRole('alert')).toContainText('user name with ornaments')
  await guest.getByLabel('New password').fill('the harbour of wang at dawn')
  await guest.getByLabel('The same again').fill('the harbour of wang at dawn')
  await guest.getByRole('button', { name: 'Set it and sign in' }).click()
  await expect(guest.getByRole('button', { name: NAME })).toBeVisible()
  await expect(guest.getByRole('heading', { name: 'Nothing has been opened to you yet' })).toBeVisible()
  await expect(guest.getByRole('navigation', { name: 'Main navigation' }).getByRole('link')).toHaveText([
    /Quarterdeck/,
    'Home',
    'Requests',
    'Tokens',
  ])

  await page.goto(`${platform.url}/groups`)
  await page.getByRole('button', { name: 'Make a group' }).first().click()
  await dialog.getByLabel('Name', { exact: true }).fill(`${NAME}-group`)
  await dialog.getByRole('button', { name: 'Make a group' }).click()
  await dialog.getByLabel('Add a user or machine account').fill(NAME)
  await page.keyboard.press('Enter')
  await expect(dialog.getByRole('table', { name: 'Members' })).toContainText('王芳')

  await page.goto(`${platform.url}/users?user=${NAME}`)
  await expect(dialog).toContainText(`${NAME}-group`)
  await expect(dialog.getByRole('table', { name: 'Sessions' })).toContainText('Chrome')
  await dialog.getByRole('button', { name: `Acts on ${NAME}` }).click()
  await page.getByRole('menuitem', { name: 'Disable' }).click()
  await page
    .getByRole('dialog', { name: `Disable ${NAME}` })
    .getByRole('button', { name: 'Disable' })
    .click()
  await expect(dialog.first()).toContainText('Disabled')
  await guest.goto(`${platform.url}/account`)
  await expect(guest.getByRole('button', { name: 'Sign in' })).toBeVisible()
  await guest.goto(link)
  await expect(guest.getByRole('alert')).toContainText('This link is not valid')
  await context.close()
})

test('[A42] qd login shows a code, and the page what asks with it', async ({ signedIn: page, platform }, info) => {
  const settings = join(root, '.tmp/e2e-qd', info.testId)
  mkdirSync(settings, { recursive: true })
  const qd = spawn(join(root, 'node_modules/.bin/qd'), ['login', '--server', platform.url], {
    env: { ...process.env, XDG_CONFIG_HOME: settings, NO_COLOR: '1' },
  })
  const ended = new Promise<number | null>((resolve) => qd.once('close', resolve))
  const code = await new Promise<string>((resolve) => {
    let said = ''
    qd.stderr.on('data', (bytes) => {
      said += bytes
      const found = /[B-Z]{4}-[B-Z]{4}/.exec(said)
      if (found) resolve(found[0])
    })
  })
  await page.goto(`${platform.url}/device`)
  await page.getByLabel('Code').fill(code)
  await page.keyboard.press('Enter')
  await expect(page.getByTestId('device-peer')).toHaveText('127.0.0.1')
  await expect(page.getByRole('main')).toContainText('Go on only if you have just run qd login')
  await page.getByRole('button', { name: 'Yes, it is mine' }).click()
  await expect(page.getByRole('main')).toContainText('qd is signed in')
  expect(await ended).toBe(0)
})
