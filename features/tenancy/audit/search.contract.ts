import { endpoint, Time } from '@quarterdeck/kernel'
import { z } from 'zod'
import { AuditQuery } from './audit.contract.ts'

const MOST_HOURS = 24 * 366

/** What a saved search asks for; `hours` goes with the clock, `since` and `until` stay where they are. */
export const AuditSearchFilter = z
  .strictObject({
    ...AuditQuery.shape,
    hours: z.int().min(1).max(MOST_HOURS).optional().describe('What is no older than this, whenever it is opened'),
  })
  .refine(({ hours, since }) => hours === undefined || since === undefined, {
    path: ['hours'],
    message: 'Give hours or since, not both',
  })
export type AuditSearchFilter = z.infer<typeof AuditSearchFilter>

/** A named question to the audit trail. Source of truth: PostgreSQL. */
export const AuditSearch = z.object({
  name: z
    .string()
    .min(1, 'Give it a name')
    .max(60, 'A name has at most 60 characters')
    .regex(/^[^\p{Cc}/\s]([^\p{Cc}/]*[^\p{Cc}/\s])?$/u, 'No slashes, nor blanks at either end')
    .describe('One of its owner’s'),
  owner: z.string().describe('User'),
  mine: z.boolean(),
  shared: z.boolean().describe('Whether others who may read the trail find it; each sees what they may see'),
  filter: AuditSearchFilter,
  changeTime: Time,
})
export type AuditSearch = z.infer<typeof AuditSearch>

const one = z.object({ search: AuditSearch.shape.name })

export const listAuditSearches = endpoint({
  id: 'audit-search.list',
  method: 'GET',
  path: '/audit/searches',
  permission: 'audit.list',
  reach: 'anywhere',
  summary: 'Your saved searches of the audit trail, and those that others share',
  response: z.object({ items: z.array(AuditSearch) }),
})
export const saveAuditSearch = endpoint({
  id: 'audit-search.save',
  method: 'PUT',
  path: '/audit/searches/:search',
  permission: 'audit.list',
  reach: 'anywhere',
  summary: 'Keep a search of the audit trail under a name; one of that name that you have is replaced',
  params: one,
  body: z.strictObject({ filter: AuditSearchFilter, shared: z.boolean().default(false) }),
  response: AuditSearch,
})
export const deleteAuditSearch = endpoint({
  id: 'audit-search.delete',
  method: 'DELETE',
  path: '/audit/searches/:search',
  permission: 'audit.list',
  reach: 'anywhere',
  summary: 'Delete a saved search of your own',
  params: one,
  response: z.null(),
})
