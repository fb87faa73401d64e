import type { AuditRecord } from './audit.contract.ts'

// RFC 5424 §6.2.1: facility 13 (log audit); severity notice, or warning for what failed.
const FACILITY = 13
const NOTICE = 5
const WARNING = 4
// RFC 5612 §2: an enterprise number for documentation; ours until there is one of our own.
const ENTERPRISE = 32_473

/** One record as an RFC 5424 message, without framing. */
export function syslogMessage(record: AuditRecord, host: string): string {
  const severity = record.outcome === 'failed' ? WARNING : NOTICE
  const head = `<${FACILITY * 8 + severity}>1 ${record.time} ${nameOf(host)} quarterdeck - ${nameOf(record.act)}`
  const said = Object.entries(record).filter(([name]) => name !== 'detail' && name !== 'time')
  const parameters = said.map(([name, value]) => `${name}="${quotable(String(value))}"`)
  return `${head} [audit@${ENTERPRISE} ${parameters.join(' ')}] \uFEFF${oneLine(record.detail)}`
}

/** Printable ASCII, at most 32 characters (RFC 5424 §6.2); `-` for nothing. */
const nameOf = (text: string): string => text.replace(/[^\x21-\x7e]/g, '_').slice(0, 32) || '-'

/** RFC 5424 §6.3.3. */
const quotable = (text: string): string => oneLine(text).replace(/["\\\]]/g, (character) => `\\${character}`)

/** A record is one line, whatever somebody has put into it. */
const oneLine = (text: string): string =>
  text.replace(/[\p{Cc}\u2028\u2029]/gu, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
