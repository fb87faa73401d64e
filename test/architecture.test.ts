import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { expect, test } from 'vitest'
import { declaredEndpoints } from '../scripts/contracts.ts'
import { root } from '../scripts/stage.ts'

// What imports cannot say (the walls are in walls.test.ts).
const read = (file: string) => readFileSync(join(root, file), 'utf8')
const sources = globSync('{apps,packages,features,local-cluster,bench,test,scripts}/**/*.{ts,tsx,mjs}', {
  cwd: root,
  exclude: (path) => path.includes('node_modules') || path.endsWith('dist'),
}).sort()
const features = sources.filter((file) => file.startsWith('features/'))
const isTest = (file: string) => /\.(test|spec)\.tsx?$/.test(file)

const ROLE =
  /^features\/[a-z]+\/[a-z][a-z-]*\/([a-z][a-z0-9-]*\.(contract|rules|store|routes|reconciler|cli)\.ts|[a-z][a-z0-9-]*\.console\.tsx|[a-z][a-z0-9-]*(\.slow)?\.test\.tsx?|migrations\/\d{8}T\d{4}_[a-z0-9_]+\.ts)$/

test('every file of a feature has a role', () => {
  expect(features.filter((file) => !ROLE.test(file))).toEqual([])
})

test('every endpoint has an id, a method and path of its own, and a permission', async () => {
  const endpoints = await declaredEndpoints()
  expect(endpoints.length).toBeGreaterThan(0)
  const once = (of: (one: (typeof endpoints)[number]) => string) => {
    const seen = endpoints.map(of)
    return seen.filter((value, index) => seen.indexOf(value) !== index)
  }
  expect(once(({ endpoint }) => endpoint.id)).toEqual([])
  expect(once(({ endpoint }) => `${endpoint.method} ${endpoint.path.replace(/:\w+/g, ':')}`)).toEqual([])
  for (const { endpoint } of endpoints) {
    expect([endpoint.id, endpoint.permission]).toEqual([
      endpoint.id,
      expect.stringMatching(/^(anonymous|self|[a-z]+(-[a-z]+)*\.[a-z]+(-[a-z]+)*)$/),
    ])
  }
})

/** Names of the endpoints that a file binds: each for itself, or all of a list. */
function boundIn(text: string): string[] {
  const named = [...text.matchAll(/\bbind\w*(?:<[^(]*>)?\(\s*[\w.]+,\s*(\w+)\s*,/g)].map(([, name]) => name ?? '')
  return named.flatMap((name) => {
    const list = new RegExp(`const ${name} = \\[([^\\]]*)\\]`).exec(text)?.[1]
    return list === undefined ? [name] : list.split(',').map((one) => one.trim())
  })
}

test('every endpoint is bound exactly once', async () => {
  const bound = sources
    .filter((file) => /\.routes\.ts$/.test(file) || (/^(apps\/server|packages\/http)\//.test(file) && !isTest(file)))
    .flatMap((file) => boundIn(read(file)))
  const wrong = (await declaredEndpoints())
    .map(({ name }) => ({ name, times: bound.filter((one) => one === name).length }))
    .filter(({ times }) => times !== 1)
  expect(wrong).toEqual([])
})

test('every table is named in the store of one feature only', () => {
  const migrations = features.filter((file) => file.includes('/migrations/'))
  const renamed = new Map(
    migrations.flatMap((file) =>
      [...read(file).matchAll(/alter table (\w+) rename to (\w+)/g)].map(([, a, b]) => [a, b]),
    ),
  )
  const tables = migrations
    .flatMap((file) => [...read(file).matchAll(/create (?:unlogged )?table (?:if not exists )?"?(\w+)"?/gi)])
    .map(([, table]) => renamed.get(table ?? '') ?? table ?? '')
  expect(tables.length).toBeGreaterThan(0)
  for (const table of tables) {
    const quoted = new RegExp(
      `(?:From|Into|Table|Join|Using|from)\\(\\s*\\[?['"\`](?:public\\.)?${table}(?: as \\w+)?['"\`]|(?:from|into|update|join) "?${table}"?\\b`,
    )
    const stores = features.filter((file) => !isTest(file) && !file.includes('/migrations/') && quoted.test(read(file)))
    // What only triggers keep is named in the migrations of one feature only.
    const keepers = stores.length > 0 ? stores : migrations.filter((file) => quoted.test(read(file)))
    const nouns = new Set(keepers.map((file) => file.split('/').slice(0, 3).join('/')))
    expect([table, [...nouns]]).toEqual([table, [expect.any(String)]])
    expect(stores.filter((file) => !file.endsWith('.store.ts'))).toEqual([])
  }
})

test('no source file is over 500 lines, no test over 800', () => {
  const long = sources
    .map((file) => ({ file, lines: read(file).split('\n').length }))
    .filter(({ file, lines }) => lines > (isTest(file) ? 800 : 500))
  expect(long).toEqual([])
})

test('no file has a name that means its noun has not been found', () => {
  const refused = /^(utils?|helpers?|common|misc|manager|data|info|handle|do|new|v2)$/
  // What PostgreSQL itself calls it.
  const terms = ['packages/store/src/data-folder.ts']
  const named = (file: string) => basename(file).split('.')[0]?.split('-') ?? []
  expect(sources.filter((file) => !terms.includes(file) && named(file).some((word) => refused.test(word)))).toEqual([])
})

test('features have no default exports and no barrels', () => {
  expect(features.filter((file) => /^export default/m.test(read(file)))).toEqual([])
  expect(features.filter((file) => /^export \*/m.test(read(file)))).toEqual([])
})
