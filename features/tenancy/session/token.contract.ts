import { endpoint, Name, problemType, Time } from '@quarterdeck/kernel'
import { z } from 'zod'

const PermissionText = z
  .string()
  .max(100)
  .regex(/^(\*|[a-z][a-zA-Z-]*\.[a-z][a-zA-Z-]*)$/, 'A permission such as application.list, or * for all of mine')

/** A credential for qd and scripts, sent as Authorization: Bearer. Its secret is shown once. */
export const Token = z.object({
  id: z.uuid(),
  name: Name,
  permissions: z.array(z.string()),
  createTime: Time,
  lastUseTime: Time.optional().describe('To the minute; absent: never used'),
  expireTime: Time.optional().describe('Absent: valid until it is revoked'),
  current: z.boolean().describe('The one that asks'),
})
export type Token = z.infer<typeof Token>

export const tokenNameTaken = problemType('token-name-taken', 409, 'You have a token of that name')
export const tokenTooBroad = problemType('token-too-broad', 403, 'A token cannot make one that reaches further')

export const createToken = endpoint({
  id: 'token.create',
  method: 'POST',
  path: '/tokens',
  permission: 'self',
  summary: 'Make a token; its secret is in this answer and nowhere else',
  body: z.strictObject({
    name: Name,
    permissions: z.array(PermissionText).min(1).max(200).optional().describe('Absent: all that I have myself'),
    expireTime: Time.optional().describe('Absent: valid until it is revoked'),
  }),
  response: Token.extend({ secret: z.string().describe('Begins with qd_') }),
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
  params: z.object({ token: z.union([z.uuid(), Name]) }),
  response: z.null(),
})
