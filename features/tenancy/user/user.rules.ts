import type { User } from './user.contract.ts'

/** What decides the state of an account. */
export interface AccountFacts {
  kind: User['kind']
  source: string
  disableTime: string | null
  hasPassword: boolean
}

/** The first user, made with the link that the terminal prints. */
export const ADMINISTRATOR = 'admin'

/** A user whose password is kept here is invited until it has been chosen. */
export function stateOf({ kind, source, disableTime, hasPassword }: AccountFacts): User['state'] {
  if (disableTime !== null) return 'disabled'
  return kind === 'user' && source === 'local' && !hasPassword ? 'invited' : 'active'
}

/** The sentence of the audit trail for what is changed: `title, disabled`. */
export const changeText = (change: object): string => Object.keys(change).join(', ')
