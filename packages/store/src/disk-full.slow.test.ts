import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { isUnavailable } from './errors.ts'
import { openStore, type Store } from './store.ts'

// A disk of its own needs a mount; without root these faults cannot be made.
const mountable = process.getuid?.() === 0 && process.platform === 'linux'
let folder: string
let store: Store | undefined

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'quarterdeck-full-'))
  if (mountable) execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=160m,mode=755', 'tmpfs', folder])
  chmodSync(folder, 0o755)
})
afterEach(async () => {
  await store?.close()
  store = undefined
  if (mountable) execFileSync('umount', ['-l', folder])
  rmSync(folder, { recursive: true, force: true })
})

function fill(): string {
  const file = join(folder, 'ballast')
  const { bavail, bsize } = statfsSync(folder)
  writeFileSync(file, Buffer.alloc(bavail * bsize))
  return file
}

test.runIf(mountable)('a disk without room for a new database is said with its cure', async () => {
  fill()
  await expect(openStore({ stateFolder: folder })).rejects.toMatchObject({
    reason: 'disk-full',
    cure: expect.stringContaining('Free space'),
  })
})

test.runIf(mountable)(
  '[F21] on a full disk writes are refused as unavailable, reads go on, and both go on after there is room',
  async () => {
    store = await openStore({ stateFolder: folder })
    const { db } = store
    await sql`create table big (n int generated always as identity, text text)`.execute(db)
    await sql`insert into big (text) values ('before')`.execute(db)
    const ballast = fill()
    let refusal: unknown
    for (let i = 0; i < 2_000 && refusal === undefined; i++) {
      refusal =
        await sql`insert into big (text) select string_agg(md5(random()::text), '') from generate_series(1, 200)`
          .execute(db)
          .then(
            () => undefined,
            (error: unknown) => error,
          )
    }
    expect(refusal).toBeDefined()
    expect(isUnavailable(refusal)).toBe(true)
    rmSync(ballast)
    while (!(await store.health()).ok) await new Promise((resolve) => setTimeout(resolve, 50))
    const { rows } = await sql<{ text: string }>`select text from big where n = 1`.execute(db)
    expect(rows).toEqual([{ text: 'before' }])
    await sql`insert into big (text) values ('after')`.execute(db)
  },
)
