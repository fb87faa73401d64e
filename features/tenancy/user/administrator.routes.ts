import { hashPassword, hashSecret, newSecret, sameText, verifyPassword } from '@quarterdeck/http'
import { type AuditEntry, invalidInput } from '@quarterdeck/kernel'
import { type Db, transaction } from '@quarterdeck/store'
import { deleteFirstLink, findFirstLink, setFirstLink } from './first-link.store.ts'
import { firstLinkUnknown, firstLinkUsed } from './password.contract.ts'
import { passwordRefusal } from './password.rules.ts'
import { ADMINISTRATOR } from './user.rules.ts'
import {
  createAccount,
  findPasswordHash,
  findUserRow,
  hasAdministrator,
  setPasswordHash,
  updateAccount,
} from './user.store.ts'

/** Writes to the audit trail, within the transaction of what it tells. */
export type RecordAct = (tx: Db, entry: AuditEntry) => Promise<unknown>
/** Gives an account the role `administrator` for the whole platform; once. */
export type GrantAdministrator = (tx: Db, account: string, grantor: string) => Promise<void>
/** What stays when the credentials of a user end. */
export interface Kept {
  /** Id of a session. */
  session?: string | undefined
  /** Id of a token. */
  token?: string | undefined
  /** True: all tokens. */
  tokens?: boolean
}
/** Ends sessions and tokens of a user, by name. */
export type EndCredentials = (tx: Db, user: string, kept?: Kept) => Promise<void>

/** Throws invalidInput at `pointer` when the password is one that is guessed. */
export function acceptPassword(password: string, user: string, pointer: string): void {
  const refusal = passwordRefusal(password, user)
  if (refusal) throw invalidInput({ detail: refusal, errors: [{ pointer, detail: refusal }] })
}

/** Whether there is an administrator, for the set-up page: the first one, or another who has taken their place. */
export const administratorState = async (db: Db): Promise<'present' | 'missing'> =>
  (await findPasswordHash(db, ADMINISTRATOR)) === undefined && !(await hasAdministrator(db)) ? 'missing' : 'present'

/**
 * The one-time link to print on the terminal, or undefined when there is an administrator. Only its hash is stored, so
 * each call makes a new link and the one before stops working. The secret is behind #, which browsers do not send.
 */
export async function firstRunLink({ db, url }: { db: Db; url: string }): Promise<string | undefined> {
  if ((await administratorState(db)) === 'present') return undefined
  const token = newSecret()
  await setFirstLink(db, hashSecret(token))
  return `${url.replace(/\/+$/, '')}/first#${token}`
}

/** Makes the administrator and does `then` in the same transaction. Throws firstLinkUsed when there is one, firstLinkUnknown for another token. */
export async function useFirstLink<Then>(
  { db, grantAdministrator, now }: { db: Db; grantAdministrator: GrantAdministrator; now: string },
  { token, password }: { token: string; password: string },
  then: (tx: Db) => Promise<Then>,
): Promise<Then> {
  const used = firstLinkUsed({ detail: 'There is an administrator already; sign in with the password that was chosen' })
  if ((await administratorState(db)) === 'present') throw used
  if (!sameText((await findFirstLink(db)) ?? '', hashSecret(token))) {
    throw firstLinkUnknown({
      detail: 'Use the link that the terminal printed last; starting the server prints a new one',
    })
  }
  acceptPassword(password, ADMINISTRATOR, '/body/password')
  const passwordHash = await hashPassword(password)
  return transaction(db, async (tx) => {
    if (!(await createAccount(tx, { name: ADMINISTRATOR }))) throw used
    await setPasswordHash(tx, ADMINISTRATOR, passwordHash, now)
    await grantAdministrator(tx, ADMINISTRATOR, 'operator')
    await deleteFirstLink(tx)
    return then(tx)
  })
}

/**
 * QUARTERDECK_ADMIN_PASSWORD at start: makes the administrator or sets the password, and enables them; a password that is
 * set already changes nothing. Changing it ends all sessions and revokes all tokens. Throws invalidInput for one that is
 * too short or guessed.
 */
export async function setAdministratorPassword({
  db,
  password,
  record,
  grantAdministrator,
  endCredentials,
}: {
  db: Db
  password: string
  record: RecordAct
  grantAdministrator: GrantAdministrator
  endCredentials: EndCredentials
}): Promise<void> {
  if ([...password].length < 8 || password.length > 200) {
    throw invalidInput({ detail: 'QUARTERDECK_ADMIN_PASSWORD: 8 to 200 characters' })
  }
  acceptPassword(password, ADMINISTRATOR, '/QUARTERDECK_ADMIN_PASSWORD')
  const found = await findUserRow(db, ADMINISTRATOR)
  const same = await verifyPassword(await findPasswordHash(db, ADMINISTRATOR), password)
  if (same && found?.disableTime === null) return
  const passwordHash = await hashPassword(password)
  await transaction(db, async (tx) => {
    await setPasswordHash(tx, ADMINISTRATOR, passwordHash, new Date().toISOString())
    if (found) await updateAccount(tx, found.id, { disableTime: null })
    await grantAdministrator(tx, ADMINISTRATOR, 'operator')
    await deleteFirstLink(tx)
    await endCredentials(tx, ADMINISTRATOR)
    const what = `user ${ADMINISTRATOR}`
    const detail = 'By QUARTERDECK_ADMIN_PASSWORD; sessions ended, tokens revoked'
    await record(tx, { actor: 'operator', act: 'password.update', what, outcome: 'succeeded', detail })
  })
}
