import type { Readable } from 'node:stream'

/** An answer is longer than we read. */
export class AnswerTooLong extends Error {
  constructor(limitBytes: number) {
    super(`its answer is longer than ${limitBytes / 1024 / 1024} MiB`)
    this.name = 'AnswerTooLong'
  }
}

/** The whole of a body as UTF-8. Rejects with AnswerTooLong, and reads no further, when it is longer than the limit. */
export async function textOf(body: Readable, limitBytes: number): Promise<string> {
  const parts: Buffer[] = []
  let length = 0
  for await (const part of body) {
    parts.push(part as Buffer)
    length += (part as Buffer).length
    if (length > limitBytes) throw new AnswerTooLong(limitBytes)
  }
  return Buffer.concat(parts).toString('utf8')
}
