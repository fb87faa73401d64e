import type { SecureContextOptions } from 'node:tls'

/** What a TLS or WebSocket client needs to reach the same server as the same identity. */
export interface Credential {
  headers: Record<string, string | string[]>
  tls: SecureContextOptions & { servername?: string; rejectUnauthorized: boolean }
}
