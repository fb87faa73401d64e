import { endpoint, Name, problemType, Time } from '@quarterdeck/kernel'
import { z } from 'zod'

const HOST = String.raw`([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])`
const PORT = String.raw`:\d{1,5}`
const URLS = {
  webhook: new RegExp(String.raw`^https?://${HOST}(${PORT})?(/[^\s#]*)?$`),
  syslog: new RegExp(`^(tls|tcp|udp)://${HOST}${PORT}$`),
}

/** Where the audit trail is sent as it grows; each record at least once and in order. Source of truth: PostgreSQL. */
export const AuditSink = z.object({
  name: Name,
  kind: z.enum(['syslog', 'webhook']),
  url: z
    .string()
    .describe('https://…, http://… for a webhook; tls://, tcp:// or udp://host:port for syslog (RFC 5424)'),
  authority: z.string().optional().describe('Certificates that its server is trusted by, PEM'),
  secret: z.boolean().describe('Whether requests are signed: header X-Quarterdeck-Signature, HMAC-SHA256 of the body'),
  sent: z.int().describe('Number of the last record that has arrived there'),
  waiting: z.int().describe('Records that have not'),
  sentTime: Time.optional(),
  failures: z.int().describe('Attempts that have failed since the last that has not'),
  message: z.string().describe('Why the last attempt has failed; empty when it has not'),
})
export type AuditSink = z.infer<typeof AuditSink>

export const sinkUnreachable = problemType('audit-sink-unreachable', 422, 'The target does not take records')

const one = z.object({ sink: Name })

/** Whether the address is one that its kind understands. Names and passwords in it are refused: they would be shown. */
export const isSinkUrl = (kind: AuditSink['kind'], text: string): boolean => URLS[kind].test(text)

export const listAuditSinks = endpoint({
  id: 'audit-sink.list',
  method: 'GET',
  path: '/audit/sinks',
  permission: 'audit.export',
  summary: 'Where the audit trail is sent, and how far that is',
  response: z.object({ items: z.array(AuditSink) }),
})
export const saveAuditSink = endpoint({
  id: 'audit-sink.save',
  method: 'PUT',
  path: '/audit/sinks/:sink',
  permission: 'audit.export',
  summary: 'Send the audit trail to a webhook or a syslog server from now on; tried before it is kept',
  params: one,
  body: z
    .strictObject({
      kind: AuditSink.shape.kind,
      url: z.string().max(2_000),
      authority: z.string().max(100_000).optional(),
      secret: z
        .string()
        .min(16, 'At least 16 characters')
        .max(500)
        .nullable()
        .optional()
        .describe('null: none; absent: as it is'),
      from: z.enum(['now', 'beginning']).default('now').describe('Which records a new one gets first'),
    })
    .refine(({ kind, url }) => isSinkUrl(kind, url), {
      path: ['url'],
      message: 'Write https://host/path for a webhook, tls://host:6514, tcp://host:port or udp://host:514 for syslog',
    }),
  response: AuditSink,
  problems: [sinkUnreachable],
})
export const deleteAuditSink = endpoint({
  id: 'audit-sink.delete',
  method: 'DELETE',
  path: '/audit/sinks/:sink',
  permission: 'audit.export',
  summary: 'Send the audit trail there no longer',
  params: one,
  response: z.null(),
})
