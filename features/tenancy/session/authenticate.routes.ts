import { type Authenticate, type Credential, createRateLimit, hashSecret } from '@quarterdeck/http'
import type { AuditEntry, Subject } from '@quarterdeck/kernel'
import type { Db, Store } from '@quarterdeck/store'
import { isLive, isTouchDue } from './session.rules.ts'
import { findSession, revokedChannel, touchSession } from './session.store.ts'
import { isFrom } from './source.routes.ts'
import { TOKEN_PREFIX } from './token.rules.ts'
import { findToken, touchToken } from './token.store.ts'

/** Somebody who is signed in, as the store has it. */
interface SignedIn {
  subject: Subject
  kind: 'session' | 'token'
  id: string
  /** Of a token. */
  name: string
  lastUseTime: string | null
  expireTime: string | null
  sources: readonly string[]
}

async function bySession(db: Db, secretHash: string): Promise<SignedIn | undefined> {
  const session = await findSession(db, secretHash)
  if (!session) return undefined
  const { userName: name, account, id, lastUseTime, expireTime, verifyTime } = session
  const verified = verifyTime === null ? {} : { verifyTime }
  const subject: Subject = {
    id: account,
    name,
    kind: 'user',
    permissions: ['*'],
    credentialId: id,
    expireTime,
    ...verified,
  }
  return { subject, kind: 'session', id, name: '', lastUseTime, expireTime, sources: [] }
}

async function byToken(db: Db, secretHash: string): Promise<SignedIn | undefined> {
  const token = await findToken(db, secretHash)
  if (!token) return undefined
  const { userName, account, id, permissions, within, lastUseTime, expireTime, verifyTime } = token
  const limits = {
    ...(expireTime === null ? {} : { expireTime }),
    ...(within === null ? {} : { within }),
    ...(verifyTime === null ? {} : { verifyTime }),
  }
  const subject: Subject = { id: account, name: userName, kind: 'token', permissions, credentialId: id, ...limits }
  return { subject, kind: 'token', id, name: token.name, lastUseTime, expireTime, sources: token.sources }
}

function counts({ kind, lastUseTime, expireTime }: SignedIn, now: string): boolean {
  if (kind === 'session') return isLive({ lastUseTime: lastUseTime ?? '', expireTime: expireTime ?? '' }, now)
  return expireTime === null || now < expireTime
}

const isUnnoticed = ({ lastUseTime }: SignedIn, now: string) => lastUseTime === null || isTouchDue(lastUseTime, now)

/** How somebody asks. */
interface Asking {
  passive: boolean
  peer: string
  now: string
}

async function find(db: Db, secretHash: string, token: boolean, { passive, peer, now }: Asking) {
  const found = await (token ? byToken(db, secretHash) : bySession(db, secretHash))
  if (!found || !counts(found, now)) return undefined
  // What is refused for its address is not used.
  if (passive || !isUnnoticed(found, now) || !isFrom(found.sources, peer)) return found
  await (token ? touchToken(db, found.id, now, peer) : touchSession(db, found.id, now))
  return { ...found, lastUseTime: now }
}

/** What is looked up: the hash of the secret; undefined for what cannot be a token. */
function hashOf({ session, token }: Credential): string | undefined {
  if (token === undefined) return hashSecret(session ?? '')
  return token.startsWith(TOKEN_PREFIX) ? hashSecret(token) : undefined
}

const instant = () => new Date().toISOString()

/** Writes to the audit trail that a token came from where it does not count. */
export type RecordForeign = (entry: AuditEntry) => Promise<unknown>

/** The subject when it may come from there. Once a minute for a token and an address the trail gets a line when not. */
function fromWhere(record: RecordForeign) {
  const lines = createRateLimit({ burst: 1, perSecond: 1 / 60 })
  return async ({ subject, id, name, sources }: SignedIn, peer: string): Promise<Subject | undefined> => {
    if (isFrom(sources, peer)) return subject
    if (lines.take(`${id} ${peer}`) === 0) {
      const detail = `From ${peer}; it counts from ${sources.join(', ')} only`
      const what = `token ${name} of ${subject.name}`
      await record({ actor: subject.name, act: 'token.use', what, outcome: 'failed', detail })
    }
    return undefined
  }
}
const nobodyIsTold = async () => undefined

/** For createServer: who a session cookie or a token stands for, asked of the store at each request. */
export function authenticator({
  db,
  now = instant,
  record = nobodyIsTold,
}: {
  db: Db
  now?: () => string
  record?: RecordForeign
}): Authenticate {
  const subjectFrom = fromWhere(record)
  return async (credential, { passive, peer }) => {
    const secretHash = hashOf(credential)
    if (secretHash === undefined) return undefined
    const found = await find(db, secretHash, credential.token !== undefined, { passive, peer, now: now() })
    return found && subjectFrom(found, peer)
  }
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
  record = nobodyIsTold,
}: Pick<Store, 'db' | 'listen'> & { now?: () => string; record?: RecordForeign }): SignIns {
  const remembered = new Map<string, Remembered>()
  const forget = () => remembered.clear()
  const subjectFrom = fromWhere(record)

  function look(secretHash: string, token: boolean, asking: Asking): Promise<SignedIn | undefined> {
    const one = { found: find(db, secretHash, token, asking), askTimeMs: Date.parse(asking.now) }
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

  async function authenticate(credential: Credential, { passive, peer }: { passive: boolean; peer: string }) {
    const secretHash = hashOf(credential)
    if (secretHash === undefined) return undefined
    const at = now()
    const token = credential.token !== undefined
    const known = remembered.get(secretHash)
    // A clock that is set back makes nobody live longer.
    if (known && Math.abs(Date.parse(at) - known.askTimeMs) < REMEMBERED_MS) {
      const found = await known.found
      if (remembered.get(secretHash) === known && found && counts(found, at) && (passive || !isUnnoticed(found, at))) {
        return subjectFrom(found, peer)
      }
    }
    const found = await look(secretHash, token, { passive, peer, now: at })
    return found && subjectFrom(found, peer)
  }
  const stop = listen(revokedChannel, forget)
  return { authenticate, forget, close: stop }
}
