import { endpoint, Name, PageQuery, pageOf, Time } from '@quarterdeck/kernel'
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
  environment: z.string().optional().describe('Absent: it concerns the platform as a whole'),
  peer: z.string().optional().describe('Network address that it came from; absent: the platform did it by itself'),
  client: z.string().optional().describe('What the client called itself'),
  credential: z.string().optional().describe('Id of the session or token that it was done with'),
  request: z.string().optional().describe('Id of the request, as in the log of the server'),
  hash: z.string().describe('SHA-256 over this record and the hash of the one before'),
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
  environment: string | null
  peer: string | null
  client: string | null
  credential: string | null
  request: string | null
  hash: string
}

/** What keeps the records of the trail from being changed by whoever speaks to the database as the server. */
export type AuditGuard = Pick<AuditCheck, 'appendOnly' | 'remark'>

/** Which records are asked for; absent: any. */
export interface AuditFilter {
  actor?: string | undefined
  act?: string | undefined
  /** Part of what it was done to, whatever its case. */
  what?: string | undefined
  /** A whole name within what it was done to, whatever its case. */
  about?: string | undefined
  /** Part of what it was done to or of its detail, whatever its case. */
  text?: string | undefined
  operation?: string | undefined
  outcome?: AuditOutcome | undefined
  environment?: string | undefined
  /** Only of these; absent: all, and what belongs to no environment. */
  environments?: ReadonlySet<string> | undefined
  peer?: string | undefined
  /** RFC 3339, inclusive. */
  since?: string | undefined
  /** RFC 3339, exclusive. */
  until?: string | undefined
  /** Only records before this one, by sequence. */
  before?: number | undefined
  /** Only records after this one, and the oldest first. */
  after?: number | undefined
  limit: number
}

/** Which records. */
export const AuditQuery = z.object({
  actor: z.string().max(200).optional().describe('Exactly this user'),
  act: z.string().max(200).optional().describe('Exactly this act: application.deploy'),
  what: z.string().max(500).optional().describe('Part of what it was done to'),
  about: z.string().min(1).max(300).optional().describe('Whole names within what it was done to: tenant retail'),
  text: z.string().min(1).max(500).optional().describe('Part of what it was done to or of the detail'),
  operation: z.uuid().optional(),
  outcome: AuditOutcome.optional(),
  environment: Name.optional(),
  peer: z.string().max(100).optional().describe('Exactly this network address'),
  since: Time.optional().describe('RFC 3339, UTC, inclusive'),
  until: Time.optional().describe('RFC 3339, UTC, exclusive'),
})

export const listAudit = endpoint({
  id: 'audit.list',
  method: 'GET',
  path: '/audit',
  permission: 'audit.list',
  reach: 'anywhere',
  summary: 'The audit trail of the environments where one may read it, newest first',
  query: AuditQuery.extend({
    ...PageQuery.shape,
    continue: z
      .string()
      .regex(/^\d{1,15}$/)
      .optional(),
  }),
  response: pageOf(AuditRecord),
})

/** A signed statement: at that time the trail's last record was this one. Made daily. */
export const AuditSeal = z.object({
  sequence: z.int().describe('Number of the record'),
  hash: z.string().describe('Its hash'),
  time: Time,
  signature: z.string().describe('Ed25519 over "quarterdeck audit seal 1", number, hash and time, a line each; Base64'),
})
export type AuditSeal = z.infer<typeof AuditSeal>

/** Whether the trail is as it was written. */
export const AuditCheck = z.object({
  intact: z.boolean(),
  checkTime: Time,
  records: z.int().describe('Number of the last record'),
  brokenAt: z.int().optional().describe('First record that is not what was written, or whose forerunner is missing'),
  seals: z.int(),
  brokenSeal: z.int().optional().describe('Number of the first sealed record that is not as its seal says'),
  missingFrom: z.int().optional().describe('Number of a record that was the last one and is not there any more'),
  appendOnly: z
    .enum(['privilege', 'trigger', 'no'])
    .describe(
      'What keeps records from being changed: the database role of the server may not; a trigger alone; nothing',
    ),
  remark: z.string().optional().describe('Why not by privilege, and what to do'),
})
export type AuditCheck = z.infer<typeof AuditCheck>

export const checkAuditTrail = endpoint({
  id: 'audit.check',
  method: 'GET',
  path: '/audit/check',
  permission: 'audit.list',
  summary: 'Whether a record of the audit trail was altered or taken out: computed anew, or as it was found last',
  query: z.object({
    last: z.stringbool().default(false).describe('true: what the check that runs all the time has found last'),
  }),
  response: AuditCheck,
})
export const listAuditSeals = endpoint({
  id: 'audit.seals',
  method: 'GET',
  path: '/audit/seals',
  permission: 'audit.list',
  summary: 'The daily seals of the audit trail and the key that they are verified with',
  response: z.object({ publicKey: z.string().describe('PEM'), items: z.array(AuditSeal) }),
})
export const exportAudit = endpoint({
  id: 'audit.export',
  method: 'GET',
  path: '/audit/export',
  permission: 'audit.export',
  reach: 'anywhere',
  summary: 'Records as JSON lines, oldest first; the export itself is recorded',
  query: AuditQuery,
  response: AuditRecord,
  transport: 'lines',
})
