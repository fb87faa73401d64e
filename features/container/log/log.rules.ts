import type { LogFrame } from './log.contract.ts'

/** The labels by which the pods of an application are found. */
export const podSelector = (application: string): string => `app.kubernetes.io/instance=${application}`

/** A frame as a line of a text file. */
export const textLine = (frame: LogFrame): string =>
  'note' in frame
    ? `--- ${frame.pod === undefined ? '' : `${frame.pod}: `}${frame.note}\n`
    : `${frame.time} ${frame.pod}/${frame.container} ${frame.text}\n`

/** Name of a downloaded log: `shop-dev-20261121T121502Z.log`. */
export const logFileName = (application: string, environment: string, now: string): string =>
  `${application}-${environment}-${now.replace(/\.\d+Z$/, 'Z').replace(/[-:]/g, '')}.log`

const ESCAPE = 0x1b

/**
 * Text that cannot command a terminal: colours stay, every other control sequence, control character and change of
 * writing direction is left out. Linear in the length.
 */
export function printable(text: string): string {
  let clean = ''
  let from = 0
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (!isControl(code)) continue
    clean += text.slice(from, at)
    from = at + 1
    if (code !== ESCAPE || text[at + 1] !== '[') continue
    let end = at + 2
    while (end < text.length && isParameter(text.charCodeAt(end))) end += 1
    // A colour is kept whole; of anything else at least nothing is left that a terminal obeys.
    from = text[end] === 'm' ? at : Math.min(end + 1, text.length)
    at = Math.min(end, text.length - 1)
  }
  return clean + text.slice(from)
}

const isControl = (code: number): boolean =>
  (code < 0x20 && code !== 0x09) ||
  (code >= 0x7f && code <= 0x9f) ||
  (code >= 0x202a && code <= 0x202e) ||
  (code >= 0x2066 && code <= 0x2069)

const isParameter = (code: number): boolean => code >= 0x30 && code <= 0x3f

/** Seconds of `90`, `90s`, `10m`, `2h` or `1d`; undefined for anything else. */
export function secondsOf(text: string): number | undefined {
  const match = /^(\d{1,9})([smhd]?)$/.exec(text)
  if (!match) return undefined
  const seconds = Number(match[1]) * ({ s: 1, m: 60, h: 3_600, d: 86_400 }[match[2] || 's'] ?? 1)
  return seconds > 0 ? seconds : undefined
}
