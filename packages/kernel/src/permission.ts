import { z } from 'zod'

/**
 * A permission is an intention, `noun.verb`. `anonymous` marks an endpoint that needs no sign-in, `self` one that
 * every signed-in subject has for its own things.
 */
export type Permission = `${Lowercase<string>}.${string}` | 'anonymous' | 'self'

/** Where a permission is asked for; absent members mean the platform as a whole. */
export interface Scope {
  cluster?: string
  environment?: string
}

/** Who acts. `permissions` holds `*` or the permissions that the credential carries. */
export const Subject = z.object({
  name: z.string().describe('User name'),
  kind: z.enum(['user', 'token']),
  permissions: z.array(z.string()),
  /** Session id or token id; absent for the platform itself. */
  credentialId: z.string().optional(),
  /** When the credential ends at the latest; absent: not by itself. RFC 3339. */
  expireTime: z.string().optional(),
})
export type Subject = z.infer<typeof Subject>

/** True when the subject's credential carries the permission. Scopes bind once roles exist (issue 5). */
export const permits = (subject: Subject | undefined, permission: Permission): boolean =>
  permission === 'anonymous' ||
  (subject !== undefined &&
    (permission === 'self' || subject.permissions.includes('*') || subject.permissions.includes(permission)))
