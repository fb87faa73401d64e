import {
  type AnyEndpoint,
  codeRequired,
  type Permission,
  type Problem,
  type Scope,
  type Subject,
} from '@quarterdeck/kernel'
import type { Stage } from '../environment/environment.contract.ts'
import type { OneTimeRule } from './onetime.contract.ts'

/** RFC 6238 §5.2: what authenticators do. */
export const STEP_SECONDS = 30

/** How long after signing in the password need not be given again. */
export const FRESH_SECONDS = 5 * 60

export const RECOVERY_CODES = 10

// One step either side is told right by chance three times in a million. NIST SP 800-63B §3.2.2: at most 100 in a row.
const [FREE, FIRST, MANY, THEN] = [5, 30, 100, 3_600]

/** Seconds until the next code is looked at, after so many wrong ones in a row, the last of them at `wrongTime`. */
export function waitSeconds(wrongCodes: number, wrongTime: string | null, now: string): number {
  if (wrongCodes < FREE || wrongTime === null) return 0
  const passed = (Date.parse(now) - Date.parse(wrongTime)) / 1_000
  const pause = wrongCodes < MANY ? FIRST : THEN
  // A clock that was set back must not make the wait longer than the pause.
  return passed < 0 ? pause : Math.max(0, Math.ceil(pause - passed))
}

/** What decides whether a code is needed. */
export interface OneTimeFacts {
  accounts: ReadonlyMap<string, { kind: 'user' | 'machine'; enrolled: boolean; roles: ReadonlySet<string> }>
  stages: ReadonlyMap<string, Stage>
  /** Names of all roles. */
  roles: ReadonlySet<string>
  rules: readonly OneTimeRule[]
}

/** What is about to be done. */
export interface Act {
  endpoint: AnyEndpoint
  permission: Permission
  scope: Scope
}

/** What changes something though it is asked for with GET: a shell can do anything. */
const CHANGING: readonly Permission[] = ['container.exec']

const isChange = ({ endpoint, permission }: Act): boolean =>
  endpoint.change || endpoint.method !== 'GET' || CHANGING.includes(permission)

function isAbout(rule: OneTimeRule, act: Act, { stages }: OneTimeFacts): boolean {
  if (rule.acts === 'changes' ? !isChange(act) : rule.acts !== 'everything' && !rule.acts.includes(act.permission)) {
    return false
  }
  if (rule.stages.length === 0) return true
  const { environment } = act.scope
  if (environment === undefined) return false
  const stage = stages.get(environment)
  // One that was made this moment may be of any stage.
  return stage === undefined || rule.stages.includes(stage)
}

const ageMinutes = ({ verifyTime }: Subject, nowMs: number): number =>
  verifyTime === undefined ? Number.POSITIVE_INFINITY : Math.abs(nowMs - Date.parse(verifyTime)) / 60_000

/**
 * The problem that asks for a code, or undefined. Whoever is enrolled needs one in every session; rules ask for one of
 * people, not of machine accounts, and look at how old the last one is.
 */
export function stepUp(facts: OneTimeFacts, subject: Subject, act: Act, nowMs: number): Problem | undefined {
  if (subject.id === undefined) return undefined
  const account = facts.accounts.get(subject.id)
  if (account?.kind === 'machine') return undefined
  const enrolled = account?.enrolled ?? false
  const age = ageMinutes(subject, nowMs)
  if (enrolled && subject.kind === 'user' && age === Number.POSITIVE_INFINITY) {
    return codeRequired({ enrolled, detail: 'Give a one-time password: POST /session/verification, or qd otp verify' })
  }
  const asking = facts.rules.filter(
    (rule) =>
      age > rule.maxAgeMinutes &&
      isAbout(rule, act, facts) &&
      // Somebody who was made this moment may have any role.
      (rule.roles.length === 0 || !account || rule.roles.some((role) => account.roles.has(role))),
  )
  if (asking.length === 0) return undefined
  const maxAgeMinutes = Math.min(...asking.map((rule) => rule.maxAgeMinutes))
  const detail = enrolled
    ? `This asks for a one-time password that is not older than ${minutesText(maxAgeMinutes)}: POST /session/verification, or qd otp verify`
    : 'This asks for a one-time password and you have none yet: enrol on your account page, or with qd otp enroll'
  return codeRequired({ enrolled, maxAgeMinutes, detail })
}

const minutesText = (minutes: number): string => (minutes === 1 ? 'a minute' : `${minutes} minutes`)

/** `ABCD-EFGH-…`: groups of four. */
export const grouped = (code: string): string => code.match(/.{1,4}/g)?.join('-') ?? ''

/** Where rules name a role or a permission that there is not. */
export function unknownNames(
  rules: readonly OneTimeRule[],
  known: { roles: ReadonlySet<string>; permissions: readonly string[] },
): { pointer: string; detail: string }[] {
  return rules.flatMap(({ roles, acts }, at) => [
    ...roles.flatMap((role, index) =>
      known.roles.has(role)
        ? []
        : [
            {
              pointer: `/body/rules/${at}/roles/${index}`,
              detail: `There is no role ${role}; qd role list shows them`,
            },
          ],
    ),
    ...(typeof acts === 'string' ? [] : acts).flatMap((act, index) =>
      known.permissions.includes(act)
        ? []
        : [{ pointer: `/body/rules/${at}/acts/${index}`, detail: `There is no permission ${act}` }],
    ),
  ])
}
