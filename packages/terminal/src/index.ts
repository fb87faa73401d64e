export type { Channel, Piece } from './output-history.ts'
export type { Attachment, Ended, Session } from './session.ts'
export { isProgramAbsent, type Started, startCommand, startShell } from './start.ts'
export { createTerminals, type Owned, type Terminals, type TerminalsOptions } from './terminals.ts'
