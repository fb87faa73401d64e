/** How often which durations came, by labels, in the text format of Prometheus (version 0.0.4). */
export class Histogram {
  readonly #name: string
  readonly #help: string
  readonly #buckets: readonly number[]
  /** By the labels as they are written; the last count is of all, whatever their duration. */
  readonly #series = new Map<string, { counts: number[]; sumSeconds: number }>()

  /** `buckets`: upper limits in seconds, ascending. */
  constructor(name: string, help: string, buckets: readonly number[]) {
    this.#name = name
    this.#help = help
    this.#buckets = buckets
  }

  /** Values of labels hold neither quotation marks nor backslashes nor line ends. */
  observe(labels: Readonly<Record<string, string>>, seconds: number): void {
    const key = Object.entries(labels)
      .map(([label, value]) => `${label}="${value}"`)
      .join(',')
    const found = this.#series.get(key)
    const series = found ?? { counts: [...this.#buckets, 0].fill(0), sumSeconds: 0 }
    if (!found) this.#series.set(key, series)
    for (const [index, limit] of [...this.#buckets, Number.POSITIVE_INFINITY].entries()) {
      if (seconds <= limit) series.counts[index] = (series.counts[index] ?? 0) + 1
    }
    series.sumSeconds += seconds
  }

  /** All series, with the buckets as Prometheus wants them: each holds the ones below. */
  text(): string {
    const lines = [...this.#series].flatMap(([key, { counts, sumSeconds }]) => [
      ...[...this.#buckets, '+Inf'].map(
        (limit, index) => `${this.#name}_bucket{le="${limit}",${key}} ${counts[index]}`,
      ),
      `${this.#name}_sum{${key}} ${sumSeconds}`,
      `${this.#name}_count{${key}} ${counts.at(-1)}`,
    ])
    return [`# HELP ${this.#name} ${this.#help}`, `# TYPE ${this.#name} histogram`, ...lines].join('\n')
  }
}
