import type { Db, JsonColumn } from '@quarterdeck/store'
import { type Generated, sql } from 'kysely'
import type { ProviderSettings } from './provider.contract.ts'
import type { ProvidedGroup } from './provider.rules.ts'

interface ProviderTable {
  name: string
  title: string
  kind: ProviderSettings['kind']
  enabled: boolean
  settings: JsonColumn<ProviderSettings>
  sealedSecret: string | null
  /** Another one after every change. */
  revision: Generated<string>
  createTime: string
  syncTime: string | null
  syncMessage: Generated<string>
}
interface AttemptTable {
  stateHash: string
  browserHash: string
  provider: string
  nonce: string
  codeVerifier: string
  next: string
  expireTime: string
}
interface AccountState {
  id: string
  name: string
  source: string
  key: string
  disabled: boolean
  absent: boolean
}
const table = (db: Db) =>
  db.withTables<{
    sign_in_provider: ProviderTable
    sign_in_attempt: AttemptTable
    absent_account: { account: string }
    provider_account_state: AccountState
  }>()

/** A provider as it is stored. */
export interface ProviderRow {
  name: string
  title: string
  enabled: boolean
  settings: ProviderSettings
  sealedSecret: string | null
  revision: string
  createTime: string
  syncTime: string | null
  syncMessage: string
}
const COLUMNS = [
  'name',
  'title',
  'enabled',
  'settings',
  'sealedSecret',
  'revision',
  'createTime',
  'syncTime',
  'syncMessage',
] as const

export const listProviderRows = (db: Db): Promise<ProviderRow[]> =>
  table(db).selectFrom('sign_in_provider').select(COLUMNS).orderBy('name').execute()

export const findProvider = (db: Db, name: string): Promise<ProviderRow | undefined> =>
  table(db).selectFrom('sign_in_provider').select(COLUMNS).where('name', '=', name).executeTakeFirst()

/** What the sign-in page shows. */
export const listChoices = (db: Db): Promise<Pick<ProviderTable, 'name' | 'title' | 'kind'>[]> =>
  table(db)
    .selectFrom('sign_in_provider')
    .select(['name', 'title', 'kind'])
    .where('enabled', '=', true)
    .orderBy('title')
    .execute()

/** False when a provider is gone or switched off; true keeps it as it is until `tx` ends. */
export const holdProvider = async (tx: Db, name: string): Promise<boolean> =>
  (await table(tx)
    .selectFrom('sign_in_provider')
    .select('name')
    .where('name', '=', name)
    .where('enabled', '=', true)
    .forShare()
    .executeTakeFirst()) !== undefined

/** How many secrets the key file has sealed. */
export async function countSealedProviders(db: Db): Promise<number> {
  const row = await table(db)
    .selectFrom('sign_in_provider')
    .select(({ fn }) => fn.count<number>('sealedSecret').as('count'))
    .executeTakeFirstOrThrow()
  return row.count
}

type Written = Pick<ProviderRow, 'name' | 'title' | 'enabled' | 'settings' | 'sealedSecret'>

/** False when the name is taken. */
export async function createProviderRow(db: Db, { settings, ...row }: Written, now: string): Promise<boolean> {
  const made = await table(db)
    .insertInto('sign_in_provider')
    .values({ ...row, kind: settings.kind, settings: JSON.stringify(settings), createTime: now, syncTime: null })
    .onConflict((conflict) => conflict.doNothing())
    .returning('name')
    .executeTakeFirst()
  return made !== undefined
}

export async function updateProviderRow(db: Db, { name, settings, ...row }: Written): Promise<void> {
  await table(db)
    .updateTable('sign_in_provider')
    .set({
      ...row,
      kind: settings.kind,
      settings: JSON.stringify(settings),
      revision: sql<string>`gen_random_uuid()`,
      syncMessage: '',
    })
    .where('name', '=', name)
    .execute()
}

/** False when there is none. */
export async function deleteProviderRow(db: Db, name: string): Promise<boolean> {
  const gone = await table(db)
    .deleteFrom('sign_in_provider')
    .where('name', '=', name)
    .returning('name')
    .executeTakeFirst()
  return gone !== undefined
}

export async function saveSync(db: Db, name: string, syncTime: string, syncMessage: string): Promise<void> {
  await table(db).updateTable('sign_in_provider').set({ syncTime, syncMessage }).where('name', '=', name).execute()
}

/** Keeps a sign-in that begins, and forgets those that were never finished. */
export async function createAttempt(db: Db, attempt: AttemptTable, now: string): Promise<void> {
  await table(db).deleteFrom('sign_in_attempt').where('expireTime', '<', now).execute()
  await table(db).insertInto('sign_in_attempt').values(attempt).execute()
}

/** Takes a sign-in that is under way, once: of this provider, in this browser. Undefined when there is none such. */
export const takeAttempt = (
  db: Db,
  { stateHash, browserHash, provider }: Pick<AttemptTable, 'stateHash' | 'browserHash' | 'provider'>,
  now: string,
): Promise<Pick<AttemptTable, 'nonce' | 'codeVerifier' | 'next'> | undefined> =>
  table(db)
    .deleteFrom('sign_in_attempt')
    .where('stateHash', '=', stateHash)
    .where('browserHash', '=', browserHash)
    .where('provider', '=', provider)
    .where('expireTime', '>', now)
    .returning(['nonce', 'codeVerifier', 'next'])
    .executeTakeFirst()

/** Somebody as a provider knows them. */
export interface ProvidedPerson {
  source: string
  /** Never another person's, whatever they are called. */
  key: string
  name: string
  title: string | undefined
  email: string | undefined
  /** Undefined: groups are not taken over. */
  groups: readonly ProvidedGroup[] | undefined
}

/** The account that a person is, made when there is none, with the groups of this provider. */
export async function takeOver(
  db: Db,
  { source, key, name, title, email, groups }: ProvidedPerson,
): Promise<{ id: string; name: string; made: boolean; disabled: boolean }> {
  const { rows } = await sql<{ id: string; name: string; made: boolean; disabled: boolean }>`
    select * from provider_account(${source}, ${key}, ${name}, ${title ?? null}, ${email ?? null})`.execute(db)
  const [account] = rows
  if (!account) throw new Error(`No account was made for ${name} of ${source}`)
  if (groups) await setGroups(db, account.id, source, groups)
  return account
}

/** True when something has changed. */
export async function setGroups(
  db: Db,
  id: string,
  source: string,
  groups: readonly ProvidedGroup[],
): Promise<boolean> {
  const [keys, names] = [groups.map(({ key }) => key), groups.map(({ name }) => name)]
  const { rows } = await sql<{ changed: boolean }>`
    select provider_groups(${id}, ${source}, ${keys}::text[], ${names}::text[]) as changed`.execute(db)
  return rows[0]?.changed ?? false
}

export const listAccountStates = (db: Db, source: string): Promise<AccountState[]> =>
  table(db).selectFrom('provider_account_state').selectAll().where('source', '=', source).orderBy('name').execute()

const setEnabled = async (db: Db, id: string, enabled: boolean): Promise<boolean> => {
  const { rows } = await sql<{
    changed: boolean
  }>`select provider_account_enabled(${id}, ${enabled}) as changed`.execute(db)
  return rows[0]?.changed ?? false
}

/** Disables who has gone from a directory; true when that changed something. */
export async function setAbsent(tx: Db, account: string): Promise<boolean> {
  if (!(await setEnabled(tx, account, false))) return false
  await table(tx)
    .insertInto('absent_account')
    .values({ account })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  return true
}

/** Enables who is back; whoever was disabled by hand stays so. True when that changed something. */
export async function setPresent(tx: Db, account: string): Promise<boolean> {
  const gone = await table(tx)
    .deleteFrom('absent_account')
    .where('account', '=', account)
    .returning('account')
    .executeTakeFirst()
  return gone !== undefined && setEnabled(tx, account, true)
}

/** The provider that an account comes from; undefined for a local one. */
export async function sourceOf(db: Db, id: string): Promise<string | undefined> {
  const found = await table(db)
    .selectFrom('provider_account_state')
    .select('source')
    .where('id', '=', id)
    .executeTakeFirst()
  return found?.source
}
