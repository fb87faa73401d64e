import { createAdministrator } from '../../features/tenancy/user/password.contract.ts'
import { expect, PASSWORD, test } from './story.ts'

test.describe.configure({ mode: 'serial' })

test('[SCL-07] a stranger follows the one-time link, chooses a password and is signed in', async ({
  page,
  platform,
}) => {
  expect(platform.firstLink).toContain('/first#')
  await page.goto(platform.firstLink)
  await page.getByLabel('New password').fill(PASSWORD)
  await page.getByLabel('The same again').fill(PASSWORD)
  const answered = page.waitForResponse((response) => response.url().endsWith(createAdministrator.path))
  await page.getByRole('button', { name: 'Set it and sign in' }).click()
  expect((await answered).status()).toBe(201)
  expect((await (await answered).json()).permissions).toContain('user.create')
  await expect(page.getByRole('navigation', { name: 'Main navigation' })).toBeVisible()
  await expect(page.getByRole('banner')).toContainText('DEV')
})

test('the one-time link works once', async ({ page, platform }) => {
  await page.goto(platform.firstLink)
  await page.getByLabel('New password').fill('somebody else was faster')
  await page.getByLabel('The same again').fill('somebody else was faster')
  await page.getByRole('button', { name: 'Set it and sign in' }).click()
  await expect(page.getByText('The one-time link has been used').first()).toBeVisible()
})

test('the administrator signs in with the password, and a wrong one is refused', async ({ page, platform }) => {
  await page.goto(`${platform.url}/applications`)
  await page.getByLabel('Password').fill('not this one')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await expect(page.getByText('User name or password is wrong').first()).toBeVisible()
  await page.getByLabel('Password').fill(PASSWORD)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await expect(page.getByRole('heading', { level: 1 })).toContainText('Applications')
})
