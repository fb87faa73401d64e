/** Which of a command's two outputs; a command with a terminal has only the first. */
export type Channel = 'output' | 'error'

/** Bytes of one channel that follow each other. */
export interface Piece {
  channel: Channel
  bytes: Uint8Array
}

const BLOCK_BYTES = 16 * 1024

interface Block {
  channel: Channel
  bytes: Uint8Array
  used: number
}

/** The last bytes of a command's output, counted from its beginning. */
export class OutputHistory {
  readonly #limitBytes: number
  #blocks: Block[] = []
  #start = 0
  #total = 0

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes
  }

  /** How many bytes there were altogether. */
  get total(): number {
    return this.#total
  }

  /** The first byte that is still held. */
  get start(): number {
    return this.#start
  }

  append(channel: Channel, bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length; ) {
      let block = this.#blocks.at(-1)
      if (!block || block.channel !== channel || block.used === block.bytes.length) {
        block = { channel, bytes: new Uint8Array(BLOCK_BYTES), used: 0 }
        this.#blocks.push(block)
      }
      const part = bytes.subarray(from, from + block.bytes.length - block.used)
      block.bytes.set(part, block.used)
      block.used += part.length
      from += part.length
    }
    this.#total += bytes.length
    this.#forget()
  }

  /** The bytes from `offset` on up to the end of its block, at least one; undefined when there are none yet. */
  after(offset: number): Piece | undefined {
    if (offset >= this.#total) return undefined
    let at = this.#start
    for (const { channel, bytes, used } of this.#blocks) {
      // A copy: the block may be filled further while this is on its way.
      if (offset < at + used) return { channel, bytes: bytes.slice(Math.max(0, offset - at), used) }
      at += used
    }
    return undefined
  }

  /** Whole blocks go, as long as enough is left; a change of channel makes small ones, so their room counts. */
  #forget(): void {
    let room = this.#blocks.length * BLOCK_BYTES
    while (this.#blocks.length > 1 && room - BLOCK_BYTES >= this.#limitBytes) {
      this.#start += this.#blocks.shift()?.used ?? 0
      room -= BLOCK_BYTES
    }
  }
}
