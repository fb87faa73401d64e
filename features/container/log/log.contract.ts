import { endpoint, Name, ObjectName } from '@quarterdeck/kernel'
import { z } from 'zod'

/** One line of a container's log; `time` with nanoseconds as the runtime wrote it. */
export const LogLine = z.object({ time: z.string(), pod: z.string(), container: z.string(), text: z.string() })
export type LogLine = z.infer<typeof LogLine>

/** A line or a remark: a pod that came or went, a stream that broke and why. */
export const LogFrame = z.union([LogLine, z.object({ note: z.string(), pod: z.string().optional() })])
export type LogFrame = z.infer<typeof LogFrame>

const LogQuery = z.object({
  pod: ObjectName.optional().describe('Absent: all pods, merged in time order'),
  container: Name.optional().describe('Absent: all containers'),
  follow: z.stringbool().default(false),
  previous: z.stringbool().default(false).describe('Of the container before its last restart'),
  tailLines: z.coerce.number().int().min(0).max(100_000).default(500),
  sinceSeconds: z.coerce.number().int().min(1).optional(),
  search: z.string().max(200).optional().describe('Only lines that hold this text, upper and lower case alike'),
})
const one = z.object({ environment: Name, application: Name })
export const readLogs = endpoint({
  id: 'log.read',
  method: 'GET',
  path: '/environments/:environment/applications/:application/logs',
  permission: 'container.logs',
  recorded: 'protected',
  summary: 'Logs of all pods of an application, a JSON line each',
  params: one,
  query: LogQuery,
  response: LogFrame,
  transport: 'lines',
})
export const downloadLogs = endpoint({
  id: 'log.download',
  method: 'GET',
  path: '/environments/:environment/applications/:application/logs/download',
  permission: 'container.logs',
  recorded: 'protected',
  summary: 'The same as a text file',
  params: one,
  query: LogQuery.omit({ follow: true }),
  response: z.string(),
  transport: 'text',
})
