import { endpoint, problemType, Time } from '@quarterdeck/kernel'
import { z } from 'zod'

/** What somebody types: `WDJB-MJHT`, in any case, with or without the hyphen. */
const Code = z
  .string()
  .max(20)
  .transform((text) => text.toUpperCase().replace(/[^A-Z]/g, ''))
  .pipe(z.string().length(8, 'Eight letters, as qd login shows them'))
  .describe('The code that qd login shows, as WDJB-MJHT')

/** A `qd login` that waits for somebody to say yes in a browser. */
export const DeviceLogin = z.object({
  client: z.string().describe('What asks calls itself'),
  peer: z.string().describe('Network address that asks'),
  here: z.boolean().describe('Whether it asks from the same address as you'),
  days: z.int().describe('How long the token will be valid'),
  createTime: Time,
  expireTime: Time.describe('The code is no longer good then'),
})
export type DeviceLogin = z.infer<typeof DeviceLogin>

export const deviceCodeUnknown = problemType('device-code-unknown', 404, 'This code is not valid')
export const deviceLoginRefused = problemType('device-login-refused', 403, 'The sign-in was refused or is too old')

export const startDeviceLogin = endpoint({
  id: 'device-login.start',
  method: 'POST',
  path: '/device-login',
  permission: 'anonymous',
  summary: 'Begin to sign in where there is no browser; answers a code to confirm in one',
  body: z.strictObject({
    machine: z
      .string()
      .trim()
      .min(1)
      .max(63)
      .regex(/^[^\p{Cc}\p{Cf}]+$/u, 'No control characters')
      .describe('Name of the machine that asks'),
    days: z.int().min(1).max(90).default(30).describe('How long the token is to be valid'),
  }),
  response: z.object({
    secret: z.string().describe('For asking whether somebody has said yes; to be shown to nobody'),
    code: z.string().describe('To be typed into the page'),
    url: z.string().describe('The page'),
    expireTime: Time,
    intervalSeconds: z.int().describe('Ask not more often'),
  }),
  status: 201,
})
export const finishDeviceLogin = endpoint({
  id: 'device-login.finish',
  method: 'POST',
  path: '/device-login/token',
  permission: 'anonymous',
  summary: 'The token, once somebody has said yes; once',
  body: z.strictObject({ secret: z.string().min(1).max(200) }),
  response: z.discriminatedUnion('state', [
    z.object({ state: z.literal('waiting') }),
    z.object({
      state: z.literal('confirmed'),
      user: z.string(),
      token: z.string().describe('Name of the token'),
      secret: z.string().describe('Begins with qd_'),
      expireTime: Time,
    }),
  ]),
  problems: [deviceLoginRefused],
})
/** Codes are sent in bodies: addresses are written into logs. */
export const findDeviceLogin = endpoint({
  id: 'device-login.find',
  method: 'POST',
  path: '/device-login/find',
  permission: 'self',
  summary: 'What asks with this code, from where and since when',
  body: z.strictObject({ code: Code }),
  response: DeviceLogin,
  problems: [deviceCodeUnknown],
})
export const answerDeviceLogin = endpoint({
  id: 'device-login.answer',
  method: 'POST',
  path: '/device-login/answer',
  permission: 'self',
  summary: 'Let what asks with this code act as me, or refuse it; a code is good for one answer',
  body: z.strictObject({ code: Code, confirm: z.boolean() }),
  response: z.null(),
  problems: [deviceCodeUnknown],
})
