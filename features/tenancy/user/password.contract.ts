import { endpoint, problemType, Time } from '@quarterdeck/kernel'
import { z } from 'zod'
import { SignIn, wrongPassword } from '../session/session.contract.ts'

const Password = z.string().min(1, 'Give a password').max(200, 'At most 200 characters')
/** A password that is chosen. Length in characters, as people count them. */
export const NewPassword = z
  .string()
  .max(200, 'At most 200 characters')
  .refine(
    (password) => [...password].length >= 8,
    'At least 8 characters; a sentence is easier to remember than a word',
  )
  .describe('8 to 200 characters of any kind, not one that everybody tries first')
const LinkSecret = z.string().min(1).max(200).describe('What follows # in the link')

export const firstLinkUsed = problemType('first-link-used', 410, 'The one-time link has been used')
export const firstLinkUnknown = problemType('first-link-unknown', 403, 'This is not the one-time link')
export const passwordLinkUnknown = problemType('password-link-unknown', 403, 'This link is not valid')

export const createAdministrator = endpoint({
  id: 'administrator.create',
  method: 'POST',
  path: '/administrator',
  permission: 'anonymous',
  summary: 'Choose the password of the first administrator with the one-time link from the terminal; signs in',
  body: z.strictObject({ token: LinkSecret, password: NewPassword }),
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
/** A secret is sent in the body: addresses are written into logs. */
export const findPasswordLink = endpoint({
  id: 'password-link.find',
  method: 'POST',
  path: '/password-link/find',
  permission: 'anonymous',
  summary: 'For whom a link to choose a password is, and until when it is valid',
  body: z.strictObject({ token: LinkSecret }),
  response: z.object({ user: z.string(), title: z.string().optional(), expireTime: Time }),
  problems: [passwordLinkUnknown],
})
export const choosePassword = endpoint({
  id: 'password.choose',
  method: 'POST',
  path: '/password-link',
  permission: 'anonymous',
  summary: 'Choose the password with a link; ends older sessions, revokes tokens and signs in',
  body: z.strictObject({ token: LinkSecret, password: NewPassword }),
  response: SignIn,
  status: 201,
  problems: [passwordLinkUnknown],
})
