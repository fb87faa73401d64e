/** A token bucket for each key, in memory. */
export interface RateLimit {
  /** Takes `cost` tokens, 1 when absent. 0: go on; otherwise the seconds to wait, rounded up. */
  take(key: string, cost?: number, nowMs?: number): number
  /** Seconds to wait before `take` would succeed, without taking anything. */
  wait(key: string, nowMs?: number): number
  /** Puts back what was taken for something that turned out not to count; `cost` is 1 when absent. */
  giveBack(key: string, cost?: number, nowMs?: number): void
  /** Fills the bucket again. */
  clear(key: string): void
}

interface Bucket {
  tokens: number
  atMs: number
}

/** `burst` tokens at once, `perSecond` come back; at most `keys` buckets, the longest unused go first. */
export function createRateLimit({
  burst,
  perSecond,
  keys = 20_000,
}: {
  burst: number
  perSecond: number
  keys?: number
}): RateLimit {
  const buckets = new Map<string, Bucket>()
  const filled = (key: string, nowMs: number): Bucket => {
    const old = buckets.get(key)
    if (!old) return { tokens: burst, atMs: nowMs }
    const gained = (Math.max(0, nowMs - old.atMs) / 1000) * perSecond
    return { tokens: Math.min(burst, old.tokens + gained), atMs: nowMs }
  }
  const missing = (bucket: Bucket, cost = 1) =>
    bucket.tokens >= cost ? 0 : Math.ceil((cost - bucket.tokens) / perSecond)
  return {
    take(key, cost = 1, nowMs = performance.now()) {
      const bucket = filled(key, nowMs)
      const waitSeconds = missing(bucket, cost)
      if (waitSeconds === 0) bucket.tokens -= cost
      buckets.delete(key)
      buckets.set(key, bucket)
      for (const oldest of buckets.size > keys ? buckets.keys() : []) {
        buckets.delete(oldest)
        break
      }
      return waitSeconds
    },
    wait: (key, nowMs = performance.now()) => missing(filled(key, nowMs)),
    giveBack(key, cost = 1, nowMs = performance.now()) {
      if (!buckets.has(key)) return
      const bucket = filled(key, nowMs)
      buckets.set(key, { ...bucket, tokens: Math.min(burst, bucket.tokens + cost) })
    },
    clear: (key) => void buckets.delete(key),
  }
}
