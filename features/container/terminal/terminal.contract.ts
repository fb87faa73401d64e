import { endpoint, Name, ObjectName, problemType, Time } from '@quarterdeck/kernel'
import { z } from 'zod'

/** A shell in a container. It lives on the server, so that leaving the page or losing the connection does not end it. */
export const Terminal = z.object({
  id: z.uuid(),
  environment: Name,
  pod: ObjectName,
  container: Name,
  command: z.array(z.string()),
  state: z.enum(['Open', 'Ended']),
  exitCode: z.int().nullable(),
  message: z.string(),
  startTime: Time,
})
export type Terminal = z.infer<typeof Terminal>

/**
 * Frames of the terminal's WebSocket. Server → client: binary = output bytes; text = JSON `{ "offset": n }` first (total bytes
 * of output before the next frame), `{ "ended": { exitCode, message } }` last. Client → server: binary = input bytes,
 * text = JSON `{ "columns": n, "rows": n }` or `{ "closeInput": true }`. Without a tty each binary frame from the server
 * begins with a byte that is not counted: 1 = what follows is output, 2 = error output. An `offset` larger than the one
 * that was asked for means that the output between is no longer held.
 */
export const TerminalControl = z.union([
  z.object({ columns: z.int().min(1).max(1_000), rows: z.int().min(1).max(1_000) }),
  z.object({ closeInput: z.literal(true) }),
])

export const noShell = problemType('no-shell', 422, 'The container has no such program')
export const tooManyTerminals = problemType('too-many-terminals', 429, 'Too many terminals are open')

const one = z.object({ terminal: z.uuid() })
export const openTerminal = endpoint({
  id: 'terminal.open',
  method: 'POST',
  path: '/environments/:environment/pods/:pod/terminals',
  permission: 'container.exec',
  summary: 'Start a shell or a command in a container',
  params: z.object({ environment: Name, pod: ObjectName }),
  body: z.strictObject({
    container: Name.optional().describe('Absent: the first'),
    command: z
      .array(z.string().max(4_000))
      .min(1)
      .max(50)
      .optional()
      .describe('Absent: the best shell that the container has'),
    tty: z.boolean().default(true),
    columns: z.int().min(1).max(1_000).default(80),
    rows: z.int().min(1).max(1_000).default(24),
  }),
  response: Terminal,
  status: 201,
  problems: [noShell, tooManyTerminals],
})
export const listTerminals = endpoint({
  id: 'terminal.list',
  method: 'GET',
  path: '/terminals',
  permission: 'self',
  summary: 'My open terminals',
  response: z.object({ items: z.array(Terminal) }),
})
export const attachTerminal = endpoint({
  id: 'terminal.attach',
  method: 'GET',
  path: '/terminals/:terminal/attach',
  permission: 'container.exec',
  reach: 'anywhere',
  summary: 'Connect to a terminal of mine; output after `offset` bytes is sent again',
  params: one,
  query: z.object({ offset: z.coerce.number().int().min(0).default(0) }),
  response: z.undefined(),
  transport: 'websocket',
})
export const closeTerminal = endpoint({
  id: 'terminal.close',
  method: 'DELETE',
  path: '/terminals/:terminal',
  permission: 'self',
  summary: 'End a terminal of mine',
  params: one,
  response: z.null(),
})
