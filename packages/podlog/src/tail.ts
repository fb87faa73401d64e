/** Keeps the last items, at most so many and so large together. */
export class Tail<Item> {
  readonly #items: (Item | undefined)[] = []
  readonly #limit: number
  readonly #limitSize: number
  readonly #sizeOf: (item: Item) => number
  #first = 0
  #size = 0
  /** How many were left out only because together they are too large. */
  oversize = 0

  constructor({ limit, limitSize, sizeOf }: { limit: number; limitSize: number; sizeOf(item: Item): number }) {
    this.#limit = limit
    this.#limitSize = limitSize
    this.#sizeOf = sizeOf
  }

  get length(): number {
    return this.#items.length - this.#first
  }

  push(item: Item): void {
    if (this.#limit === 0) return
    this.#items.push(item)
    this.#size += this.#sizeOf(item)
    if (this.length > this.#limit) this.#dropFirst()
    while (this.#size > this.#limitSize && this.length > 1) {
      this.#dropFirst()
      this.oversize += 1
    }
  }

  /** Takes the oldest one out. */
  shift(): Item | undefined {
    return this.length === 0 ? undefined : this.#dropFirst()
  }

  #dropFirst(): Item {
    const item = this.#items[this.#first] as Item
    this.#items[this.#first] = undefined
    this.#first += 1
    this.#size -= this.#sizeOf(item)
    if (this.#first > 1_024 && this.#first * 2 > this.#items.length) {
      this.#items.splice(0, this.#first)
      this.#first = 0
    }
    return item
  }
}
