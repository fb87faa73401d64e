import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Permission, Subject } from '@quarterdeck/kernel'
import { type Db, findMigrations, migrate, openStore } from '@quarterdeck/store'
import { sql } from 'kysely'
import { type OpenAuthority, openAuthority } from '../features/tenancy/grant/authority.routes.ts'
import { type BenchOptions, percentile, type Result, result, spread } from './measure.ts'

const USERS = 10_000
const GROUPS = 2_000
const GRANTS = 20_000
const ENVIRONMENTS = 1_000
const OWN_GRANTS = 200
const ROWS = 50

const DECISIONS = 200_000
const PERMISSION: Permission = 'application.deploy'

/**
 * W10: what a decision and the authorisation of a page cost a user with 200 grants among 10,000 users, and how long
 * after the commit of a grant the answer is another one, in a process that is told of it by the store.
 */
export async function authorisation({ rounds = 200 }: BenchOptions): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'quarterdeck-bench-'))
  chmodSync(folder, 0o755)
  const store = await openStore({ stateFolder: folder })
  const log = { info: () => undefined, warn: console.warn, error: console.error } as never
  try {
    await migrate(store, findMigrations(join(import.meta.dirname, '../features')))
    await fill(store.db)
    const readMs: number[] = []
    for (let round = 0; round < 5; round++) readMs.push(await readWhole(store, log))
    const authority = openAuthority({ db: store.db, listen: store.listen, log })
    await authority.open()
    const figures = { ...decisions(authority), ...(await changes(store.db, authority, rounds)) }
    authority.close()
    return report(figures, readMs, rounds)
  } finally {
    await store.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

type Store = Awaited<ReturnType<typeof openStore>>

async function readWhole(store: Store, log: never): Promise<number> {
  const began = performance.now()
  const authority = openAuthority({ db: store.db, listen: () => () => undefined, log })
  await authority.open()
  authority.close()
  return performance.now() - began
}

/** Users in three groups each, grants of all built-in roles at all kinds of places, half of them to groups. */
async function fill(db: Db): Promise<void> {
  const run = (text: string) => sql.raw(text).execute(db)
  await run(`insert into tenant (name) select 'tenant-' || n from generate_series(1, 20) n`)
  await run(`insert into project (name, tenant) select 'project-' || n, tenant.id
    from generate_series(1, 100) n join tenant on tenant.name = 'tenant-' || (n % 20 + 1)`)
  await run(`insert into environment (name, cluster, namespace, stage, "createTime", operation, state, project)
    select 'environment-' || n, 'cluster-' || n % 10, 'environment-' || n, 'dev', now(), gen_random_uuid(), 'Ready', project.id
    from generate_series(1, ${ENVIRONMENTS}) n join project on project.name = 'project-' || (n % 100 + 1)`)
  await run(`insert into account (name) select 'user-' || n from generate_series(1, ${USERS}) n`)
  await run(`insert into user_group (name) select 'group-' || n from generate_series(1, ${GROUPS}) n`)
  await run(`insert into user_group_member select distinct user_group.id, account.id
    from generate_series(1, ${USERS}) n, generate_series(0, 2) k
    join account on true join user_group on true
    where account.name = 'user-' || n and user_group.name = 'group-' || ((n * 7 + k * 613) % ${GROUPS} + 1)`)
  const numbered = (table: string) =>
    `(select id, row_number() over (order by name) - 1 as n, count(*) over () as all from ${table})`
  for (const [kind, table, holders] of [
    ['account', 'account', USERS],
    ['"group"', 'user_group', GROUPS],
  ] as const) {
    await run(`insert into role_grant (role, ${kind}, environment, grantor)
      select role.id, holder.id, place.id, 'bench' from generate_series(1, ${GRANTS / 2 - OWN_GRANTS / 2}) g
      join ${numbered(table)} holder on holder.n = g % ${holders}
      join ${numbered('environment')} place on place.n = (g * 17 + g / ${holders}) % ${ENVIRONMENTS}
      join (select id, row_number() over (order by name) - 1 as n from role where name <> 'administrator') role on role.n = g % 10
      on conflict do nothing`)
  }
  await run(`insert into role_grant (role, account, environment, grantor) select role.id, account.id, place.id, 'bench'
    from role, account, ${numbered('environment')} place
    where role.name = 'developer' and account.name = 'user-1' and place.n % ${ENVIRONMENTS / OWN_GRANTS} = 0
    on conflict do nothing`)
  await run('analyze')
}

function decisions(authority: OpenAuthority): Record<string, number> {
  const facts = authority.decisions.facts
  const id = facts.idOf('account', 'user-1') ?? ''
  const subject: Subject = { id, name: 'user-1', kind: 'user', permissions: ['*'] }
  const names = Array.from({ length: ENVIRONMENTS }, (_, n) => `environment-${n + 1}`)
  const scopes = names.map((environment) => ({ environment }))
  let yes = 0
  const timed = (times: number, act: (n: number) => unknown) => {
    for (let n = 0; n < 10_000; n++) act(n)
    const began = performance.now()
    for (let n = 0; n < times; n++) act(n)
    return Math.round(((performance.now() - began) / times) * 1e6) / 1e3
  }
  const decisionUs = timed(DECISIONS, (n) => {
    if (authority.may(subject, PERMISSION, scopes[n % ENVIRONMENTS] ?? {})) yes++
  })
  const pageUs = timed(DECISIONS, (n) => {
    const allowed = authority.environmentsWith(subject, PERMISSION)
    for (let row = 0; row < ROWS; row++) if (allowed?.has(names[(n + row) % ENVIRONMENTS] ?? '')) yes++
  })
  const coldUs: number[] = []
  for (let n = 0; n < 200; n++) {
    authority.decisions.forget()
    const began = performance.now()
    authority.environmentsWith(subject, PERMISSION)
    coldUs.push((performance.now() - began) * 1e3)
  }
  const stranger = { ...subject, id: facts.idOf('account', 'user-2') ?? '' }
  const denialUs = timed(DECISIONS / 10, (n) => authority.denial(stranger, PERMISSION, scopes[n % ENVIRONMENTS] ?? {}))
  if (yes === 0) throw new Error('The user may nothing; the figures say nothing')
  return { decisionUs, pageUs, pageColdP50Us: percentile(coldUs, 0.5), denialUs, grants: facts.grants.size }
}

/** Milliseconds from the answer to COMMIT to the new answer, grants and their ends in turn. */
async function changes(db: Db, authority: OpenAuthority, rounds: number): Promise<Record<string, number>> {
  const id = authority.decisions.facts.idOf('account', 'user-3') ?? ''
  const subject: Subject = { id, name: 'user-3', kind: 'user', permissions: ['*'] }
  const waits: number[] = []
  const may = () => authority.may(subject, 'setting.update', { environment: 'environment-7' })
  if (may()) throw new Error('The user may it before it is granted')
  for (let round = 0; round < rounds * 2; round++) {
    const wanted = round % 2 === 0
    const seen = Promise.withResolvers<number>()
    const stop = authority.onChange(() => may() === wanted && seen.resolve(performance.now()))
    if (wanted) {
      await sql`insert into role_grant (role, account, environment, grantor)
        select role.id, ${id}::uuid, environment.id, 'bench' from role, environment
        where role.name = 'administrator' and environment.name = 'environment-7'`.execute(db)
    } else await sql`delete from role_grant using role where role.id = role and role.name = 'administrator'`.execute(db)
    const committed = performance.now()
    waits.push(Math.max(0, (await seen.promise) - committed))
    stop()
  }
  return spread('changeToAnswer', waits)
}

function report(figures: Record<string, number>, readMs: number[], rounds: number): Result {
  const remark = `${USERS.toLocaleString('en')} users in three of ${GROUPS.toLocaleString('en')} groups each, ${figures.grants} grants, ${ENVIRONMENTS.toLocaleString('en')} environments; the user asked about has ${OWN_GRANTS} grants of their own. decision: may() at one environment. page: where a permission counts, and ${ROWS} rows compared with it. cold: worked out anew after a change. denial: the sentence with who could grant it. changeToAnswer: from the answer to COMMIT to the other answer, through LISTEN, ${rounds} grants and ${rounds} ends. The peer is all of it read at once, as it was done at every change before`
  const target = { decisionUs: 5, pageUs: 5, changeToAnswerP99Ms: 50 }
  return result('W10', 0, target, figures, { readAtOnce: spread('changeToAnswer', readMs) }, remark)
}
