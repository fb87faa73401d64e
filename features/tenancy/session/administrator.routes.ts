import { hashPassword, hashSecret, newSecret, sameText, verifyPassword } from '@quarterdeck/http'
import { type AuditEntry, invalidInput } from '@quarterdeck/kernel'
import { type Db, transaction } from '@quarterdeck/store'
import { grantAdministrator } from '../grant/authority.store.ts'
import { firstLinkUnknown, firstLinkUsed } from './session.contract.ts'
import { ADMINISTRATOR, passwordRefusal } from './session.rules.ts'
import {
  createUser,
  deleteFirstLink,
  deleteSessions,
  findFirstLink,
  findPasswordHash,
  setFirstLink,
  setPasswordHash,
} from './session.store.ts'
import { deleteTokens } from './token.store.ts'

/** Writes to the audit trail, within the transaction of what it tells. */
export type RecordAct = (tx: Db, entry: AuditEntry) => Promise<unknown>

/** Throws invalidInput at `pointer` when the password is one that is guessed. */
export function acceptPassword(password: string, user: string, pointer: string): void {
  const refusal = passwordRefusal(password, user)
  if (refusal) throw invalidInput({ detail: refusal, errors: [{ pointer, detail: refusal }] })
}

/** Whether the first administrator has been made, for the set-up page. */
export const administratorState = async (db: Db): Promise<'present' | 'missing'> =>
  (await findPasswordHash(db, ADMINISTRATOR)) === undefined ? 'missing' : 'present'

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
  db: Db,
  { token, password }: { token: string; password: string },
  now: string,
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
    if (!(await createUser(tx, ADMINISTRATOR, passwordHash, now))) throw used
    await grantAdministrator(tx, ADMINISTRATOR, 'operator')
    await deleteFirstLink(tx)
    return then(tx)
  })
}

/**
 * QUARTERDECK_ADMIN_PASSWORD at start: makes the administrator or sets the password; a password that is set already
 * changes nothing. Changing it ends all sessions and revokes all tokens. Throws invalidInput for one that is too short or guessed.
 */
export async function setAdministratorPassword({
  db,
  password,
  record,
}: {
  db: Db
  password: string
  record: RecordAct
}): Promise<void> {
  if ([...password].length < 8 || password.length > 200) {
    throw invalidInput({ detail: 'QUARTERDECK_ADMIN_PASSWORD: 8 to 200 characters' })
  }
  acceptPassword(password, ADMINISTRATOR, '/QUARTERDECK_ADMIN_PASSWORD')
  if (await verifyPassword(await findPasswordHash(db, ADMINISTRATOR), password)) return
  const passwordHash = await hashPassword(password)
  await transaction(db, async (tx) => {
    await setPasswordHash(tx, ADMINISTRATOR, passwordHash, new Date().toISOString())
    await grantAdministrator(tx, ADMINISTRATOR, 'operator')
    await deleteFirstLink(tx)
    await deleteSessions(tx, ADMINISTRATOR, undefined)
    await deleteTokens(tx, ADMINISTRATOR, undefined)
    const what = `user ${ADMINISTRATOR}`
    const detail = 'By QUARTERDECK_ADMIN_PASSWORD; sessions ended, tokens revoked'
    await record(tx, { actor: 'operator', act: 'password.update', what, outcome: 'succeeded', detail })
  })
}
