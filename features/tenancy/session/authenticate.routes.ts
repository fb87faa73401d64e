import { type Authenticate, hashSecret } from '@quarterdeck/http'
import type { Subject } from '@quarterdeck/kernel'
import type { Db } from '@quarterdeck/store'
import { isLive, isTouchDue } from './session.rules.ts'
import { findSession, touchSession } from './session.store.ts'
import { TOKEN_PREFIX } from './token.rules.ts'
import { findToken, touchToken } from './token.store.ts'

async function bySession(db: Db, secret: string, now: string, passive: boolean): Promise<Subject | undefined> {
  const session = await findSession(db, hashSecret(secret))
  if (!session || !isLive(session, now)) return undefined
  if (!passive && isTouchDue(session.lastUseTime, now)) await touchSession(db, session.id, now)
  const { userName: name, id: credentialId, expireTime } = session
  return { name, kind: 'user', permissions: ['*'], credentialId, expireTime }
}

async function byToken(db: Db, secret: string, now: string, passive: boolean): Promise<Subject | undefined> {
  if (!secret.startsWith(TOKEN_PREFIX)) return undefined
  const token = await findToken(db, hashSecret(secret))
  if (!token || (token.expireTime !== null && now >= token.expireTime)) return undefined
  const due = token.lastUseTime === null || isTouchDue(token.lastUseTime, now)
  if (!passive && due) await touchToken(db, token.id, now)
  const { userName: name, id: credentialId, permissions, expireTime } = token
  return { name, kind: 'token', permissions, credentialId, ...(expireTime === null ? {} : { expireTime }) }
}

/** For createServer: who a session cookie or a token stands for. Asked at each request, so revoking counts at once. */
export const authenticator =
  ({ db, now = () => new Date().toISOString() }: { db: Db; now?: () => string }): Authenticate =>
  ({ session, token }, { passive }) =>
    token === undefined ? bySession(db, session ?? '', now(), passive) : byToken(db, token, now(), passive)
