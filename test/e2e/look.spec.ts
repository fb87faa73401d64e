import AxeBuilder from '@axe-core/playwright'
import type { Page } from '@playwright/test'
import { expect, test } from './story.ts'

const PAGES = [
  '/nowhere',
  '/',
  '/applications',
  '/deploy',
  '/operations',
  '/clusters',
  '/explore/pods',
  '/explore/namespaces/local/-/default',
  '/changes',
  '/explore/namespaces/local/-/default?tab=versions',
  '/audit',
  '/environments',
  '/environments/dev',
  '/projects',
  '/projects/default',
  '/tenants',
  '/tenants/default',
  '/tokens',
]

/** What a page says to the console of the browser, and every request that leaves the platform. */
function listen(page: Page, url: string): string[] {
  const said: string[] = []
  page.on('console', (message) => message.type() === 'error' && said.push(message.text()))
  page.on('pageerror', (error) => said.push(error.message))
  page.on('request', (request) => {
    const other =
      !request.url().startsWith(url) && !request.url().startsWith('data:') && !request.url().startsWith('blob:')
    if (other) said.push(`asks ${request.url()}`)
  })
  return said
}

for (const language of ['en', 'zh'] as const) {
  for (const theme of ['light', 'dark'] as const) {
    test(`every page in ${language}, ${theme}: readable for everybody, nothing from elsewhere, no error`, async ({
      signedIn: page,
      platform,
    }) => {
      const said = listen(page, platform.url)
      await page.addInitScript(
        ([lang, look]) => {
          localStorage.setItem('quarterdeck.language', lang ?? '')
          localStorage.setItem('quarterdeck.theme', look ?? '')
        },
        [language, theme],
      )
      for (const path of PAGES) {
        await page.goto(platform.url + path)
        await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
        await expect(page.getByRole('main')).not.toHaveAttribute('aria-busy', 'true')
        const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21aa']).analyze()
        const found = violations.map(({ id, nodes }) => `${path} ${id}: ${nodes.map(({ html }) => html).join(' ')}`)
        expect(found).toEqual([])
      }
      const text = await page.getByRole('banner').innerText()
      expect(/[\u4e00-\u9fff]/.test(await page.locator('nav').first().innerText())).toBe(language === 'zh')
      expect(text).toContain('DEV')
      expect(said.filter((line) => !line.includes('/nowhere'))).toEqual([])
    })
  }
}

test('signed out, every page leads to the sign-in and back', async ({ page, platform }) => {
  await page.goto(`${platform.url}/clusters`)
  await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible()
  expect(page.url()).toContain('next=')
})
