import { existsSync, globSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { check, nodeScript, type Outcome, root, run, type Stage } from './stage.ts'

const TYPES = 'node_modules/typescript-native/bin/tsc'

/** What is decided by reading the code; each counts as one. */
export const staticChecks: Stage[] = [
  check('types for any runtime', process.execPath, [TYPES, '-p', 'tsconfig.iso.json']),
  check('types for Node', process.execPath, [TYPES, '-p', 'tsconfig.node.json']),
  check('types for browsers', process.execPath, [TYPES, '-p', 'tsconfig.browser.json']),
  check('format and lint', 'biome', ['ci', '--colors=off', '--max-diagnostics=50', '.']),
  check('import walls', 'depcruise', [
    '--config',
    '.dependency-cruiser.cjs',
    'apps',
    'packages',
    'features',
    'local-cluster',
    'bench',
    'test',
    'scripts',
  ]),
  check('dead code', 'knip', ['--no-progress', '--no-config-hints']),
]

export const reportsCheck: Stage = check('reports are up to date', process.execPath, [
  ...nodeScript('scripts/reports.ts', '--check'),
])

interface VitestReport {
  numPassedTests: number
  numFailedTests: number
  success: boolean
  testResults: { status: string; assertionResults: { status: string }[] }[]
}

/** Vitest over the tests beside the code; without `slow` it leaves `*.slow.test.ts` out. */
export const unitTests = (slow: boolean): Stage => ({
  name: slow ? 'unit and slice tests' : 'unit tests',
  async run(word) {
    const args = slow ? [] : ['--exclude', '**/*.slow.test.{ts,tsx}']
    if (
      word !== undefined &&
      matching('{apps,packages,features,local-cluster,bench,test,scripts}/**/*.test.{ts,tsx}', word).length === 0
    ) {
      return { passed: 0, failed: 0, skipped: `no test file's path holds ${word}` }
    }
    const file = reportFile('vitest.json')
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`]
    const filter = word === undefined ? [] : [word]
    const ended = await run('vitest', ['run', ...filter, ...args, ...reporters], {
      show: true,
      timeoutSeconds: 25 * 60,
      environment: { FORCE_COLOR: '0', NO_COLOR: '1' },
    })
    const report = readReport<VitestReport>(file)
    if (!report) return { passed: 0, failed: 1 }
    const broken = report.testResults.filter(
      (result) => result.status === 'failed' && !result.assertionResults.some((one) => one.status === 'failed'),
    )
    const failed = report.numFailedTests + broken.length
    return { passed: report.numPassedTests, failed: failed === 0 && ended.status !== 0 ? 1 : failed }
  },
})

/** Playwright over test/e2e: console and CLI against a real cluster. */
export const endToEnd: Stage = {
  name: 'end-to-end stories',
  async run(word) {
    const files = matching('test/e2e/**/*.spec.ts', word)
    if (files.length === 0) return { passed: 0, failed: 0, skipped: 'no story of that name' }
    const file = reportFile('playwright.json')
    const ended = await run('playwright', ['test', ...(word === undefined ? [] : files), '--reporter=list,json'], {
      show: true,
      timeoutSeconds: 25 * 60,
      environment: { PLAYWRIGHT_JSON_OUTPUT_FILE: file, FORCE_COLOR: '0', NO_COLOR: '1' },
    })
    const report = readReport<{ stats: { expected: number; unexpected: number; flaky: number }; errors: unknown[] }>(
      file,
    )
    if (!report) return { passed: 0, failed: 1 }
    const failed = report.stats.unexpected + report.stats.flaky + report.errors.length
    return { passed: report.stats.expected, failed: failed === 0 && ended.status !== 0 ? 1 : failed }
  },
}

/** A catalogue of reliability.md: faults or attacks; it ends in its own `N passed, N failed`. */
export const catalogue = (name: string, folder: string, args: string[] = []): Stage => ({
  name,
  async run(word) {
    // As a whole or not at all: single rows are `npm run faults -- --only F01`.
    if (word !== undefined && !`test/${folder}/`.includes(word)) {
      return { passed: 0, failed: 0, skipped: 'not asked for' }
    }
    const ended = await run(process.execPath, nodeScript(`test/${folder}/run.ts`, ...args), {
      show: true,
      timeoutSeconds: 20 * 60,
    })
    const counts = /(\d+) passed, (\d+) failed\s*$/.exec(ended.text)
    if (!counts) return { passed: 0, failed: 1 }
    const failed = Number(counts[2])
    return { passed: Number(counts[1]), failed: failed === 0 && ended.status !== 0 ? 1 : failed }
  },
})

/** True when a file that WORD names needs a cluster, a browser or more than this machine has by itself. */
export const needsHost = (word: string): boolean =>
  'test/faults/'.includes(word) ||
  'test/attacks/'.includes(word) ||
  matching('{apps,packages,features,local-cluster,bench,test,scripts}/**/*.{slow.test.ts,spec.ts}', word).length > 0

function matching(pattern: string, word: string | undefined): string[] {
  const files = globSync(pattern, { cwd: root, exclude: (path) => path.includes('node_modules') })
  return word === undefined ? files : files.filter((file) => file.includes(word))
}

function reportFile(name: string): string {
  const file = join(root, '.tmp', name)
  mkdirSync(join(root, '.tmp'), { recursive: true })
  rmSync(file, { force: true })
  return file
}

const readReport = <Report>(file: string): Report | undefined =>
  existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Report) : undefined

/** Adds two outcomes. */
export const sum = (a: Outcome, b: Outcome): Outcome => ({ passed: a.passed + b.passed, failed: a.failed + b.failed })
