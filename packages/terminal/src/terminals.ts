import { type Ended, Session, type SessionOptions } from './session.ts'

/** One session with whose it is and what its owner calls it. */
export interface Owned<About> {
  readonly owner: string
  readonly about: About
  readonly session: Session
}

export interface TerminalsOptions<About> {
  /** Open ones of one owner. Default 20. */
  perOwner?: number
  /** Nobody attached for so long ends one. Default 10 minutes. */
  idleMs?: number
  /** How long one that has ended can still be read. Default 2 minutes. */
  keepEndedMs?: number
  onEnd?(owned: Owned<About>, ended: Ended): void
}

/** The sessions of one process. */
export interface Terminals<About> {
  /** Keeps a place for one that is about to be opened; false when the owner has as many as may be. */
  reserve(owner: string): boolean
  /** Gives back a place for which nothing was opened. */
  release(owner: string): void
  /** Takes the place that was reserved. */
  open(
    owner: string,
    about: About,
    session: Pick<SessionOptions, 'tty' | 'exec' | 'begun' | 'stop' | 'explain'>,
  ): Owned<About>
  /** The owner's own, oldest first; those that have ended are there for a while. */
  list(owner: string): Owned<About>[]
  /** Undefined for somebody else's. */
  find(owner: string, id: string): Owned<About> | undefined
  /** Ends all; resolves when they are over. */
  close(message: string): Promise<void>
}

export function createTerminals<About>(options: TerminalsOptions<About> = {}): Terminals<About> {
  const { perOwner = 20, idleMs = 600_000, keepEndedMs = 120_000, onEnd } = options
  const all = new Map<string, Owned<About>>()
  const list = (owner: string) => [...all.values()].filter((owned) => owned.owner === owner)
  const isOpen = ({ session }: Owned<About>) => session.ended === undefined
  const reserved = new Map<string, number>()
  const release = (owner: string) => {
    const count = (reserved.get(owner) ?? 0) - 1
    if (count > 0) reserved.set(owner, count)
    else reserved.delete(owner)
  }
  const forgetOldEnded = (owner: string) => {
    const ended = list(owner).filter((owned) => !isOpen(owned))
    for (const { session } of ended.slice(0, Math.max(0, ended.length - perOwner))) all.delete(session.id)
  }
  return {
    list,
    reserve(owner) {
      const count = reserved.get(owner) ?? 0
      if (list(owner).filter(isOpen).length + count >= perOwner) return false
      reserved.set(owner, count + 1)
      return true
    },
    release,
    open(owner, about, parts) {
      release(owner)
      const ending = Promise.withResolvers<Ended>()
      const session = new Session({ ...parts, idleMs, onEnd: ending.resolve })
      const owned: Owned<About> = { owner, about, session }
      all.set(session.id, owned)
      void ending.promise.then((ended) => {
        onEnd?.(owned, ended)
        forgetOldEnded(owner)
        setTimeout(() => all.delete(session.id), keepEndedMs).unref()
      })
      return owned
    },
    find(owner, id) {
      const owned = all.get(id)
      return owned?.owner === owner ? owned : undefined
    },
    async close(message) {
      await Promise.all([...all.values()].map(({ session }) => session.close(message)))
    },
  }
}
