/** Which of a command's two outputs; a command with a terminal has only the first. */
export type Channel = 'output' | 'error'

/** Bytes of one channel that follow each other. */
export interface Piece {
  channel: Channel
  bytes: Uint8Array
}

const BLOCK_BYTES = 16 * 1024
/** What a block needs besides its bytes, so that many small ones count. */
const BLOCK_OVERHEAD_BYTES = 64

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
        if (block) block.bytes = block.bytes.slice(0, block.used)
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

  /** How much of the limit is taken by what comes after `offset`. */
  behind(offset: number): number {
    let size = 0
    let at = this.#total
    for (let index = this.#blocks.length - 1; index >= 0 && at > offset; index -= 1) {
      const { used } = this.#blocks[index] as Block
      at -= used
      size += used + BLOCK_OVERHEAD_BYTES
    }
    return size
  }

  /** Whole blocks go, as long as enough is left. */
  #forget(): void {
    let size = this.behind(this.#start)
    for (let first = this.#blocks[0]; first && size > this.#limitBytes && this.#blocks.length > 1; ) {
      this.#blocks.shift()
      this.#start += first.used
      size -= first.used + BLOCK_OVERHEAD_BYTES
      first = this.#blocks[0]
    }
  }
}
