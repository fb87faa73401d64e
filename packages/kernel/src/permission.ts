import { z } from 'zod'

/**
 * A permission is an intention, `noun.verb`. `anonymous` marks an endpoint that needs no sign-in, `self` one that
 * every signed-in subject has for its own things.
 */
export type Permission = `${Lowercase<string>}.${string}` | 'anonymous' | 'self'

/**
 * Where a permission is asked for: an environment, a project or a tenant, by name; none of them: the platform as a
 * whole. What is granted at a place counts at every place within it.
 */
export const Scope = z.strictObject({
  tenant: z.string().optional(),
  project: z.string().optional(),
  environment: z.string().optional(),
})
export type Scope = z.infer<typeof Scope>

/** Who acts. */
export const Subject = z.object({
  /** Of the user or machine account: stays with it and is never given again. Absent: the platform itself. */
  id: z.string().optional(),
  name: z.string().describe('User name'),
  kind: z.enum(['user', 'token']),
  /** What the credential carries, of what its owner may: `*` or permissions. */
  permissions: z.array(z.string()),
  /** Where the credential counts; absent: wherever its owner may. */
  within: Scope.optional(),
  /** Session id or token id; absent for the platform itself. */
  credentialId: z.string().optional(),
  /** When the credential ends at the latest; absent: not by itself. RFC 3339. */
  expireTime: z.string().optional(),
  /** When a one-time password was last given in this session. RFC 3339. */
  verifyTime: z.string().optional(),
})
export type Subject = z.infer<typeof Subject>

/** True when the credential carries the permission; whether its owner has it is the authority's matter. */
export const permits = (subject: Subject | undefined, permission: Permission): boolean =>
  permission === 'anonymous' ||
  (subject !== undefined &&
    (permission === 'self' || subject.permissions.includes('*') || subject.permissions.includes(permission)))

/** Who may do what, worked out of grants. Every answer is of this moment and takes microseconds. */
export interface Authority {
  /** True when the credential carries the permission and its owner has been granted it there or further up. */
  may(subject: Subject, permission: Permission, scope: Scope): boolean
  /** True when it is so at one place at least. */
  somewhere(subject: Subject, permission: Permission): boolean
  /** Why not, as a sentence, and who could grant it: names of users, the nearest first. */
  denial(subject: Subject, permission: Permission, scope: Scope): { detail: string; grantedBy: string[] }
}

/** Nobody grants anything: what the credential carries is what its owner may, everywhere. For tests. */
export const CREDENTIALS_ALONE: Authority = {
  may: permits,
  somewhere: permits,
  denial: ({ kind }, permission) => ({
    detail:
      kind === 'token'
        ? `This token does not carry ${permission}. Use one that does; an administrator can grant it.`
        : `You do not have ${permission}. An administrator can grant it.`,
    grantedBy: [],
  }),
}
