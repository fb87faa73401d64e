import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test as base, type Page } from '@playwright/test'
import { root } from '../../scripts/stage.ts'
import { type E2ePlatform, platformFile } from './platform.setup.ts'

/** The administrator's password that the set-up story chooses. */
export const PASSWORD = 'a quiet harbour at dawn'

/** How a `qd` command ended. */
export interface QdAnswer {
  status: number
  stdout: string
  stderr: string
}

export type { E2ePlatform } from './platform.setup.ts'

interface Story {
  platform: E2ePlatform
  /** A page that is signed in as administrator. */
  signedIn: Page
  /** Runs `qd` with settings of this test's own; `input` is its standard input. */
  qd(args: string[], input?: string): Promise<QdAnswer>
}

/** Playwright's `test` with the running platform. */
export const test = base.extend<Story>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of fixtures from this pattern
  platform: async ({}, use) => {
    await use(JSON.parse(readFileSync(platformFile, 'utf8')) as E2ePlatform)
  },
  signedIn: async ({ page, platform }, use) => {
    await signIn(page, platform.url)
    await use(page)
  },
  qd: async ({ platform }, use, info) => {
    const settings = join(root, '.tmp/e2e-qd', info.testId)
    mkdirSync(settings, { recursive: true })
    await use((args, input) => runQd(args, input, { XDG_CONFIG_HOME: settings, QUARTERDECK_SERVER: platform.url }))
  },
})
export { expect } from '@playwright/test'

/** Signs the page's browser in by the API, with the origin that a browser sends. */
export async function signIn(page: Page, url: string): Promise<void> {
  const response = await page.request.post(`${url}/api/v1/session`, {
    headers: { origin: url },
    data: { user: 'admin', password: PASSWORD },
  })
  if (!response.ok()) throw new Error(`Sign-in answers ${response.status()}: ${await response.text()}`)
}

function runQd(args: string[], input: string | undefined, environment: Record<string, string>): Promise<QdAnswer> {
  const { promise, resolve } = Promise.withResolvers<QdAnswer>()
  const child = spawn(join(root, 'node_modules/.bin/qd'), args, {
    cwd: root,
    env: { ...process.env, ...environment, NO_COLOR: '1' },
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk) => {
    stdout += chunk
  })
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  child.stdin.end(input ?? '')
  child.on('close', (status) => resolve({ status: status ?? 1, stdout, stderr }))
  return promise
}
