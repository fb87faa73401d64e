import type { Subject } from '@quarterdeck/kernel'
import type { Db } from '@quarterdeck/store'
import { findSessionTime, verifySession } from './session.store.ts'
import { verifyToken } from './token.store.ts'

/** Keeps with a session or token that a one-time password was given in it; every process is told when `tx` commits. */
export async function verifyCredential(tx: Db, subject: Subject, time: string): Promise<void> {
  const { kind, name, credentialId = '' } = subject
  await (kind === 'token' ? verifyToken : verifySession)(tx, name, credentialId, time)
}

/** When the session of a subject began; undefined for a token. */
export const signInTimeOf = async (db: Db, { kind, credentialId }: Subject): Promise<string | undefined> =>
  kind === 'token' || credentialId === undefined ? undefined : findSessionTime(db, credentialId)
