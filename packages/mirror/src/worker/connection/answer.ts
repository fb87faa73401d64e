import type { Readable } from 'node:stream'

/** The server answered with a refusal. */
export class Refused extends Error {
  readonly status: number
  /** Absent: the server did not say. */
  readonly retryAfterSeconds: number | undefined
  /** As the server gave it. */
  readonly body: unknown

  constructor(message: string, status: number, body: unknown, retryAfterSeconds?: number) {
    super(message)
    this.status = status
    this.body = body
    this.retryAfterSeconds = retryAfterSeconds
  }
}

/** The connection was lost, or could not be made. The message is a sentence. */
export class ConnectionLost extends Error {}

/** Nothing came for too long. */
export class Silent extends Error {
  constructor(milliseconds: number) {
    super(`nothing came for ${Math.round(milliseconds / 1000)} s`)
  }
}

/** The beginning of an answer; its body is read once. */
export interface RawAnswer {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: Readable
  /** Whether the server itself ended the body; asked after its end. */
  endedWell(): boolean
}

export type BodyEnd = 'complete' | 'cut'

/**
 * Gives each piece of the body to `onPiece` as it comes; what answers false counts as silence. Resolves at its end, `cut` when the connection ended before the
 * server ended the body; rejects with Silent after `silence()` milliseconds without a piece, with the signal's reason, and
 * with what `onPiece` throws. However it ends, the request is over.
 */
export function readBody(
  answer: RawAnswer,
  { onPiece, silence, signal }: { onPiece(piece: Buffer): boolean; silence(): number; signal: AbortSignal },
): Promise<BodyEnd> {
  const { body } = answer
  return new Promise((resolve, reject) => {
    let lastPiece = performance.now()
    let timer = setTimeout(look, silence())
    let over = false
    function finish(act: () => void): void {
      if (over) return
      over = true
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
      body.removeListener('data', take)
      body.destroy()
      act()
    }
    function look(): void {
      const left = silence() - (performance.now() - lastPiece)
      if (left > 0) timer = setTimeout(look, left)
      else finish(() => reject(new Silent(silence())))
    }
    function abort(): void {
      finish(() => reject(signal.reason))
    }
    function take(piece: Buffer): void {
      try {
        if (onPiece(piece)) lastPiece = performance.now()
      } catch (error) {
        finish(() => reject(error))
      }
    }
    body.on('end', () => finish(() => resolve(answer.endedWell() ? 'complete' : 'cut')))
    body.on('error', () => finish(() => resolve('cut')))
    body.on('close', () => finish(() => resolve('cut')))
    if (signal.aborted) return abort()
    signal.addEventListener('abort', abort, { once: true })
    body.on('data', take)
  })
}

/** The body as text, cut off after a mebibyte or two; '' when it cannot be read. */
export async function textOf(answer: RawAnswer, silence: number, signal: AbortSignal, most = 1 << 20): Promise<string> {
  const pieces: Buffer[] = []
  let length = 0
  const onPiece = (piece: Buffer) => {
    length += piece.length
    if (length > most) throw new Error(`the answer is longer than ${most} bytes`)
    pieces.push(piece)
    return true
  }
  await readBody(answer, { onPiece, silence: () => silence, signal })
  return Buffer.concat(pieces).toString('utf8')
}
