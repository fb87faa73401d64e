import type { Locator, Page } from '@playwright/test'
import { type E2ePlatform, expect, test } from './story.ts'

/** Another one each run, so that stories can be told again to a platform that has heard them. */
const NAME = `harbour-${Date.now().toString(36)}`

/** Waits on an operation's page until it has ended, and says how. */
async function ended(page: Page): Promise<void> {
  await page.waitForURL(/\/operations\//)
  await expect(page.getByRole('main')).toContainText(/(Succeeded|Failed)\s*\d/, { timeout: 90_000 })
  await expect(page.getByRole('main')).toContainText(/Succeeded\s*\d/)
}

/** Presses the button that accepts the plan. */
const accept = (dialog: Locator) => dialog.locator('footer .primary, footer .danger').click()

const open = (page: Page, { url }: E2ePlatform, tab: string) =>
  page.goto(`${url}/environments/dev/applications/${NAME}/${tab}`)

test.describe
  .serial('an application, from its image to its end', () => {
    test('[APP-22] [DEL-13] an image is deployed in three steps and its address answers', async ({
      signedIn: page,
      platform,
    }) => {
      await page.goto(`${platform.url}/deploy`)
      await page.getByRole('button', { name: /^hello/ }).click()
      await page.getByRole('button', { name: 'Use hello:1' }).click()
      await page.getByRole('textbox', { name: 'Name', exact: true }).first().fill(NAME)
      await page.getByRole('button', { name: 'Show the plan' }).click()
      const plan = page.getByTestId('plan')
      await expect(plan).toContainText(/create\s*Service/)
      await expect(plan).toContainText(/create\s*Deployment/)
      await page.getByRole('button', { name: 'Deploy', exact: true }).click()
      await ended(page)
      await page.goto(`${platform.url}/applications`)
      const row = page.getByRole('row', { name: new RegExp(NAME) })
      await expect(row).toContainText('Healthy')
      const address = (await row.getByRole('link', { name: /^Open http/ }).getAttribute('href')) ?? ''
      test.skip(!platform.real, 'containers do not really run here')
      const answer = await page.request.get(address)
      expect(answer.status()).toBe(200)
    })

    test('[APP-20] [CON-01] its page walks from the Deployment to the container, and lists its containers, events and YAML', async ({
      signedIn: page,
      platform,
    }) => {
      await open(page, platform, 'overview')
      const walk = page.getByRole('region', { name: 'From the Deployment to the containers' })
      await expect(walk).toContainText(/ReplicaSet.*revision 1/)
      await expect(walk).toContainText(/Running\s*Pod/)
      await expect(walk).toContainText(/container/)
      const containers = page.getByRole('table', { name: 'Containers' })
      for (const one of [NAME, 'hello:1', 'Running']) await expect(containers).toContainText(one)
      if (platform.real) await expect(containers).toContainText('node-1')
      await expect(page.getByRole('table', { name: 'Events' })).toContainText('Scheduled')
      await open(page, platform, 'yaml')
      await expect(page.getByRole('group', { name: 'YAML' })).toContainText('kind: Deployment')
    })

    test('[APP-24] its logs are one click from the list; they are shown, searched and downloaded', async ({
      signedIn: page,
      platform,
    }) => {
      test.skip(!platform.real, 'containers do not really run here')
      await page.goto(`${platform.url}/applications`)
      await page
        .getByRole('row', { name: new RegExp(NAME) })
        .getByRole('link', { name: 'Logs' })
        .click()
      const log = page.getByRole('log')
      await expect(log).toContainText('listens on port 8080')
      await page.getByRole('searchbox', { name: 'Find in the logs' }).fill('nothing holds this')
      await expect(log).not.toContainText('listens on port 8080')
      const download = page.waitForEvent('download')
      await page.getByRole('link', { name: 'Download' }).click()
      expect((await download).suggestedFilename()).toContain(NAME)
    })

    test('[CON-19] a shell opens in it, takes input, and goes on when its page is left', async ({
      signedIn: page,
      platform,
    }) => {
      test.skip(!platform.real, 'containers do not really run here')
      await open(page, platform, 'terminal')
      await page.getByRole('button', { name: 'Open a shell' }).click()
      const screen = page.getByTestId('terminal').locator('.xterm-rows')
      await expect(screen).toContainText(/[$#]/)
      await page.keyboard.type('mark=$((6*7)); echo "the mark is $mark"\n')
      await expect(screen).toContainText('the mark is 42')
      await page.getByRole('navigation', { name: NAME }).getByRole('link', { name: 'Overview' }).click()
      await page.getByRole('navigation', { name: NAME }).getByRole('link', { name: 'Terminal' }).click()
      await expect(screen).toContainText('the mark is 42')
      await page.locator('.xterm-screen').click()
      await page.keyboard.type('echo "still $mark"\n')
      await expect(screen).toContainText('still 42')
      await page.keyboard.type('exit\n')
      await expect(screen).toBeHidden()
    })

    test('[DEL-14] [DEL-17] [DEL-21] another image is planned, deployed and undone', async ({
      signedIn: page,
      platform,
    }) => {
      await open(page, platform, 'overview')
      await page.getByRole('button', { name: 'Deploy new image' }).click()
      const dialog = page.getByRole('dialog')
      await dialog.locator('select').selectOption({ label: '2' })
      const plan = dialog.getByTestId('plan')
      await expect(plan).toContainText('hello:1')
      await expect(plan).toContainText('hello:2')
      await accept(dialog)
      await ended(page)
      await page.getByRole('button', { name: 'Undo' }).click()
      await expect(dialog.getByTestId('plan')).toContainText('hello:1')
      await accept(dialog)
      await ended(page)
      await open(page, platform, 'overview')
      await expect(page.getByRole('main')).toContainText('hello:1')
    })

    test('it is scaled, and the scale is shown', async ({ signedIn: page, platform }) => {
      await open(page, platform, 'overview')
      await page.getByRole('button', { name: 'Scale' }).click()
      const dialog = page.getByRole('dialog')
      await dialog.getByRole('spinbutton').fill('2')
      await expect(dialog.getByTestId('plan')).toContainText('replicas')
      await accept(dialog)
      await ended(page)
      await open(page, platform, 'overview')
      await expect(page.getByRole('main')).toContainText('2/2 ready')
    })

    test('[CON-14] one of its pods is restarted alone', async ({ signedIn: page, platform }) => {
      await open(page, platform, 'overview')
      const restart = page.getByRole('button', { name: /^Restart this pod: / }).first()
      const pod =
        (await restart.getAttribute('aria-label'))?.split(': ')[1] ?? (await restart.innerText()).split(': ')[1] ?? ''
      expect(pod).toContain(NAME)
      await restart.click()
      await accept(page.getByRole('dialog'))
      await ended(page)
      await open(page, platform, 'overview')
      await expect(page.getByRole('main')).toContainText('2/2 ready')
      await expect(page.getByRole('region', { name: 'From the Deployment to the containers' })).not.toContainText(pod)
    })

    test('it is deleted, with the plan that says so', async ({ signedIn: page, platform }) => {
      await open(page, platform, 'overview')
      await page.getByRole('button', { name: 'More acts' }).click()
      await page.getByRole('menuitem', { name: 'Delete' }).click()
      const dialog = page.getByRole('dialog')
      await expect(dialog.getByTestId('plan')).toContainText(/delete\s*Deployment/)
      await accept(dialog)
      await ended(page)
      await page.goto(`${platform.url}/applications`)
      await expect(page.getByRole('row', { name: new RegExp(NAME) })).toHaveCount(0)
    })
  })

test('[APP-36] an image is run in two steps: choose it, and run it as proposed', async ({
  signedIn: page,
  platform,
}) => {
  await page.goto(`${platform.url}/deploy`)
  await page.getByRole('button', { name: /^shell/ }).click()
  await page.getByRole('button', { name: 'Run as proposed shell:1' }).click()
  await page.getByRole('button', { name: 'Deploy', exact: true }).click()
  await ended(page)
  const removed = await page.request.delete(`${platform.url}/api/v1/environments/dev/applications/shell`, {
    headers: { origin: platform.url },
  })
  expect(removed.status()).toBe(202)
})
