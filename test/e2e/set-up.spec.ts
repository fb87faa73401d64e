import { createAdministrator } from '../../features/tenancy/session/session.contract.ts'
import { expect, PASSWORD, test } from './story.ts'

test('[SCL-07] a stranger follows the one-time link, chooses a password and is signed in', async ({
  page,
  platform,
}) => {
  expect(platform.firstLink).toContain('/first#')
  await page.goto(platform.firstLink)
  await page
    .getByLabel(/password/i)
    .first()
    .fill(PASSWORD)
  const repeat = page.getByLabel(/again|repeat/i)
  if (await repeat.isVisible()) await repeat.fill(PASSWORD)
  const answered = page.waitForResponse((response) => response.url().endsWith(createAdministrator.path))
  await page.getByRole('button', { name: /choose|set|continue|start/i }).click()
  expect((await answered).status()).toBe(201)
  await expect(page.getByRole('navigation')).toBeVisible()
})
