export { type Call, type CallOptions, type Client, type ClientOptions, createClient } from './client.ts'
export { serverUnreachable } from './failure.ts'
