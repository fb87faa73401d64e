import { permissionMissing, type Subject } from '@quarterdeck/kernel'

/** What is recorded of a sign-in past the sign-in providers: whoever watches for it needs a name of its own. */
export const LOCAL_SIGN_IN = 'session.create-local'

/** A session ends this long after signing in, used or not. A working day and a bit. */
export const ABSOLUTE_SECONDS = 12 * 3_600
/** A session ends when it was not used for this long. */
export const IDLE_SECONDS = 2 * 3_600
/** `lastUseTime` is written at most this often. */
export const TOUCH_SECONDS = 60
/** So many sessions a user has at once; another ends the one that was unused for longest. */
export const MOST_SESSIONS = 20

const plus = (time: string, seconds: number) => new Date(Date.parse(time) + seconds * 1_000).toISOString()

/** When a session that begins now ends at the latest. */
export const expireTimeFrom = (now: string): string => plus(now, ABSOLUTE_SECONDS)

/** Whether a session still counts at `now`. */
export const isLive = (session: { lastUseTime: string; expireTime: string }, now: string): boolean =>
  now < session.expireTime && now < plus(session.lastUseTime, IDLE_SECONDS)

/** Whether `lastUseTime` is old enough to be written again. */
export const isTouchDue = (lastUseTime: string, now: string): boolean => now >= plus(lastUseTime, TOUCH_SECONDS)

/**
 * Throws permissionMissing for a limited token: sessions, tokens and the password belong to the whole user, and a part
 * must not reach the whole through them.
 */
export function requireWholeUser(subject: Subject): void {
  if (subject.permissions.includes('*') && subject.within === undefined) return
  throw permissionMissing({
    permission: '*',
    detail: 'A token with limited permissions cannot manage sessions or passwords; sign in for that',
  })
}
