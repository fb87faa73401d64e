import type { Scope, Subject } from '@quarterdeck/kernel'

/** What scanners look for in leaked text. */
export const TOKEN_PREFIX = 'qd_'

/** Permissions asked for that the subject does not have itself. */
export const beyond = (subject: Subject, permissions: readonly string[]): string[] =>
  subject.permissions.includes('*') ? [] : permissions.filter((one) => !subject.permissions.includes(one))

/** Whether a token that ends at `expireTime` would outlive the token that makes it. Sessions may make lasting tokens. */
export const outlives = (subject: Subject, expireTime: string | undefined): boolean =>
  subject.kind === 'token' &&
  subject.expireTime !== undefined &&
  (expireTime === undefined || Date.parse(expireTime) > Date.parse(subject.expireTime))

/** `project shop`, `the platform`. */
export function placeWords({ environment, project, tenant }: Scope): string {
  if (environment !== undefined) return `environment ${environment}`
  if (project !== undefined) return `project ${project}`
  return tenant === undefined ? 'the platform' : `tenant ${tenant}`
}
