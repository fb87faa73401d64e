import { endpoint, Name, problemType, Scope, Time } from '@quarterdeck/kernel'
import { z } from 'zod'

const PermissionText = z
  .string()
  .max(100)
  .regex(/^(\*|[a-z][a-zA-Z-]*\.[a-z][a-zA-Z-]*)$/, 'A permission such as application.list, or * for all of mine')
const Within = Scope.refine(
  (scope) => Object.values(scope).filter((name) => name !== undefined).length === 1,
  'Exactly one of tenant, project and environment',
).describe('The token counts in this tenant, project or environment only')
const Source = z
  .union([z.cidrv4(), z.cidrv6(), z.ipv4(), z.ipv6()], 'An address or a network, as 10.1.0.0/16 or 2001:db8::/32')
  .describe('IPv4 or IPv6, an address or a network in CIDR form')

/** A credential for qd and scripts, sent as Authorization: Bearer. Its secret is shown once. */
export const Token = z.object({
  id: z.uuid(),
  name: Name,
  permissions: z.array(z.string()),
  within: Scope.optional().describe('Absent: wherever its owner may'),
  sources: z.array(z.string()).describe('Networks that it may be used from; empty: any'),
  createTime: Time,
  lastUseTime: Time.optional().describe('To the minute; absent: never used'),
  lastPeer: z.string().optional().describe('Network address that it was last used from'),
  expireTime: Time.optional().describe('Absent: valid until it is revoked'),
  current: z.boolean().describe('The one that asks'),
})
export type Token = z.infer<typeof Token>

export const tokenNameTaken = problemType('token-name-taken', 409, 'There is a token of that name')
export const tokenTooBroad = problemType('token-too-broad', 403, 'A token cannot make one that reaches further')
export const notMachine = problemType('not-machine', 409, 'Only machine accounts have tokens that others make')

const TokenBody = z.strictObject({
  name: Name,
  permissions: z.array(PermissionText).min(1).max(200).optional().describe('Absent: all that its owner has'),
  within: Within.optional().describe('Absent: wherever its owner may, or the token that makes it counts'),
  sources: z
    .array(Source)
    .min(1)
    .max(50)
    .optional()
    .describe('Absent: from anywhere, or where the token that makes it counts from'),
  expireTime: Time.optional().describe('Absent: until it is revoked, or the token that makes it ends'),
})
const MadeToken = Token.extend({ secret: z.string().describe('Begins with qd_') })
const UserName = z.string().min(1).max(63).describe('User name')
const TokenRef = z.union([z.uuid(), Name]).describe('Id or name of a token')

export const createToken = endpoint({
  id: 'token.create',
  method: 'POST',
  path: '/tokens',
  permission: 'self',
  summary: 'Make a token; its secret is in this answer and nowhere else',
  body: TokenBody,
  response: MadeToken,
  status: 201,
  problems: [tokenNameTaken, tokenTooBroad],
})
export const listTokens = endpoint({
  id: 'token.list',
  method: 'GET',
  path: '/tokens',
  permission: 'self',
  summary: 'My tokens, newest first',
  response: z.object({ items: z.array(Token) }),
})
export const deleteToken = endpoint({
  id: 'token.delete',
  method: 'DELETE',
  path: '/tokens/:token',
  permission: 'self',
  summary: 'Revoke a token of mine, by id or name; what it has open closes within five seconds',
  params: z.object({ token: TokenRef }),
  response: z.null(),
})
export const createUserToken = endpoint({
  id: 'token.create-for-user',
  method: 'POST',
  path: '/users/:user/tokens',
  permission: 'user.create',
  summary: 'Make a token of a machine account; its secret is in this answer and nowhere else',
  params: z.object({ user: UserName }),
  body: TokenBody,
  response: MadeToken,
  status: 201,
  problems: [tokenNameTaken, tokenTooBroad, notMachine],
})
export const listUserTokens = endpoint({
  id: 'token.list-of-user',
  method: 'GET',
  path: '/users/:user/tokens',
  permission: 'credential.list',
  summary: 'Tokens of a user or machine account, newest first',
  params: z.object({ user: UserName }),
  response: z.object({ items: z.array(Token) }),
})
export const deleteUserToken = endpoint({
  id: 'token.delete-of-user',
  method: 'DELETE',
  path: '/users/:user/tokens/:token',
  permission: 'credential.revoke',
  summary: 'Revoke a token of a user or machine account; what it has open closes within five seconds',
  params: z.object({ user: UserName, token: TokenRef }),
  response: z.null(),
})
