import { defineConfig } from '@playwright/test'

/** Stories of the console and the CLI against a real cluster, in Debian's Chromium. The platform starts in set-up.ts. */
export default defineConfig({
  testDir: 'test/e2e',
  globalSetup: './test/e2e/platform.setup.ts',
  outputDir: '.tmp/e2e',
  workers: 1,
  fullyParallel: false,
  timeout: 120_000,
  expect: { timeout: 15_000 },
  reporter: 'list',
  use: {
    viewport: { width: 1440, height: 900 },
    actionTimeout: 20_000,
    locale: 'en-GB',
    screenshot: 'only-on-failure',
    trace: 'retain-on-failure',
    launchOptions: { executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] },
  },
  projects: [
    { name: 'set-up', testMatch: 'set-up.spec.ts' },
    { name: 'stories', testIgnore: 'set-up.spec.ts', dependencies: ['set-up'] },
  ],
})
