/**
 * How `split` columns are kept. A text is cut after its last '-', '.' or ':' when what follows is at most eight bytes of
 * ASCII: `shop-7d9f8b6c5-` and `x2x4z`, `10.1.2.` and `3`. Otherwise, and where no such byte is, the whole text is the
 * beginning and the suffix is empty. The suffix is kept in eight bytes, filled up with zero bytes. A text has one such
 * form only, so two are equal when beginnings and suffixes are.
 */
export const SUFFIX_BYTES = 8

const DASH = 45
const DOT = 46
const COLON = 58

/** Where the suffix of the UTF-8 text in from..to begins; `to` when it has none. */
export function cutAt(bytes: Uint8Array, from: number, to: number): number {
  const first = to - from > SUFFIX_BYTES ? to - SUFFIX_BYTES - 1 : from
  for (let at = to - 1; at >= first; at--) {
    const byte = bytes[at] as number
    if (byte === DASH || byte === DOT || byte === COLON) return at + 1
    if (byte === 0 || byte > 127) return to
  }
  return to
}

/** A text in its two parts, for comparing with kept ones. */
export function splitText(text: string): { beginning: string; suffix: string } {
  const bytes = encoder.encode(text)
  const tail = bytes.length - cutAt(bytes, 0, bytes.length)
  return { beginning: text.slice(0, text.length - tail), suffix: text.slice(text.length - tail) }
}

/** Writes a suffix of at most eight ASCII characters at a row of an array with eight bytes a row. */
export function packSuffix(suffix: string, suffixes: Uint8Array, row: number): void {
  const start = row * SUFFIX_BYTES
  for (let at = 0; at < SUFFIX_BYTES; at++) suffixes[start + at] = at < suffix.length ? suffix.charCodeAt(at) : 0
}

/** The suffix of a row, without the zero bytes. */
export function suffixAt(suffixes: Uint8Array, row: number): string {
  const start = row * SUFFIX_BYTES
  let text = ''
  for (let at = start; at < start + SUFFIX_BYTES && suffixes[at] !== 0; at++) {
    text += String.fromCharCode(suffixes[at] as number)
  }
  return text
}

const encoder = new TextEncoder()
