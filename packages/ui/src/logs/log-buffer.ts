/** One line as it is shown; `remark` when the platform says it, not the container. */
export interface ShownLine {
  id: number
  time: string
  pod: string
  container: string
  text: string
  remark?: true
}

/** The newest lines, at most `capacity`; the oldest make room. Lines keep their number for ever. */
export class LogBuffer {
  readonly capacity: number
  #lines: ShownLine[] = []
  #head = 0
  #next = 0
  constructor(capacity = 50_000) {
    this.capacity = capacity
  }

  get size(): number {
    return this.#lines.length
  }
  /** How many lines have made room. */
  get dropped(): number {
    return this.#next - this.#lines.length
  }

  push(line: Omit<ShownLine, 'id'>): void {
    const numbered = { ...line, id: this.#next }
    this.#next += 1
    if (this.#lines.length < this.capacity) {
      this.#lines.push(numbered)
      return
    }
    this.#lines[this.#head] = numbered
    this.#head = (this.#head + 1) % this.capacity
  }

  /** The line at `index`, 0 the oldest that is kept. */
  at(index: number): ShownLine | undefined {
    return index < 0 || index >= this.#lines.length ? undefined : this.#lines[(this.#head + index) % this.#lines.length]
  }

  clear(): void {
    this.#lines = []
    this.#head = 0
    this.#next = 0
  }
}
