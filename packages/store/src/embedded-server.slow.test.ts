import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { isUnavailable, StoreError } from './errors.ts'
import { isAlive, processesIn, signal } from './process-identity.ts'
import { openStore, type Store } from './store.ts'
import { transaction } from './transaction.ts'

// Each starts processes and waits for disks; a busy machine may take long, only a hang must fail.
vi.setConfig({ testTimeout: 120_000 })

let folder: string
let stores: Store[]
let children: ChildProcess[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'quarterdeck-store-'))

  chmodSync(folder, 0o755) // PostgreSQL's account must be able to pass; mkdtemp makes a private folder.
  stores = []
  children = []
})
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL')
  for (const store of stores) await store.close()
  for (const pid of processesIn(join(folder, 'store', 'data'))) signal(pid, 'SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

async function open(): Promise<Store> {
  const store = await openStore({ stateFolder: folder })
  stores.push(store)
  return store
}

const ask = async <T>(store: Store, query: ReturnType<typeof sql<T>>) => (await query.execute(store.db)).rows

/** A process of its own that has the store of `folder` open; resolves when it has. */
async function openElsewhere(): Promise<ChildProcess> {
  const program = `
    const { openStore } = await import(${JSON.stringify(join(import.meta.dirname, 'index.ts'))})
    const store = await openStore({ stateFolder: ${JSON.stringify(folder)} })
    console.log(store.serverPid())
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  if (child.stdout) await once(child.stdout, 'data')
  return child
}

async function untilOk(store: Store): Promise<void> {
  while (!(await store.health()).ok) await sleep(20)
}

/** Kills the postmaster and waits for the next one. (Its children may answer for a moment yet.) */
async function killServer(store: Store): Promise<void> {
  const pid = store.serverPid() ?? 0
  signal(pid, 'SIGKILL')
  while (store.serverPid() === pid) await sleep(20)
  await untilOk(store)
}

test('[F10] killing PostgreSQL again and again during writes loses no acknowledged row, and the store comes back by itself', async () => {
  const store = await open()
  await sql`create table written (n int primary key)`.execute(store.db)
  const acknowledged: number[] = []
  const refusals: unknown[] = []
  let next = 0
  let writing = true
  async function write() {
    while (writing) {
      const n = next++
      try {
        await transaction(store.db, (tx) => sql`insert into written values (${n})`.execute(tx))
        acknowledged.push(n)
      } catch (error) {
        refusals.push(error)
        await sleep(5)
      }
    }
  }
  const writers = Array.from({ length: 8 }, write)
  for (let round = 0; round < 5; round++) {
    const before = acknowledged.length
    while (acknowledged.length < before + 50) await sleep(5)
    await killServer(store)
  }
  writing = false
  await Promise.all(writers)
  const rows = await ask(store, sql<{ n: number }>`select n from written`)
  const present = new Set(rows.map(({ n }) => n))
  expect(acknowledged.filter((n) => !present.has(n))).toEqual([])
  expect(refusals.length).toBeGreaterThan(0)
  expect(refusals.filter((error) => !isUnavailable(error))).toEqual([])
})

test('the server asks for durability: fsync, synchronous commits and checksums are on', async () => {
  const store = await open()
  const settings = await ask(
    store,
    sql<{ name: string; setting: string }>`select name, setting from pg_settings
      where name in ('fsync', 'synchronous_commit', 'data_checksums', 'full_page_writes') order by name`,
  )
  expect(settings.map(({ setting }) => setting)).toEqual(['on', 'on', 'on', 'on'])
})

test('the database is reached through a socket and a password that other users cannot read', async () => {
  const store = await open()
  const [row] = await ask(store, sql<{ listen: string }>`select current_setting('listen_addresses') as listen`)
  expect(row?.listen).toBe('')
  expect(statSync(join(folder, 'store', 'password')).mode & 0o077).toBe(0)
  expect(statSync(join(folder, 'store', 'run')).mode & 0o077).toBe(0)
})

test('a postmaster.pid left by a dead server does not keep the store from opening, even when its number is another process by now', async () => {
  await (await open()).close()
  const file = join(folder, 'store', 'data', 'postmaster.pid')
  writeFileSync(file, `${process.pid}\n${join(folder, 'store', 'data')}\n1\n5432\n\n\n\nready\n`)
  const store = await open()
  expect((await store.health()).ok).toBe(true)
  expect(readFileSync(file, 'utf8').startsWith(`${process.pid}\n`)).toBe(false)
})

test('a second opener of the same folder is refused and told who has it', async () => {
  const child = await openElsewhere()
  const refusal = await openStore({ stateFolder: folder }).catch((error: unknown) => error)
  expect(refusal).toBeInstanceOf(StoreError)
  expect(refusal).toMatchObject({ reason: 'in-use', pid: child.pid })
})

test('a second opener in the same process is refused too', async () => {
  await open()
  await expect(openStore({ stateFolder: folder })).rejects.toMatchObject({ reason: 'in-use' })
})

test('the server of a platform that was killed is adopted by the next start, with everything in it', async () => {
  const child = await openElsewhere()
  child.kill('SIGKILL')
  await once(child, 'exit')
  const orphan = processesIn(join(folder, 'store', 'data'))
  expect(orphan.length).toBeGreaterThan(0)
  const store = await open()
  expect(orphan).toContain(store.serverPid())
  await killServer(store)
  expect(orphan).not.toContain(store.serverPid())
})

test('a server of this folder that was started with other settings is stopped, not fought', async () => {
  const first = await openStore({ stateFolder: folder, keepServer: true, serverSettings: { work_mem: '5MB' } })
  const pid = first.serverPid() ?? 0
  await first.close()
  expect(isAlive(pid)).toBe(true)
  const store = await open()
  expect(isAlive(pid)).toBe(false)
  expect((await store.health()).ok).toBe(true)
})

test('close stops the server and leaves no process behind', async () => {
  await (await open()).close()
  expect(processesIn(join(folder, 'store', 'data'))).toEqual([])
})

test('[F13] while PostgreSQL is frozen a query is refused as unavailable, and answered when it goes on', async () => {
  const store = await open()
  await sql`select 1`.execute(store.db)
  const frozen = processesIn(join(folder, 'store', 'data'))
  for (const pid of frozen) signal(pid, 'SIGSTOP')
  const refusal = await sql`select 1`.execute(store.db).catch((error: unknown) => error)
  for (const pid of frozen) signal(pid, 'SIGCONT')
  expect(isUnavailable(refusal)).toBe(true)
  await untilOk(store)
})

test('a folder that cannot be written is said with its cure', async () => {
  writeFileSync(join(folder, 'store'), 'a file where the folder should be')
  await expect(openStore({ stateFolder: folder })).rejects.toMatchObject({
    reason: 'not-writable',
    cure: expect.stringContaining('QUARTERDECK_HOME'),
  })
})

test('an interrupted first start is begun anew', async () => {
  mkdirSync(join(folder, 'store', 'data.new', 'base'), { recursive: true })
  expect((await (await open()).health()).ok).toBe(true)
})
