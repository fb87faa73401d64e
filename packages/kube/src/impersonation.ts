import { clusterForbidden } from '@quarterdeck/kernel'

/** Somebody as an API server knows them. The API server adds the group system:authenticated. */
export interface ClusterIdentity {
  /** `quarterdeck:user:NAME` */
  user: string
  /** Absent: of who is no person. */
  uid?: string
  /** `quarterdeck:group:NAME` */
  groups: readonly string[]
}

/** The ServiceAccount that may act as others, and may nothing else. */
export const IMPERSONATOR = { namespace: 'quarterdeck-system', name: 'quarterdeck-impersonator' } as const

/** By header name, one line for each value. */
export type IdentityHeaders = Record<string, string | string[]>

// Whatever else an API server knows – system:masters, users of other sources – is never sent.
const PREFIX = 'quarterdeck:'
const LONGEST_NAME = 500
const MOST_GROUPS = 1_000
// Controls, what changes the direction of writing, what cannot be seen, and halves of characters.
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}]/u

/** The headers that make a request somebody's. Throws clusterForbidden for an identity that cannot be sent. */
export function identityHeaders({ user, uid, groups }: ClusterIdentity): IdentityHeaders {
  if (groups.length > MOST_GROUPS) {
    throw refused(`belongs to ${groups.length} groups, and an API server is told of at most ${MOST_GROUPS}`)
  }
  return {
    'impersonate-user': named(user, 'name'),
    ...(uid === undefined ? {} : { 'impersonate-uid': sent(uid, 'id') }),
    // An empty list sends no line at all.
    'impersonate-group': groups.map((group) => named(group, 'group')),
  }
}

function named(value: string, what: string): string {
  if (!value.startsWith(PREFIX) || value.length === PREFIX.length) {
    throw refused(`has a ${what} without the prefix ${PREFIX}: ${JSON.stringify(value.slice(0, 200))}`)
  }
  return sent(value, what)
}

/** API servers read header values as UTF-8, and compare bytes. */
function sent(value: string, what: string): string {
  if (value === '' || value.length > LONGEST_NAME || value !== value.trim() || UNSEEN.test(value)) {
    throw refused(
      `has a ${what} with characters that cannot be seen, or more than ${LONGEST_NAME}: ${JSON.stringify(value.slice(0, 200))}`,
    )
  }
  return Buffer.from(value, 'utf8').toString('latin1')
}

const refused = (why: string) =>
  clusterForbidden({ detail: `Whoever asks cannot be named to a cluster, since it ${why}. Rename the user or group.` })
