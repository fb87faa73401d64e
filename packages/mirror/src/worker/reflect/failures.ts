import type { RelistCause } from '../../batch.ts'

/** The watch cannot go on from where it is: the list has to be read again. The message is for the log. */
export class MustRelist extends Error {
  readonly why: RelistCause

  constructor(why: RelistCause, message: string) {
    super(message)
    this.why = why
  }
}

/** The server asks to come again later; nothing is lost. */
export class Later extends Error {
  readonly seconds: number

  constructor(message: string, seconds: number) {
    super(message)
    this.seconds = seconds
  }
}
