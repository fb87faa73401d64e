import { type Authenticate, type Credential, hashSecret } from '@quarterdeck/http'
import type { Subject } from '@quarterdeck/kernel'
import type { Db, Store } from '@quarterdeck/store'
import { isLive, isTouchDue } from './session.rules.ts'
import { findSession, revokedChannel, touchSession } from './session.store.ts'
import { TOKEN_PREFIX } from './token.rules.ts'
import { findToken, touchToken } from './token.store.ts'

/** Somebody who is signed in, as the store has it. */
interface SignedIn {
  subject: Subject
  kind: 'session' | 'token'
  id: string
  lastUseTime: string | null
  expireTime: string | null
}

async function bySession(db: Db, secretHash: string): Promise<SignedIn | undefined> {
  const session = await findSession(db, secretHash)
  if (!session) return undefined
  const { userName: name, account, id, lastUseTime, expireTime } = session
  const subject: Subject = { id: account, name, kind: 'user', permissions: ['*'], credentialId: id, expireTime }
  return { subject, kind: 'session', id, lastUseTime, expireTime }
}

async function byToken(db: Db, secretHash: string): Promise<SignedIn | undefined> {
  const token = await findToken(db, secretHash)
  if (!token) return undefined
  const { userName: name, account, id, permissions, lastUseTime, expireTime } = token
  const ends = expireTime === null ? {} : { expireTime }
  const subject: Subject = { id: account, name, kind: 'token', permissions, credentialId: id, ...ends }
  return { subject, kind: 'token', id, lastUseTime, expireTime }
}

function counts({ kind, lastUseTime, expireTime }: SignedIn, now: string): boolean {
  if (kind === 'session') return isLive({ lastUseTime: lastUseTime ?? '', expireTime: expireTime ?? '' }, now)
  return expireTime === null || now < expireTime
}

const isUnnoticed = ({ lastUseTime }: SignedIn, now: string) => lastUseTime === null || isTouchDue(lastUseTime, now)

async function find(db: Db, secretHash: string, token: boolean, now: string, passive: boolean) {
  const found = await (token ? byToken(db, secretHash) : bySession(db, secretHash))
  if (!found || !counts(found, now)) return undefined
  if (passive || !isUnnoticed(found, now)) return found
  await (token ? touchToken : touchSession)(db, found.id, now)
  return { ...found, lastUseTime: now }
}

/** What is looked up: the hash of the secret; undefined for what cannot be a token. */
function hashOf({ session, token }: Credential): string | undefined {
  if (token === undefined) return hashSecret(session ?? '')
  return token.startsWith(TOKEN_PREFIX) ? hashSecret(token) : undefined
}

const instant = () => new Date().toISOString()

/** For createServer: who a session cookie or a token stands for, asked of the store at each request. */
export const authenticator =
  ({ db, now = instant }: { db: Db; now?: () => string }): Authenticate =>
  async (credential, { passive }) => {
    const secretHash = hashOf(credential)
    if (secretHash === undefined) return undefined
    return (await find(db, secretHash, credential.token !== undefined, now(), passive))?.subject
  }

// Were a notification lost, what was revoked would live on this long.
const REMEMBERED_MS = 1_000
const MOST = 10_000

/** Who is signed in, remembered for a second between two looks at the store. */
export interface SignIns {
  /** For createServer. */
  authenticate: Authenticate
  /** Nobody is remembered any more: call it after revoking, before the answer. */
  forget(): void
  close(): void
}

interface Remembered {
  found: Promise<SignedIn | undefined>
  askTimeMs: number
}

/**
 * Remembers for a second whom the store has found, so that thousands of requests a second ask it once. What is revoked
 * is forgotten before the one who revoked it has the answer, in other processes by a notification of the store.
 */
export function openSignIns({
  db,
  listen,
  now = instant,
}: Pick<Store, 'db' | 'listen'> & { now?: () => string }): SignIns {
  const remembered = new Map<string, Remembered>()
  const forget = () => remembered.clear()

  function look(secretHash: string, token: boolean, at: string, passive: boolean): Promise<SignedIn | undefined> {
    const one = { found: find(db, secretHash, token, at, passive), askTimeMs: Date.parse(at) }
    // The longest remembered goes first; whoever has been forgotten meanwhile is asked for again by the next request.
    for (const oldest of remembered.size >= MOST ? remembered.keys() : []) {
      remembered.delete(oldest)
      break
    }
    remembered.delete(secretHash)
    remembered.set(secretHash, one)
    // Nobody is remembered as a stranger: guesses would push out those who are signed in.
    const drop = () => remembered.get(secretHash) === one && remembered.delete(secretHash)
    one.found.then((found) => found ?? drop(), drop)
    return one.found
  }

  async function authenticate(credential: Credential, { passive }: { passive: boolean }) {
    const secretHash = hashOf(credential)
    if (secretHash === undefined) return undefined
    const at = now()
    const token = credential.token !== undefined
    const known = remembered.get(secretHash)
    // A clock that is set back makes nobody live longer.
    if (known && Math.abs(Date.parse(at) - known.askTimeMs) < REMEMBERED_MS) {
      const found = await known.found
      if (remembered.get(secretHash) === known && found && counts(found, at) && (passive || !isUnnoticed(found, at))) {
        return found.subject
      }
    }
    return (await look(secretHash, token, at, passive))?.subject
  }
  const stop = listen(revokedChannel, forget)
  return { authenticate, forget, close: stop }
}
