import { endpoint, problemType, Time } from '@quarterdeck/kernel'
import { z } from 'zod'
import { Stage } from '../environment/environment.contract.ts'
import { reachesFurther } from '../user/user.contract.ts'

/** A one-time password of RFC 6238, or a recovery code. Spaces and hyphens are for people. */
export const Code = z
  .string()
  .max(100)
  .transform((typed) => typed.replace(/[\s-]/g, '').toUpperCase())
  .pipe(
    z
      .string()
      .regex(/^([0-9]{6}|[A-Z2-7]{16})$/, 'Six digits from your authenticator, or a recovery code of 16 letters'),
  )
  .describe('Six digits, or a recovery code')

/** Whether the one who asks has a one-time password, and when a code was last given with this sign-in. */
export const Verification = z.object({
  enrolled: z.boolean(),
  enrolTime: Time.optional(),
  recoveryCodesLeft: z.int().describe('0 when not enrolled'),
  verifyTime: Time.optional().describe('When a code was last given with this session or token'),
  needed: z.boolean().describe('true: nothing else is answered before a code is given'),
})
export type Verification = z.infer<typeof Verification>

/** What asks for a code, and how old the last one may be. What is left empty counts for all. */
export const OneTimeRule = z.strictObject({
  roles: z.array(z.string().min(1).max(63)).max(50).describe('Whoever has one of them somewhere; empty: everybody'),
  stages: z.array(Stage).max(4).describe('In environments of these stages; empty: anywhere'),
  acts: z
    .union([z.enum(['everything', 'changes']), z.array(z.string().max(100)).min(1, 'Choose an act').max(100)])
    .describe('everything, changes, or the permissions that acts ask for: container.exec'),
  maxAgeMinutes: z.int().min(1, 'At least one minute').max(720, 'At most twelve hours, as long as a session lasts'),
})
export type OneTimeRule = z.infer<typeof OneTimeRule>
const Rules = z.strictObject({ rules: z.array(OneTimeRule).max(50, 'At most 50 rules') })

export const wrongCode = problemType('wrong-code', 403, 'The code is wrong')
export const notEnrolled = problemType('not-enrolled', 409, 'There is no one-time password')
export const alreadyEnrolled = problemType('already-enrolled', 409, 'There is a one-time password already')
export const signInNotFresh = problemType('sign-in-not-fresh', 403, 'Give the password, or sign in again')

const RecoveryCodes = z.object({
  recoveryCodes: z.array(z.string()).describe('Each replaces one code, once; shown in this answer and nowhere else'),
})
const WithCode = z.strictObject({ code: Code })
const withCode = { body: WithCode, problems: [wrongCode, notEnrolled] }

export const getVerification = endpoint({
  id: 'session.verification',
  method: 'GET',
  path: '/session/verification',
  permission: 'self',
  summary: 'Whether I have a one-time password, and when I last gave a code',
  response: Verification,
})
export const verifySession = endpoint({
  id: 'session.verify',
  method: 'POST',
  path: '/session/verification',
  permission: 'self',
  summary: 'Give a code; counts for the session or token that asks',
  ...withCode,
  response: Verification,
})
export const enrolOneTimePassword = endpoint({
  id: 'one-time-password.enrol',
  method: 'POST',
  path: '/one-time-password',
  permission: 'self',
  summary: 'Begin a one-time password; counts once a code of it was given',
  body: z.strictObject({
    password: z
      .string()
      .min(1, 'Give a password')
      .max(200, 'At most 200 characters')
      .optional()
      .describe('Not needed within five minutes of signing in'),
  }),
  response: z.object({
    secret: z.string().describe('Base32, for typing; in this answer and nowhere else'),
    uri: z.string().describe('otpauth:// for a QR code'),
  }),
  status: 201,
  problems: [alreadyEnrolled, signInNotFresh],
})
export const confirmOneTimePassword = endpoint({
  id: 'one-time-password.confirm',
  method: 'POST',
  path: '/one-time-password/confirmation',
  permission: 'self',
  summary: 'Give the first code; from now on every session of mine asks for one',
  ...withCode,
  response: RecoveryCodes,
})
export const renewRecoveryCodes = endpoint({
  id: 'one-time-password.renew-recovery-codes',
  method: 'POST',
  path: '/one-time-password/recovery-codes',
  permission: 'self',
  summary: 'Ten new recovery codes in place of those there were',
  ...withCode,
  response: RecoveryCodes,
})
export const removeOneTimePassword = endpoint({
  id: 'one-time-password.remove',
  method: 'POST',
  path: '/one-time-password/removal',
  permission: 'self',
  summary: 'Remove my one-time password',
  ...withCode,
  response: z.null(),
})
export const resetOneTimePassword = endpoint({
  id: 'one-time-password.reset',
  method: 'DELETE',
  path: '/users/:user/one-time-password',
  permission: 'user.update',
  summary: 'Remove the one-time password of somebody who has lost it',
  params: z.object({ user: z.string().min(1).max(63) }),
  response: z.null(),
  problems: [notEnrolled, reachesFurther],
})
export const listOneTimeRules = endpoint({
  id: 'one-time-rule.list',
  method: 'GET',
  path: '/one-time-rules',
  permission: 'setting.update',
  summary: 'When a code is asked for',
  response: Rules,
})
export const setOneTimeRules = endpoint({
  id: 'one-time-rule.update',
  method: 'PUT',
  path: '/one-time-rules',
  permission: 'setting.update',
  summary: 'Set when a code is asked for, in place of all rules before',
  body: Rules,
  response: Rules,
})
