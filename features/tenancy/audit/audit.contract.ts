import { endpoint, PageQuery, pageOf, Time } from '@quarterdeck/kernel'
import { z } from 'zod'

export const AuditOutcome = z
  .enum(['intent', 'succeeded', 'failed'])
  .describe('intent: written before it was done; how it ended is a record of its own')
export type AuditOutcome = z.infer<typeof AuditOutcome>

/** Who did what to what, when and how it ended. Nothing in it is a secret. */
export const AuditRecord = z.object({
  number: z.int().describe('Counts from 1 without gaps'),
  time: Time,
  actor: z.string().describe('User; whoever was named, where signing in failed'),
  act: z.string().describe('Id of the endpoint: application.deploy, session.create, kubernetes.patch'),
  what: z.string().describe('What it was done to: cluster/namespace/application/shop, token build of admin'),
  outcome: AuditOutcome,
  detail: z.string(),
  operation: z.uuid().optional().describe('The operation that it belongs to'),
})
export type AuditRecord = z.infer<typeof AuditRecord>

/** A record as whoever keeps the trail has it; `operation` is null where it was none, such as signing in. */
export interface AuditRow {
  sequence: number
  time: string
  operation: string | null
  actor: string
  act: string
  what: string
  outcome: AuditOutcome
  detail: string
}

/** Which records are asked for; absent: any. */
export interface AuditFilter {
  actor?: string | undefined
  act?: string | undefined
  /** Part of what it was done to, whatever its case. */
  what?: string | undefined
  operation?: string | undefined
  outcome?: AuditOutcome | undefined
  /** RFC 3339, inclusive. */
  since?: string | undefined
  /** RFC 3339, exclusive. */
  until?: string | undefined
  /** Only records before this one, by sequence. */
  before?: number | undefined
  limit: number
}

export const listAudit = endpoint({
  id: 'audit.list',
  method: 'GET',
  path: '/audit',
  permission: 'audit.list',
  summary: 'The audit trail, newest first',
  query: PageQuery.extend({
    actor: z.string().max(200).optional().describe('Exactly this user'),
    act: z.string().max(200).optional().describe('Exactly this act: application.deploy'),
    what: z.string().max(500).optional().describe('Part of what it was done to'),
    operation: z.uuid().optional(),
    outcome: AuditOutcome.optional(),
    since: Time.optional().describe('RFC 3339, UTC, inclusive'),
    until: Time.optional().describe('RFC 3339, UTC, exclusive'),
    continue: z
      .string()
      .regex(/^\d{1,15}$/)
      .optional(),
  }),
  response: pageOf(AuditRecord),
})

/** Whether the trail is as it was written. */
export const AuditCheck = z.object({
  intact: z.boolean(),
  records: z.int().describe('Number of the last record'),
  brokenAt: z.int().optional().describe('First record that is not what was written, or whose forerunner is missing'),
})
export type AuditCheck = z.infer<typeof AuditCheck>

export const checkAuditTrail = endpoint({
  id: 'audit.check',
  method: 'GET',
  path: '/audit/check',
  permission: 'audit.list',
  summary: 'Compute the chain of the audit trail anew: whether a record was altered or taken out',
  response: AuditCheck,
})
