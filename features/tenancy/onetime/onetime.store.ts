import { type Db, transaction } from '@quarterdeck/store'
import { type Generated, sql } from 'kysely'
import type { OneTimeRule } from './onetime.contract.ts'
import { type OneTimeFacts, waitSeconds } from './onetime.rules.ts'

interface OneTimePasswordTable {
  account: string
  sealedSecret: string
  createTime: string
  confirmTime: string | null
  wrongCodes: Generated<number>
  wrongTime: string | null
}
interface UsedStepTable {
  account: string
  step: number
}
interface RecoveryCodeTable {
  account: string
  codeHash: string
  useTime: string | null
}
interface RuleTable {
  position: number
  roles: string
  stages: string
  acts: string
  maxAgeMinutes: number
}
const table = (db: Db) =>
  db.withTables<{
    one_time_password: OneTimePasswordTable
    used_step: UsedStepTable
    recovery_code: RecoveryCodeTable
    one_time_rule: RuleTable
  }>()

/** PostgreSQL tells it when somebody has enrolled or no longer is, and when rules have changed. */
export const oneTimeChannel = 'quarterdeck_one_time'

/** How many secrets the key file has sealed. */
export async function countSealedSecrets(db: Db): Promise<number> {
  const row = await table(db)
    .selectFrom('one_time_password')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return row.count
}

/** Begins anew with another secret. False when one is confirmed already; then nothing has changed. */
export async function beginEnrolment(db: Db, account: string, sealedSecret: string, now: string): Promise<boolean> {
  const begun = await table(db)
    .insertInto('one_time_password')
    .values({ account, sealedSecret, createTime: now })
    .onConflict((conflict) =>
      conflict
        .column('account')
        // Wrong codes stay counted: beginning anew is not one more try.
        .doUpdateSet({ sealedSecret, createTime: now })
        .where('one_time_password.confirmTime', 'is', null),
    )
    .returning('account')
    .executeTakeFirst()
  return begun !== undefined
}

export const confirmEnrolment = (db: Db, account: string, now: string): Promise<unknown> =>
  table(db).updateTable('one_time_password').set({ confirmTime: now }).where('account', '=', account).execute()

/** Puts these in place of the recovery codes there were. */
export async function replaceRecoveryCodes(db: Db, account: string, hashes: readonly string[]): Promise<void> {
  await table(db).deleteFrom('recovery_code').where('account', '=', account).execute()
  const rows = hashes.map((codeHash) => ({ account, codeHash, useTime: null }))
  await table(db).insertInto('recovery_code').values(rows).execute()
}

/** False when there was none. */
export async function deleteOneTimePassword(db: Db, account: string): Promise<boolean> {
  const gone = await table(db)
    .deleteFrom('one_time_password')
    .where('account', '=', account)
    .returning('account')
    .executeTakeFirst()
  return gone !== undefined
}

/** The id of the account of this name. */
export async function findAccountId(db: Db, user: string): Promise<string | undefined> {
  const { rows } = await sql<{ id: string | null }>`select account_id(${user}) as id`.execute(db)
  return rows[0]?.id ?? undefined
}

/** When it was confirmed, and how many recovery codes are left; undefined when there is none. */
export async function findEnrolment(db: Db, account: string): Promise<{ enrolTime: string; left: number } | undefined> {
  const found = await table(db)
    .selectFrom('one_time_password')
    .select([
      'confirmTime',
      (one) =>
        one
          .selectFrom('recovery_code')
          .select(({ fn }) => fn.countAll<number>().as('left'))
          .whereRef('recovery_code.account', '=', 'one_time_password.account')
          .where('useTime', 'is', null)
          .as('left'),
    ])
    .where('account', '=', account)
    .where('confirmTime', 'is not', null)
    .executeTakeFirst()
  return found && { enrolTime: found.confirmTime ?? '', left: found.left ?? 0 }
}

/** How a code was taken. `wait`: not looked at, for so many seconds more. */
export type Taken = 'right' | 'recovery' | 'wrong' | 'absent' | { wait: number }

/** A code that somebody gave, and how it is looked at. */
export interface GivenCode {
  account: string
  now: string
  /** true: of a secret that is confirmed; false: of one that is not yet. */
  confirmed: boolean
  /** The step that this is the code of; undefined: of none within reach. */
  stepOf(sealedSecret: string): number | undefined
  /** Set when it has the shape of a recovery code. */
  recoveryHash: string | undefined
}

// Long after no step of then counts any more, even when a clock is set back by a day.
const KEPT_STEPS = 2_880

/**
 * Uses a code up, in one transaction: every step and every recovery code counts once, and wrong ones are counted,
 * whichever process is asked and however many at a time. Does `then` in the same transaction when it was right.
 */
export function takeCode(db: Db, given: GivenCode, then: (tx: Db) => Promise<void>): Promise<Taken> {
  const { account, now, confirmed } = given
  return transaction(db, async (tx) => {
    const found = await table(tx)
      .selectFrom('one_time_password')
      .select(['sealedSecret', 'wrongCodes', 'wrongTime'])
      .where('account', '=', account)
      .where('confirmTime', confirmed ? 'is not' : 'is', null)
      .forUpdate()
      .executeTakeFirst()
    if (!found) return 'absent'
    const wait = waitSeconds(found.wrongCodes, found.wrongTime, now)
    if (wait > 0) return { wait }
    const right = await spend(tx, given, found.sealedSecret)
    const counted = right ? { wrongCodes: 0 } : { wrongCodes: found.wrongCodes + 1, wrongTime: now }
    await table(tx).updateTable('one_time_password').set(counted).where('account', '=', account).execute()
    if (!right) return 'wrong'
    await then(tx)
    return given.recoveryHash === undefined ? 'right' : 'recovery'
  })
}

async function spend(tx: Db, { account, now, recoveryHash, stepOf }: GivenCode, sealedSecret: string) {
  if (recoveryHash !== undefined) {
    const used = await table(tx)
      .updateTable('recovery_code')
      .set({ useTime: now })
      .where('account', '=', account)
      .where('codeHash', '=', recoveryHash)
      .where('useTime', 'is', null)
      .returning('account')
      .executeTakeFirst()
    return used !== undefined
  }
  const step = stepOf(sealedSecret)
  if (step === undefined) return false
  await table(tx)
    .deleteFrom('used_step')
    .where('account', '=', account)
    .where('step', '<', step - KEPT_STEPS)
    .execute()
  const used = await table(tx)
    .insertInto('used_step')
    .values({ account, step })
    .onConflict((conflict) => conflict.doNothing())
    .returning('step')
    .executeTakeFirst()
  return used !== undefined
}

export async function replaceRules(db: Db, rules: readonly OneTimeRule[]): Promise<void> {
  await table(db).deleteFrom('one_time_rule').execute()
  if (rules.length === 0) return
  const rows = rules.map(({ roles, stages, acts, maxAgeMinutes }, position) => ({
    position,
    roles: JSON.stringify(roles),
    stages: JSON.stringify(stages),
    acts: JSON.stringify(acts),
    maxAgeMinutes,
  }))
  await table(db).insertInto('one_time_rule').values(rows).execute()
}

/** Everything that decides whether a code is needed, at one instant. */
export async function readFacts(db: Db): Promise<OneTimeFacts> {
  const { rows } = await sql<{
    accounts: { id: string; kind: 'user' | 'machine'; enrolled: boolean; roles: string[] }[]
    environments: { name: string; stage: OneTimeRule['stages'][number] }[]
    roles: string[]
    rules: OneTimeRule[]
  }>`select * from one_time_fact`.execute(db)
  const [row] = rows
  if (!row) throw new Error('PostgreSQL answers no row to a select without a table')
  return {
    accounts: new Map(row.accounts.map(({ id, roles, ...one }) => [id, { ...one, roles: new Set(roles) }])),
    stages: new Map(row.environments.map(({ name, stage }) => [name, stage])),
    roles: new Set(row.roles),
    rules: row.rules,
  }
}
