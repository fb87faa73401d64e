import { type Db, notify } from '@quarterdeck/store'

/** The one channel of all hints; a payload is `kind key`. */
export const hintChannel = 'quarterdeck_hint'

/**
 * Tells every replica, when `tx` commits, that there is work for this key. Only shortens the wait: a hint that is lost
 * is made up for by the next resync.
 */
export const hint = (tx: Db, kind: string, key: string): Promise<void> =>
  notify(tx, hintChannel, hintPayload(kind, key))

/** What is sent on the channel, for whoever tells it in a statement of its own. */
export const hintPayload = (kind: string, key: string): string => `${kind} ${key}`

/** The kind and key of a payload; a kind holds no space, a key may. */
export function parseHint(payload: string): { kind: string; key: string } | undefined {
  const space = payload.indexOf(' ')
  return space > 0 ? { kind: payload.slice(0, space), key: payload.slice(space + 1) } : undefined
}
