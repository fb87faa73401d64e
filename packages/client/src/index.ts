export { ageText } from './age.ts'
export {
  type CliContext,
  type Columns,
  type LocalTerminal,
  type OutputFormat,
  type SignedIn,
  UsageError,
  WaitTimeout,
} from './cli-context.ts'
export { type Call, type CallOptions, type Client, type ClientOptions, createClient } from './client.ts'
export { fetchWithCode, type GiveCode } from './code-fetch.ts'
export { fetchWithCookies } from './cookie-fetch.ts'
export { serverUnreachable } from './failure.ts'
export {
  applyLiveFrame,
  type LivePage,
  type LiveRow,
  type LiveWindow,
  type LiveWindowFrame,
} from './live-window.ts'
export { readInput } from './read-input.ts'
