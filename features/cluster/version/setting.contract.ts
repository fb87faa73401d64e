import { endpoint, Time } from '@quarterdeck/kernel'
import { z } from 'zod'

export const MOST_DAYS = 36_500
const Resource = z
  .string()
  .max(300)
  .regex(/^[a-z0-9.-]+$/, 'Give it as RBAC calls it: pods, leases.coordination.k8s.io')

/** What is recorded of objects, and for how long. */
export const VersionSettings = z.strictObject({
  unrecorded: z
    .array(Resource)
    .max(500)
    .refine((all) => new Set(all).size === all.length, 'Name each kind once')
    .describe('Kinds whose changes are not recorded, as RBAC calls them; all others are'),
  keepDays: z
    .int()
    .min(1)
    .max(MOST_DAYS)
    .describe('Older versions are forgotten, but for the newest of each object that is there'),
})
export type VersionSettings = z.infer<typeof VersionSettings>

/** Versions of one kind. */
export const KindVersions = z.object({
  resource: z.string(),
  objects: z.int(),
  versions: z.int(),
  bytes: z.int().describe('In the database, compressed as it keeps them'),
})
export type KindVersions = z.infer<typeof KindVersions>

export const VersionSettingsInForce = VersionSettings.extend({
  updateTime: Time.optional().describe('Absent: as the server was started'),
  updatedBy: z.string().optional(),
  kinds: z.array(KindVersions).describe('What is kept of each kind, the largest first'),
})
export type VersionSettingsInForce = z.infer<typeof VersionSettingsInForce>

/** What other settings change. */
export const VersionSettingsPlan = z.object({
  settings: VersionSettings,
  saved: z.boolean(),
  forgets: z.array(KindVersions).describe('What is older than is kept then, kind by kind; it cannot be brought back'),
  begins: z.array(z.string()).describe('Kinds that are recorded from then on; all their objects are read once'),
  ends: z.array(z.string()).describe('Kinds that are recorded no more; their versions stay until they are too old'),
})
export type VersionSettingsPlan = z.infer<typeof VersionSettingsPlan>

export const getVersionSettings = endpoint({
  id: 'version-setting.get',
  method: 'GET',
  path: '/version-settings',
  permission: 'setting.update',
  summary: 'Which kinds are recorded and for how long, and how much is kept of each',
  response: VersionSettingsInForce,
})
export const setVersionSettings = endpoint({
  id: 'version-setting.update',
  method: 'PUT',
  path: '/version-settings',
  permission: 'setting.update',
  summary: 'Set which kinds are recorded and for how long; with dryRun only what that would forget',
  query: z.object({ dryRun: z.stringbool().default(false).describe('true: nothing is saved') }),
  body: VersionSettings,
  response: VersionSettingsPlan,
})
