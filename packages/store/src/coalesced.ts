/**
 * Reads one at a time, however many ask: what was committed before a call has been read when it resolves. Whoever asks
 * while a read is under way shares the next one with all who do.
 */
export function coalesced(read: () => Promise<void>): () => Promise<void> {
  let reading: Promise<void> | undefined
  let again: Promise<void> | undefined
  function once(): Promise<void> {
    if (!reading) {
      reading = read().finally(() => {
        reading = undefined
      })
      return reading
    }
    // What is being read may be from before the change.
    again ??= reading
      .catch(() => undefined)
      .then(() => {
        again = undefined
        return once()
      })
    return again
  }
  return once
}
