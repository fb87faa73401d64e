import { type AnyEndpoint, type AuditEntry, permissionMissing, type Subject } from '@quarterdeck/kernel'

/** The one local user there is until directories are connected. */
export const ADMINISTRATOR = 'admin'

/** A session ends this long after signing in, used or not. A working day and a bit. */
export const ABSOLUTE_SECONDS = 12 * 3_600
/** A session ends when it was not used for this long. */
export const IDLE_SECONDS = 2 * 3_600
/** `lastUseTime` is written at most this often. */
export const TOUCH_SECONDS = 60

const plus = (time: string, seconds: number) => new Date(Date.parse(time) + seconds * 1_000).toISOString()

/** When a session that begins now ends at the latest. */
export const expireTimeFrom = (now: string): string => plus(now, ABSOLUTE_SECONDS)

/** Whether a session still counts at `now`. */
export const isLive = (session: { lastUseTime: string; expireTime: string }, now: string): boolean =>
  now < session.expireTime && now < plus(session.lastUseTime, IDLE_SECONDS)

/** Whether `lastUseTime` is old enough to be written again. */
export const isTouchDue = (lastUseTime: string, now: string): boolean => now >= plus(lastUseTime, TOUCH_SECONDS)

// What is tried first: the top of published lists, and this product's own words. NIST SP 800-63B §3.1.1.2.
const COMMON = new Set(
  `password passw0rd password1 password123 p@ssw0rd p@ssword 12345678 123456789 1234567890 87654321 11111111 00000000
  qwertyui qwertyuiop qwerty123 1q2w3e4r 1qaz2wsx asdfghjk asdfghjkl zxcvbnm1 abcd1234 abc12345 a1b2c3d4 iloveyou
  sunshine princess football baseball superman trustno1 welcome1 welcome123 letmein1 changeme changeit default1
  admin123 admin1234 administrator adminadmin root1234 rootroot secret123 computer internet whatever starwars
  quarterdeck kubernetes kubernetes1 quarterdeck1 woaini1314 5201314520 qq123456 aa123456 a12345678 88888888 66666666`
    .split(/\s+/)
    .map((word) => word.toLowerCase()),
)

/** Why this password is not accepted, as a sentence; undefined when it is. Length is the schema's matter. */
export function passwordRefusal(password: string, user: string): string | undefined {
  const plain = password.normalize('NFKC').toLowerCase()
  if (new Set(plain).size <= 2) return 'One or two characters repeated are guessed at once; choose another'
  if (COMMON.has(plain)) return 'This is among the passwords that everybody tries first; choose another'
  if (plain.replace(/[^a-z]/g, '') === user.toLowerCase()) return 'It is the user name with ornaments; choose another'
  return undefined
}

/** A line of the audit trail for what has been done. */
export const done = ({ id: act }: AnyEndpoint, actor: string, what: string, detail = ''): AuditEntry => ({
  actor,
  act,
  what,
  outcome: 'succeeded',
  detail,
})

/**
 * Throws permissionMissing for a limited token: sessions, tokens and the password belong to the whole user, and a part
 * must not reach the whole through them.
 */
export function requireWholeUser(subject: Subject): void {
  if (subject.permissions.includes('*')) return
  throw permissionMissing({
    permission: '*',
    detail: 'A token with limited permissions cannot manage sessions or passwords; sign in for that',
  })
}
