import { defineConfig } from 'vitest/config'

/** Tests lie beside the code. `*.slow.test.ts` need a cluster, a database or minutes: `npm run check` leaves them out. */
export default defineConfig({
  test: {
    include: ['{apps,packages,features,local-cluster,bench,test,scripts}/**/*.test.{ts,tsx}'],
    exclude: ['**/node_modules/**', '**/dist/**', 'test/e2e/**'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 120_000,
  },
})
