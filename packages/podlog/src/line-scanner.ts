/** One line of a container's log. */
export interface TimedLine {
  /** The instant as numbers that compare: seconds since 1970 and nanoseconds of the second. */
  seconds: number
  nanos: number
  /** As the runtime wrote it; empty for a line that carries none, which then has the instant of the one before. */
  time: string
  text: string
}

/** A line longer than this is cut, so that one that never ends cannot fill the memory. */
export const LINE_LIMIT_BYTES = 64 * 1024
export const CUT_MARK = ' … (cut at 64 KiB)'

// More than the longest time with its space.
const TIME_BYTES = 64
const NEWLINE = 10
const CARRIAGE_RETURN = 13
const SPACE = 32
const EMPTY = Buffer.alloc(0)

/** Splits the bytes of a log with timestamps into lines, whatever the chunks. Holds at most one line. */
export class LineScanner {
  #rest: Buffer = EMPTY
  #skipping = false
  #seconds = 0
  #nanos = 0

  /** The lines that this chunk completes; a line that has grown over the limit is cut and given at once. */
  push(chunk: Buffer): TimedLine[] {
    const lines: TimedLine[] = []
    let from = 0
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      if (this.#skipping) this.#skipping = false
      else if (this.#rest.length === 0) lines.push(this.#line(chunk, from, end))
      else {
        const whole = Buffer.concat([this.#rest, chunk.subarray(from, end)])
        this.#rest = EMPTY
        lines.push(this.#line(whole, 0, whole.length))
      }
      from = end + 1
    }
    if (from < chunk.length && !this.#skipping) {
      this.#rest = Buffer.concat([this.#rest, chunk.subarray(from)])
      if (this.#rest.length > TIME_BYTES + LINE_LIMIT_BYTES) {
        lines.push(this.#line(this.#rest, 0, this.#rest.length))
        this.#rest = EMPTY
        this.#skipping = true
      }
    }
    return lines
  }

  /** What the log ends with when its last line has no newline. */
  end(): TimedLine[] {
    const rest = this.#rest
    this.#rest = EMPTY
    return rest.length === 0 ? [] : [this.#line(rest, 0, rest.length)]
  }

  #line(bytes: Buffer, from: number, to: number): TimedLine {
    const stamp = readTime(bytes, from, to)
    if (stamp) {
      this.#seconds = stamp.seconds
      this.#nanos = stamp.nanos
    }
    const start = stamp ? stamp.end + 1 : from
    const { seconds, nanos } = { seconds: this.#seconds, nanos: this.#nanos }
    const time = stamp ? bytes.toString('latin1', from, stamp.end) : ''
    return { seconds, nanos, time, text: textOf(bytes, start, to) }
  }
}

/** Bytes that are no UTF-8 become U+FFFD; a carriage return at the end is left out. */
function textOf(bytes: Buffer, from: number, to: number): string {
  if (to - from <= LINE_LIMIT_BYTES) {
    return bytes.toString('utf8', from, to > from && bytes[to - 1] === CARRIAGE_RETURN ? to - 1 : to)
  }
  let end = from + LINE_LIMIT_BYTES
  // Not in the middle of a character.
  while (end > from && ((bytes[end] as number) & 0xc0) === 0x80) end -= 1
  return bytes.toString('utf8', from, end) + CUT_MARK
}

/**
 * The RFC 3339 time that a line begins with, up to the space after it. Any offset and any number of decimals: nodes
 * write their own time zone, and runtimes leave out zeros at the end.
 */
export function readTime(
  bytes: Buffer,
  from: number,
  to: number,
): { seconds: number; nanos: number; end: number } | undefined {
  // 2026-11-21T11:47:33Z and a space are the least.
  if (to - from < 20 || bytes[from + 4] !== 45 || bytes[from + 7] !== 45 || bytes[from + 10] !== 84) return undefined
  if (bytes[from + 13] !== 58 || bytes[from + 16] !== 58) return undefined
  const digits = (at: number, count: number) => {
    let value = 0
    for (let index = from + at; index < from + at + count; index += 1) {
      const digit = (bytes[index] as number) - 48
      if (digit < 0 || digit > 9) return Number.NaN
      value = value * 10 + digit
    }
    return value
  }
  const day = daysSince1970(digits(0, 4), digits(5, 2), digits(8, 2))
  const local = day * 86_400 + digits(11, 2) * 3_600 + digits(14, 2) * 60 + digits(17, 2)
  if (Number.isNaN(local)) return undefined
  let at = from + 19
  let nanos = 0
  if (bytes[at] === 46) {
    let unit = 100_000_000
    for (at += 1; at < to; at += 1) {
      const digit = (bytes[at] as number) - 48
      if (digit < 0 || digit > 9) break
      nanos += digit * unit
      unit = Math.floor(unit / 10)
    }
  }
  const sign = bytes[at]
  if (sign === 90) at += 1
  else if (sign === 43 || sign === 45) at += 6
  else return undefined
  if (at >= to || bytes[at] !== SPACE) return undefined
  const offset = sign === 90 ? 0 : digits(at - from - 5, 2) * 3_600 + digits(at - from - 2, 2) * 60
  if (Number.isNaN(offset)) return undefined
  return { seconds: sign === 45 ? local + offset : local - offset, nanos, end: at }
}

/** Howard Hinnant's days_from_civil: the Gregorian calendar without tables. */
function daysSince1970(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year
  const era = Math.floor(y / 400)
  const yearOfEra = y - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}

/** Earlier is negative. */
export const compareTime = (a: TimedLine, b: TimedLine): number => a.seconds - b.seconds || a.nanos - b.nanos
