import { endpoint, problemType, Time } from '@quarterdeck/kernel'
import { z } from 'zod'

const UserName = z.string().min(1, 'Give a user name').max(63).describe('User name')
const Password = z.string().min(1, 'Give a password').max(200, 'At most 200 characters')
const NewPassword = z
  .string()
  .min(8, 'At least 8 characters; a sentence is easier to remember than a word')
  .max(200, 'At most 200 characters')
  .describe('8 to 200 characters of any kind, not one that everybody tries first')

/** Who is signed in, with what, and what that allows. */
export const SignIn = z.object({
  user: UserName,
  kind: z.enum(['user', 'token']).describe('user: a session in a browser; token: a token of qd or a script'),
  permissions: z.array(z.string()).describe('`*`: all'),
  expireTime: Time.optional().describe('Absent: does not end by itself'),
})
export type SignIn = z.infer<typeof SignIn>

/** One signed-in browser. Source of truth: PostgreSQL, by the hash of the cookie's value. */
export const Session = z.object({
  id: z.uuid(),
  createTime: Time,
  lastUseTime: Time.describe('To the minute'),
  expireTime: Time.describe('Ends then at the latest, and earlier when unused for two hours'),
  peer: z.string().describe('Network address that signed in'),
  client: z.string().describe('What the browser called itself'),
  current: z.boolean().describe('The one that asks'),
})
export type Session = z.infer<typeof Session>

export const wrongPassword = problemType('wrong-password', 401, 'User name or password is wrong')
export const firstLinkUsed = problemType('first-link-used', 410, 'The one-time link has been used')
export const firstLinkUnknown = problemType('first-link-unknown', 403, 'This is not the one-time link')

export const createSession = endpoint({
  id: 'session.create',
  method: 'POST',
  path: '/session',
  permission: 'anonymous',
  summary: 'Sign in with user name and password; sets the session cookie',
  body: z.strictObject({ user: UserName, password: Password }),
  response: SignIn,
  status: 201,
  problems: [wrongPassword],
})
export const getSession = endpoint({
  id: 'session.get',
  method: 'GET',
  path: '/session',
  permission: 'self',
  summary: 'Who is signed in and what that allows',
  response: SignIn,
})
export const deleteSession = endpoint({
  id: 'session.delete',
  method: 'DELETE',
  path: '/session',
  permission: 'self',
  summary: 'Sign out: ends the session, or the token, that asks',
  response: z.null(),
})
export const listSessions = endpoint({
  id: 'session.list',
  method: 'GET',
  path: '/sessions',
  permission: 'self',
  summary: 'My sessions, newest first',
  response: z.object({ items: z.array(Session) }),
})
export const revokeSession = endpoint({
  id: 'session.revoke',
  method: 'DELETE',
  path: '/sessions/:session',
  permission: 'self',
  summary: 'End a session of mine; what it has open closes within five seconds',
  params: z.object({ session: z.uuid() }),
  response: z.null(),
})
export const createAdministrator = endpoint({
  id: 'administrator.create',
  method: 'POST',
  path: '/administrator',
  permission: 'anonymous',
  summary: 'Choose the password of the first administrator with the one-time link from the terminal; signs in',
  body: z.strictObject({
    token: z.string().min(1).max(200).describe('What follows # in the link'),
    password: NewPassword,
  }),
  response: SignIn,
  status: 201,
  problems: [firstLinkUsed, firstLinkUnknown],
})
export const changePassword = endpoint({
  id: 'password.update',
  method: 'PUT',
  path: '/password',
  permission: 'self',
  summary: 'Change my password; ends my other sessions and revokes my other tokens',
  body: z.strictObject({
    currentPassword: Password,
    newPassword: NewPassword,
    keepTokens: z
      .boolean()
      .default(false)
      .describe('true: my tokens stay valid; only when nobody else knew the password'),
  }),
  response: z.null(),
  problems: [wrongPassword],
})
