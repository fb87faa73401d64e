import { endpoint, problemType, Time } from '@quarterdeck/kernel'
import { z } from 'zod'

const UserName = z.string().min(1, 'Give a user name').max(63).describe('User name')
const Password = z.string().min(1, 'Give a password').max(200, 'At most 200 characters')

/** Who is signed in, with what, and what that allows. */
export const SignIn = z.object({
  id: z.uuid().optional().describe('Of the account: given once and never again'),
  user: UserName,
  title: z.string().optional().describe('As people say it'),
  groups: z.array(z.string()).describe('Names of the groups that the user belongs to'),
  source: z.string().describe('local, or the sign-in provider that the user comes from'),
  kind: z.enum(['user', 'token']).describe('user: a session in a browser; token: a token of qd or a script'),
  permissions: z.array(z.string()).describe('What it may do somewhere at least'),
  expireTime: Time.optional().describe('Absent: does not end by itself'),
})
export type SignIn = z.infer<typeof SignIn>

/** One signed-in browser. Source of truth: PostgreSQL, by the hash of the cookie's value. */
export const Session = z.object({
  id: z.uuid(),
  createTime: Time,
  lastUseTime: Time.describe('To the minute'),
  expireTime: Time.describe('Ends then at the latest, and earlier when unused for two hours'),
  verifyTime: Time.optional().describe('When a one-time password was last given in it'),
  peer: z.string().describe('Network address that signed in'),
  client: z.string().describe('What the browser called itself'),
  current: z.boolean().describe('The one that asks'),
})
export type Session = z.infer<typeof Session>

export const wrongPassword = problemType('wrong-password', 401, 'User name or password is wrong')

export const createSession = endpoint({
  id: 'session.create',
  method: 'POST',
  path: '/session',
  permission: 'anonymous',
  summary: 'Sign in with user name and password; sets the session cookie',
  body: z.strictObject({
    user: UserName,
    password: Password,
    provider: z
      .string()
      .min(1)
      .max(63)
      .optional()
      .describe('The directory that knows the password; absent: Quarterdeck itself'),
  }),
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
export const listUserSessions = endpoint({
  id: 'session.list-of-user',
  method: 'GET',
  path: '/users/:user/sessions',
  permission: 'credential.list',
  summary: 'Sessions of a user, newest first',
  params: z.object({ user: UserName }),
  response: z.object({ items: z.array(Session) }),
})
export const revokeUserSession = endpoint({
  id: 'session.revoke-of-user',
  method: 'DELETE',
  path: '/users/:user/sessions/:session',
  permission: 'credential.revoke',
  summary: 'End a session of a user; what it has open closes within five seconds',
  params: z.object({ user: UserName, session: z.uuid() }),
  response: z.null(),
})
