import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { cruise, type ICruiseOptions, type ICruiseResult, type IFlattenedRuleSet } from 'dependency-cruiser'
import { afterAll, beforeAll, expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '..')
const config = createRequire(import.meta.url)('../.dependency-cruiser.cjs') as IFlattenedRuleSet & {
  options: ICruiseOptions
}
const A = 'features/alpha/apple/apple'
const B = 'features/beta/berry/berry'
const up = '../../..'

/** A house in small in which every import is allowed. */
const clean: Record<string, string> = {
  'packages/kernel/src/index.ts': "import 'zod'\n",
  'packages/store/src/index.ts': "import 'pg'\nimport '../../kernel/src/index.ts'\n",
  'packages/http/src/index.ts': "import '../../kernel/src/index.ts'\n",
  'packages/kube/src/index.ts': "import '../../kernel/src/index.ts'\n",
  'packages/registry/src/index.ts': "import '../../kernel/src/index.ts'\n",
  'packages/terminal/src/index.ts': "import '../../kube/src/index.ts'\n",
  'packages/podlog/src/index.ts': "import '../../kube/src/index.ts'\n",
  'packages/mirror/src/index.ts': "import '../../kube/src/index.ts'\n",
  'packages/reconcile/src/index.ts': "import '../../store/src/index.ts'\n",
  'packages/client/src/index.ts': "import '../../kernel/src/index.ts'\n",
  'packages/ui/src/index.ts': "import '../../client/src/index.ts'\n",
  'packages/testkit/src/index.ts': "import '../../../local-cluster/src/index.ts'\nimport '../../http/src/index.ts'\n",
  'local-cluster/src/index.ts': "import 'node:fs'\n",
  [`${A}.contract.ts`]: `import 'zod'\nimport '${up}/packages/kernel/src/index.ts'\nimport '../../beta/berry/berry.contract.ts'\n`,
  [`${A}.rules.ts`]: "import './apple.contract.ts'\n",
  [`${A}.store.ts`]: `import './apple.rules.ts'\nimport 'kysely'\nimport '${up}/packages/store/src/index.ts'\n`,
  [`${A}.routes.ts`]: `import './apple.store.ts'\nimport '${up}/packages/http/src/index.ts'\n`,
  [`${A}.reconciler.ts`]: `import './apple.store.ts'\nimport '${up}/packages/kube/src/index.ts'\n`,
  [`${A}.console.tsx`]: `import './apple.rules.ts'\nimport 'react'\nimport '${up}/packages/ui/src/index.ts'\n`,
  [`${A}.cli.ts`]: `import './apple.contract.ts'\nimport 'commander'\nimport '${up}/packages/client/src/index.ts'\n`,
  [`${A}.test.ts`]: `import '${up}/packages/testkit/src/index.ts'\nimport '../../beta/berry/berry.store.ts'\n`,
  'features/alpha/apple/migrations/20261121T0900_create_apple.ts': "import 'kysely'\n",
  [`${B}.contract.ts`]: "import 'zod'\n",
  [`${B}.rules.ts`]: "import './berry.contract.ts'\n",
  [`${B}.store.ts`]: "import 'kysely'\n",
  'apps/server/src/main.ts': `import '${up}/features/alpha/apple/apple.routes.ts'\nimport '${up}/local-cluster/src/index.ts'\n`,
  'apps/console/src/main.tsx': `import '${up}/features/alpha/apple/apple.console.tsx'\n`,
}

/** One wrong import a rule: the rule that has to fire, the file that sins, what it imports. */
const planted: [rule: string, from: string, imports: string][] = [
  ['no-cycles', 'packages/http/src/cycle.ts', './cycle.ts'],
  ['resolvable', 'packages/http/src/lost.ts', './nowhere.ts'],
  ['features-meet-in-apps', `${A}.extra.ts`, '../../beta/berry/berry.store.ts'],
  ['packages-know-no-feature', 'packages/http/src/knows.ts', '../../../features/alpha/apple/apple.contract.ts'],
  ['kernel-is-a-leaf', 'packages/kernel/src/heavy.ts', 'kysely'],
  ['client-stands-on', 'packages/client/src/low.ts', '../../http/src/index.ts'],
  ['ui-stands-on', 'packages/ui/src/low.ts', '../../store/src/index.ts'],
  ['http-stands-on', 'packages/http/src/low.ts', '../../store/src/index.ts'],
  ['store-stands-on', 'packages/store/src/low.ts', '../../http/src/index.ts'],
  ['kube-stands-on', 'packages/kube/src/low.ts', '../../store/src/index.ts'],
  ['registry-stands-on', 'packages/registry/src/low.ts', '../../kube/src/index.ts'],
  ['terminal-stands-on', 'packages/terminal/src/low.ts', '../../http/src/index.ts'],
  ['podlog-stands-on', 'packages/podlog/src/low.ts', '../../store/src/index.ts'],
  ['mirror-stands-on', 'packages/mirror/src/low.ts', '../../store/src/index.ts'],
  ['reconcile-stands-on', 'packages/reconcile/src/low.ts', '../../kube/src/index.ts'],
  ['browser-packages-stay-clean', 'packages/ui/src/files.ts', 'node:fs'],
  ['testkit-is-for-tests', 'apps/server/src/tries.ts', '../../../packages/testkit/src/index.ts'],
  ['nobody-imports-apps', 'local-cluster/src/up.ts', '../../apps/server/src/main.ts'],
  ['apps-are-islands', 'apps/console/src/other.ts', '../../server/src/main.ts'],
  ['local-cluster-stands-alone', 'local-cluster/src/leans.ts', '../../packages/kube/src/index.ts'],
  ['local-cluster-behind-apps', 'packages/kube/src/near.ts', '../../../local-cluster/src/index.ts'],
  ['kubernetes-behind-one-door', 'apps/server/src/direct.ts', '@kubernetes/client-node'],
  ['database-behind-one-door', 'apps/server/src/sql.ts', 'pg'],
  ['contract-imports', `${A}-bad.contract.ts`, 'node:fs'],
  ['rules-imports', `${A}-bad.rules.ts`, `${up}/packages/kube/src/index.ts`],
  ['store-imports', `${A}-bad.store.ts`, `${up}/packages/http/src/index.ts`],
  ['routes-imports', `${A}-bad.routes.ts`, './apple.reconciler.ts'],
  ['reconciler-imports', `${A}-bad.reconciler.ts`, `${up}/packages/http/src/index.ts`],
  ['console-imports', `${A}-bad.console.tsx`, './apple.store.ts'],
  ['cli-imports', `${A}-bad.cli.ts`, `${up}/packages/store/src/index.ts`],
  ['migration-imports', 'features/alpha/apple/migrations/20261121T1000_bad.ts', '../apple.rules.ts'],
]

let house: string
const fired = new Map<string, Set<string>>()

beforeAll(async () => {
  house = realpathSync(mkdtempSync(join(tmpdir(), 'quarterdeck-walls-')))
  for (const [path, text] of Object.entries(clean)) plant(path, text)
  for (const [, from, imports] of planted) plant(from, `import '${imports}'\n`)
  plant('node_modules/@kubernetes/client-node/index.js', 'module.exports = {}\n')
  plant('tsconfig.base.json', '{}')
  for (const name of ['zod', 'pg', 'kysely', 'react', 'commander']) linkPackage(name)
  const { output } = await cruise(
    ['apps', 'packages', 'features', 'local-cluster'],
    {
      ...config.options,
      tsConfig: undefined,
      baseDir: house,
      validate: true,
      ruleSet: { forbidden: config.forbidden },
    },
    config.options.enhancedResolveOptions,
  )
  for (const { from, rule } of (output as ICruiseResult).summary.violations) {
    fired.set(from, (fired.get(from) ?? new Set()).add(rule.name))
  }
}, 60_000)
afterAll(() => rmSync(house, { recursive: true, force: true }))

function plant(path: string, text: string) {
  mkdirSync(dirname(join(house, path)), { recursive: true })
  writeFileSync(join(house, path), text)
}
/** The real package where it is installed at the root, else an empty one of its name. */
function linkPackage(name: string) {
  try {
    symlinkSync(realpathSync(join(root, 'node_modules', name)), join(house, 'node_modules', name))
  } catch {
    plant(`node_modules/${name}/index.js`, 'module.exports = {}\n')
  }
}

test('the walls let every allowed import through', () => {
  for (const path of Object.keys(clean)) expect([path, [...(fired.get(path) ?? [])]]).toEqual([path, []])
})

test.each(planted)('the wall %s fires on a wrong import', (rule, from) => {
  expect([...(fired.get(from) ?? [])]).toContain(rule)
})

test('every wall is tried', () => {
  const names = (config.forbidden ?? []).map(({ name }) => name)
  expect(planted.map(([rule]) => rule).sort()).toEqual([...names].sort())
})
